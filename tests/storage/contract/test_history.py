from collections.abc import Sequence

import pytest

from domain.models import Message, Page
from storage.sizes import message_bytes
from tests.storage.world import World, at


@pytest.fixture
async def chat(world: World) -> tuple[int, list[Message]]:
    """Ten messages, seq 1 to 10, of which 4 and 5 are deleted, and 1 was edited last."""
    anna = await world.user()
    chat_id = await world.chat(anna)
    messages = [await world.send(chat_id, anna, f"{number}") for number in range(1, 11)]
    for index in (3, 4):
        messages[index] = await world.store.messages.delete(messages[index].id, anna, at(1))
    messages[0] = await world.store.messages.edit(messages[0].id, anna, "one", at(2))
    return chat_id, messages


def shape(page: Page) -> tuple[list[int], bool, bool]:
    return [message.seq for message in page.messages], page.has_more_before, page.has_more_after


ALIVE = [1, 2, 3, 6, 7, 8, 9, 10]


PAGES: Sequence[tuple[dict[str, int], tuple[list[int], bool, bool]]] = (
    ({"limit": 3}, ([8, 9, 10], True, False)),
    ({"limit": 8}, (ALIVE, False, False)),
    ({"limit": 50}, (ALIVE, False, False)),
    ({"limit": 3, "before_seq": 8}, ([3, 6, 7], True, True)),
    ({"limit": 3, "before_seq": 5}, ([1, 2, 3], False, True)),
    ({"limit": 2, "before_seq": 4}, ([2, 3], True, True)),
    ({"limit": 2, "before_seq": 1}, ([], False, True)),
    ({"limit": 2, "before_seq": 11}, ([9, 10], True, False)),
    ({"limit": 3, "after_seq": 2}, ([3, 6, 7], True, True)),
    ({"limit": 3, "after_seq": 4}, ([6, 7, 8], True, True)),
    ({"limit": 3, "after_seq": 7}, ([8, 9, 10], True, False)),
    ({"limit": 3, "after_seq": 0}, ([1, 2, 3], False, True)),
    ({"limit": 3, "after_seq": 10}, ([], True, False)),
    ({"limit": 4, "around_seq": 7}, ([3, 6, 7, 8], True, True)),
    ({"limit": 5, "around_seq": 7}, ([3, 6, 7, 8, 9], True, True)),
    ({"limit": 4, "around_seq": 4}, ([2, 3, 6, 7], True, True)),
    ({"limit": 4, "around_seq": 1}, ([1, 2], False, True)),
    ({"limit": 4, "around_seq": 10}, ([8, 9, 10], True, False)),
    ({"limit": 1, "around_seq": 7}, ([7], True, True)),
    ({"limit": 1, "around_seq": 1}, ([1], False, True)),
    ({"limit": 1, "around_seq": 10}, ([10], True, False)),
    ({"limit": 50, "around_seq": 5}, (ALIVE, False, False)),
)


async def test_pages(world: World, chat: tuple[int, list[Message]], subtests: pytest.Subtests) -> None:
    for asked, expected in PAGES:
        with subtests.test(**asked):
            page = await world.store.messages.history(chat[0], **asked)
            assert shape(page) == expected
            assert list(page.messages) == [chat[1][message.seq - 1] for message in page.messages]


