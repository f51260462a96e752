"""History over REST: pages before, after and around a message."""

from typing import Any

import pytest

from tests.clients.people import Person
from tests.clients.shapes import PAGE, assert_error, fits
from tests.conftest import Server


class Book:
    """A chat with messages 0…19, of which 5 and 15 are deleted."""

    def __init__(self) -> None:
        self.person: Any = None
        self.chat_id = 0
        self.ids: list[int] = []

    async def page(self, **query: Any) -> tuple[list[int], bool, bool]:
        """The numbers on a page, and whether there is more before and after."""
        page = await self.person.get(f"/chats/{self.chat_id}/messages", **query)
        assert fits(page, PAGE)
        assert page["head_seq"] == 22
        numbers = [int(message["content"]) for message in page["messages"]]
        assert [message["id"] for message in page["messages"]] == [self.ids[number] for number in numbers]
        return numbers, page["has_more_before"], page["has_more_after"]


@pytest.fixture
async def book(server: Server) -> Book:
    book = Book()
    book.person = await server.person("ann")
    book.chat_id = await book.person.chat()
    for number in range(20):
        book.ids.append((await book.person.say(book.chat_id, str(number)))["id"])
    for number in (5, 15):
        await book.person.delete(f"/messages/{book.ids[number]}")
    return book


ALIVE = [number for number in range(20) if number not in (5, 15)]


async def test_without_an_anchor_the_newest_come_oldest_first(book: Book) -> None:
    assert await book.page() == (ALIVE, False, False)
    assert await book.page(limit=3) == ([17, 18, 19], True, False)
    assert await book.page(limit=18) == (ALIVE, False, False)
    assert await book.page(limit=200) == (ALIVE, False, False)


async def test_before_a_message(book: Book) -> None:
    assert await book.page(before=book.ids[17], limit=3) == ([13, 14, 16], True, True)
    assert await book.page(before=book.ids[2], limit=3) == ([0, 1], False, True)
    assert await book.page(before=book.ids[3], limit=3) == ([0, 1, 2], False, True)
    assert await book.page(before=book.ids[0]) == ([], False, True)


async def test_after_a_message(book: Book) -> None:
    assert await book.page(after=book.ids[3], limit=3) == ([4, 6, 7], True, True)
    assert await book.page(after=book.ids[16], limit=3) == ([17, 18, 19], True, False)
    assert await book.page(after=book.ids[17], limit=3) == ([18, 19], True, False)
    assert await book.page(after=book.ids[19]) == ([], True, False)


async def test_around_a_message(book: Book) -> None:
    assert await book.page(around=book.ids[10], limit=5) == ([8, 9, 10, 11, 12], True, True)
    assert await book.page(around=book.ids[10], limit=4) == ([8, 9, 10, 11], True, True)
    assert await book.page(around=book.ids[10], limit=1) == ([10], True, True)
    assert await book.page(around=book.ids[10]) == (ALIVE, False, False)
    numbers, before, after = await book.page(around=book.ids[0], limit=5)
    assert (numbers[0], before, after) == (0, False, True)
    numbers, before, after = await book.page(around=book.ids[19], limit=5)
    assert (numbers[-1], before, after) == (19, True, False)


async def test_a_deleted_message_still_serves_as_a_position(book: Book) -> None:
    assert await book.page(before=book.ids[5], limit=2) == ([3, 4], True, True)
    assert await book.page(after=book.ids[5], limit=2) == ([6, 7], True, True)
    assert await book.page(around=book.ids[5], limit=4) == ([3, 4, 6, 7], True, True)


async def test_an_empty_chat_has_an_empty_page(server: Server) -> None:
    ann = await server.person("ann")
    page = await ann.get(f"/chats/{await ann.chat()}/messages")
    assert page == {"messages": [], "has_more_before": False, "has_more_after": False, "head_seq": 0}


@pytest.mark.stores
async def test_paging_back_and_forth_meets_every_message_once(book: Book) -> None:
    back: list[int] = []
    query: dict[str, Any] = {"limit": 4}
    more = True
    while more:
        numbers, more, _ = await book.page(**query)
        back = numbers + back
        query["before"] = book.ids[numbers[0]]
    assert back == ALIVE
    forth, more, query = [0], True, {"limit": 4}
    while more:
        numbers, _, more = await book.page(after=book.ids[forth[-1]], **query)
        forth += numbers
    assert forth == ALIVE


async def test_a_wrong_query_is_invalid(book: Book) -> None:
    person: Person = book.person
    elsewhere = (await person.say(await person.chat(), "in another chat"))["id"]
    one = str(book.ids[0])
    wrong: list[dict[str, str]] = [
        *({name: "99"} for name in ("before", "after", "around")),
        *({"before": text} for text in (str(elsewhere), "0", "-1", "1.0", "", "9" * 25, "x")),
        *({"limit": text} for text in ("0", "201", "x", "")),
        {"before": one, "after": one},
        {"before": one, "after": one, "around": one},
    ]
    for query in wrong:
        answer = await person.request("GET", f"/chats/{book.chat_id}/messages", params=query)
        assert_error(answer, 422, "invalid", *query)


async def test_an_unknown_parameter_is_ignored(book: Book) -> None:
    assert (await book.page(limit=1, colour="red"))[0] == [19]