async def test_no_messages(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    for asked in ({}, {"before_seq": 5}, {"after_seq": 0}, {"around_seq": 3}):
        assert shape(await world.store.messages.history(chat_id, limit=10, **asked)) == ([], False, False)
        assert shape(await world.store.messages.history(999, limit=10, **asked)) == ([], False, False)
    message = await world.send(chat_id, anna)
    await world.store.messages.delete(message.id, anna, at(1))
    assert shape(await world.store.messages.history(chat_id, limit=10)) == ([], False, False)


async def test_chats_do_not_mix(world: World) -> None:
    anna = await world.user()
    here, there = await world.chat(anna), await world.chat(anna)
    for _ in range(5):
        await world.send(here, anna)
        await world.send(there, anna)
    page = await world.store.messages.history(here, limit=50)
    assert {message.chat_id for message in page.messages} == {here}
    assert shape(page) == ([1, 2, 3, 4, 5], False, False)


async def test_going_through_all_of_it_in_both_directions(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    messages = [await world.send(chat_id, anna, f"{number}") for number in range(57)]
    for message in messages[::7]:
        await world.store.messages.delete(message.id, anna, at(1))
    alive = [message for index, message in enumerate(messages) if index % 7]
    back: list[Message] = []
    page = await world.store.messages.history(chat_id, limit=10)
    while True:
        back[:0] = page.messages
        if not page.has_more_before:
            break
        page = await world.store.messages.history(chat_id, limit=10, before_seq=page.messages[0].seq)
        assert page.has_more_after
    forth: list[Message] = []
    page = await world.store.messages.history(chat_id, limit=10, after_seq=0)
    while True:
        forth += page.messages
        if not page.has_more_after:
            break
        page = await world.store.messages.history(chat_id, limit=10, after_seq=page.messages[-1].seq)
        assert page.has_more_before
    assert back == forth == alive


async def test_what_changed(world: World, chat: tuple[int, list[Message]]) -> None:
    chat_id, messages = chat

    async def changed(after_seq: int, limit: int = 100) -> list[tuple[int, int, bool]]:
        found = await world.store.messages.changed_since(chat_id, after_seq, limit=limit)
        assert all(message == messages[message.seq - 1] for message in found)
        return [(message.changed_seq, message.seq, message.deleted) for message in found]

    tail = [(11, 4, True), (12, 5, True), (13, 1, False)]
    assert await changed(0) == [(seq, seq, False) for seq in (2, 3, 6, 7, 8, 9, 10)] + tail
    assert await changed(9) == [(10, 10, False), *tail]
    assert await changed(10, limit=2) == tail[:2]
    assert await changed(12) == tail[2:]
    assert await changed(13) == []
    assert await changed(99) == []
    assert list(await world.store.messages.changed_since(999, 0, limit=5)) == []


async def test_how_many_changed(world: World, chat: tuple[int, list[Message]]) -> None:
    chat_id, _ = chat

    async def count(after_seq: int, limit: int = 100) -> int:
        return await world.store.messages.count_changed_since(chat_id, after_seq, limit=limit)

    assert [await count(after_seq) for after_seq in (0, 9, 10, 12, 13, 99)] == [10, 4, 3, 1, 0, 0]
    assert [await count(0, limit) for limit in (1, 4, 10)] == [1, 4, 10]
    assert await world.store.messages.count_changed_since(999, 0, limit=5) == 0


LARGE = "\x01" * 1000
"""6,000 bytes as JSON."""

BOUNDED = [
    ({}, 21_000, ([8, 9, 10], True, False)),
    ({"before_seq": 8}, 21_000, ([5, 6, 7], True, True)),
    ({"after_seq": 2}, 21_000, ([3, 4, 5], True, True)),
    ({"after_seq": 8}, 21_000, ([9, 10], True, False)),
    ({"around_seq": 5}, 21_000, ([4, 5, 6], True, True)),
    ({"around_seq": 5}, 27_000, ([4, 5, 6], True, True)),
    ({"around_seq": 5}, 28_000, ([3, 4, 5, 6], True, True)),
    ({"around_seq": 1}, 21_000, ([1, 2, 3], False, True)),
    ({"around_seq": 10}, 21_000, ([8, 9, 10], True, False)),
    ({}, 1, ([10], True, False)),
    ({"before_seq": 1}, 1, ([], False, True)),
    ({"before_seq": 2}, 1, ([1], False, True)),
    ({"after_seq": 0}, 1, ([1], False, True)),
    ({"after_seq": 10}, 1, ([], True, False)),
    ({"around_seq": 4}, 1, ([4], True, True)),
    ({}, 10**6, (list(range(1, 11)), False, False)),
]


@pytest.mark.parametrize(("asked", "max_bytes", "expected"), BOUNDED)
async def test_a_page_has_no_more_bytes_than_asked_but_one_message(
    world: World, asked: dict[str, int], max_bytes: int, expected: tuple[list[int], bool, bool]
) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    for _ in range(10):
        await world.send(chat_id, anna, LARGE)
    page = await world.store.messages.history(chat_id, limit=50, max_bytes=max_bytes, **asked)
    assert shape(page) == expected


async def test_who_pages_on_in_few_bytes_gets_everything(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    sent = [await world.send(chat_id, anna, LARGE[: 97 * number]) for number in range(1, 11)]
    back: list[Message] = []
    asked: dict[str, int] = {}
    while True:
        page = await world.store.messages.history(chat_id, limit=4, max_bytes=9000, **asked)
        back[:0] = page.messages
        if not page.has_more_before:
            break
        asked = {"before_seq": page.messages[0].seq}
    forth: list[Message] = []
    position = 0
    while found := await world.store.messages.changed_since(chat_id, position, limit=4, max_bytes=9000):
        assert sum(map(message_bytes, found)) <= 9000 or len(found) == 1
        forth += found
        position = found[-1].changed_seq
    assert back == forth == sent


async def test_what_changed_is_bounded_in_bytes_whichever_way_it_changed(
    world: World, chat: tuple[int, list[Message]]
) -> None:
    chat_id, messages = chat
    for index in range(6, 9):
        messages[index] = await world.store.messages.edit(
            messages[index].id, messages[index].sender_id, LARGE, at(3)
        )
    found = await world.store.messages.changed_since(chat_id, 10, limit=100, max_bytes=20_000)
    assert [message.changed_seq for message in found] == [11, 12, 13, 14, 15]
    found = await world.store.messages.changed_since(chat_id, 13, limit=100, max_bytes=1)
    assert [message.changed_seq for message in found] == [14]
