"""Search: what is found, in which order, by whom, and for how long."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from domain.models import Message
from domain.refusals import BadReference
from domain.search import Has, parse
from storage.mongo import search as mongo_search
from storage.ports import Store
from storage.search import SearchRequest
from storage.sqlite import SqliteStore, search_indexer, search_query, search_segments
from tests.storage.conftest import Place, SqlitePlace
from tests.storage.world import World, at

pytestmark = pytest.mark.long_on_mongo


@pytest.fixture(params=["sqlite", "sqlite in segments", "mongo"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """SQLite twice: messages that are not indexed yet are looked through, others are found in segments."""
    if request.param == "mongo":
        place: Place = request.getfixturevalue("mongo_place")
        return place
    if request.param == "sqlite in segments":
        monkeypatch.setattr(search_segments, "SEGMENT_MESSAGES", 2)
        monkeypatch.setattr(search_indexer, "_REST_TIMES", 0)
    return SqlitePlace(tmp_path)


async def settled(store: Store) -> None:
    """Returns when all full segments are in the index, or old ones are being made."""
    if isinstance(store, SqliteStore) and await store._indexer.ready():
        while store._indexer._is_behind():
            await asyncio.sleep(0.001)


async def search(store: Store, user_id: int, text: str, *, has: Has | None = None, **more: Any) -> list[str]:
    """The contents of the messages on the first page."""
    found, _ = await page(store, user_id, text, has=has, **more)
    return [message.content for message in found]


async def page(
    store: Store, user_id: int, text: str, *, has: Has | None = None, **more: Any
) -> tuple[Sequence[Message], str | None]:
    request = SearchRequest(parse(text, has), **({"limit": 20} | more))
    await settled(store)
    return await store.search.messages(user_id, request)


TEXTS = (
    "Hello, World!",
    "hello there, wonderful world",
    "Всё ещё ждём: Ёжик и йод",
    "все еще едим, и под ив",
    "Crème brûlée in Łódź",
    "ΚΑΛΗΜΈΡΑ κόσμε",
    "see https://example.org/path_to for more",
    "日本語が好き",
    "snake_case and 42 or 3.14",
    'she said "good night" and left',
    "ﬁne ①②",
    "हिन्दी में लिखा",
)


MATCHES = (
    ("hello", [1, 0]),
    ("HELLO wor", [1, 0]),
    ('"hello" wonder', [1]),
    ("hell world", []),
    ('"hell"', []),
    ("world hello", [0, 1]),
    ('"hello world"', [0]),
    ('"world hello"', []),
    ('"hello wor"', []),
    ('"hello there" wo', [1]),
    ('hello "world', [1, 0]),
    ("all OR nothing", []),
    ("hello NOT world", []),
    ("-world", [1, 0]),
    ("wor*", [1, 0]),
    ("все", [3, 2]),
    ("ёжик", [2]),
    ("еж", [2]),
    ("йод", [2]),
    ('"иод"', []),
    ("ив", [3]),
    ("creme brulee", [4]),
    ("LODZ", [4]),
    ("καλημερα ΚΟΣΜΕ", [5]),
    ("example org path", [6]),
    ('"example org path"', []),
    ("example path_", [6]),
    ("日本", [7]),
    ("本語", []),
    ("snake", [8]),
    ("case", []),
    ("42", [8]),
    ("3 14", [8]),
    ('"good night" left', [9]),
    ("fine 12", [10]),
    ("में", [11]),
    ("zebra", []),
)


async def test_what_matches(searched: tuple[Store, int], subtests: pytest.Subtests) -> None:
    store, user_id = searched
    for text, found in MATCHES:
        with subtests.test(text=text):
            contents = await search(store, user_id, text)
            assert sorted(contents) == sorted(TEXTS[index] for index in found)


@pytest.fixture
async def searched(world: World) -> tuple[Store, int]:
    anna = await world.user()
    chat_id = await world.chat(anna)
    for second, text in enumerate(TEXTS):
        await world.send(chat_id, anna, text, created_at=at(second))
    return world.store, anna


async def test_newest_first_by_their_time_and_in_pages(world: World) -> None:
    anna, boris = await world.users(2)
    one, other = await world.chat(anna, boris), await world.chat(anna)
    for chat_id, second in ((one, 5), (other, 3), (one, 9), (one, 5), (other, 5), (other, 1)):
        await world.send(chat_id, anna, f"word {second}", created_at=at(second))
    found, following = await page(world.store, anna, "word", limit=2)
    everything = [*found]
    while following is not None:
        found, following = await page(world.store, anna, "word", limit=2, cursor=following)
        everything += found
    assert [message.content for message in everything] == [f"word {second}" for second in (9, 5, 5, 5, 3, 1)]
    assert [message.chat_id for message in everything[1:4]] == [other, one, one]
    assert [message.seq for message in everything[2:4]] == [3, 1]
    assert await page(world.store, anna, "word", limit=6) == (everything, None)
    assert len(await search(world.store, boris, "word")) == 3


async def test_a_search_that_costs_too_much_goes_on_in_the_next_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little a page may cost: nothing is missing, nothing comes twice, and each page gets on."""
    for module in (mongo_search, search_query):
        monkeypatch.setattr(module, "COST_MAX_S", -1.0)
    anna, boris = await world.users(2)
    one, other = await world.chat(anna, boris), await world.chat(anna)
    seconds = (7, 1, 9, 3, 3, 8, 2, 9, 5, 4, 6, 3)  # the clock of the server was set more than once
    for number, second in enumerate(seconds):
        word = "yes" if number % 3 else "no"
        await world.send(
            (one, other)[number % 2], anna, f"{word} {word} it is {second}", created_at=at(second)
        )
    wanted = sorted((second for number, second in enumerate(seconds) if number % 3), reverse=True)
    for text in ('"yes yes it"', "yes it", "yes"):
        seconds_found: list[int] = []
        following, pages = None, 0
        while True:
            found, following = await page(world.store, anna, text, limit=2, cursor=following)
            seconds_found += [int(message.content.split()[-1]) for message in found]
            pages += 1
            if following is None:
                break
        assert seconds_found == wanted, text
        assert 4 < pages < 40
    found, following = await page(world.store, anna, '"it yes"')
    assert (found, following is None) == ([], False)


async def test_a_page_is_bounded_in_bytes(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    for second in range(3):
        await world.send(chat_id, anna, "word " + "x" * 5000, created_at=at(second))
    found, following = await page(world.store, anna, "word", max_bytes=7000)
    assert (len(found), following is None) == (1, False)
    found, following = await page(world.store, anna, "word", max_bytes=14_000, cursor=following)
    assert (len(found), following) == (2, None)


async def test_filters(world: World) -> None:
    anna, boris = await world.users(2)
    one, other = await world.chat(anna, boris), await world.chat(anna, boris)
    await world.send(one, anna, "word of anna")
    await world.send(one, boris, "word of boris")
    await world.send(other, boris, "word at HTTPS://example.org", created_at=at(1))
    store = world.store
    assert await search(store, anna, "word", chat_id=other) == ["word at HTTPS://example.org"]
    assert await search(store, anna, "word", sender_id=anna) == ["word of anna"]
    assert await search(store, anna, "word", chat_id=one, sender_id=boris) == ["word of boris"]
    assert await search(store, anna, "", has="link") == ["word at HTTPS://example.org"]
    assert await search(store, anna, "of", has="link") == []
    assert await search(store, anna, "word", has="file") == []
    assert await search(store, anna, "word", chat_id=one + other) == []


async def test_only_in_chats_that_the_user_is_in_now(world: World) -> None:
    anna, boris, carl = await world.users(3)
    chat_id = await world.chat(anna, boris)
    private = await world.chat(anna, boris, chat_type="private", name=None)
    for one in (chat_id, private):
        await world.send(one, anna, "secret")
    store = world.store
    assert await search(store, boris, "secret") == ["secret", "secret"]
    assert await search(store, carl, "secret") == []
    assert await search(store, carl, "secret", chat_id=chat_id) == []
    await store.chats.remove_member(chat_id, anna, boris, at(1))
    assert await search(store, boris, "secret") == ["secret"]
    await store.chats.add_member(chat_id, anna, carl, "member", at(2))
    assert await search(store, carl, "secret") == ["secret"]
    await settled(store)
    await store.chats.delete(chat_id, anna)
    assert await search(store, anna, "secret") == ["secret"]


async def test_edited_away_and_deleted_text_is_not_found(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    edited, deleted = await world.send(chat_id, anna, "before"), await world.send(chat_id, anna, "gone")
    store = world.store
    await settled(store)
    await store.messages.edit(edited.id, anna, "after https://example.org", at(1))
    await store.messages.delete(deleted.id, anna, at(1))
    assert await search(store, anna, "before") == []
    assert await search(store, anna, "gone") == []
    assert await search(store, anna, "after") == ["after https://example.org"]
    assert await search(store, anna, "", has="link") == ["after https://example.org"]


async def test_long_words_and_many_words(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    long, other = "x" * 100, "x" * 99 + "y"
    for word in (long, other):
        await world.send(chat_id, anna, f"{word} end")
    many = " ".join(f"w{number}" for number in range(60))
    await world.send(chat_id, anna, many)
    store = world.store
    assert await search(store, anna, f'"{long}"') == [f"{long} end"]
    assert await search(store, anna, f"{long} en") == [f"{long} end"]
    assert sorted(await search(store, anna, "x" * 99)) == [f"{long} end", f"{other} end"]
    assert await search(store, anna, many[:200]) == [many]


@pytest.mark.parametrize("cursor", ["", "x", "MSAy", "MSAyIDMgNA==", "ÿ", "LTk5OTk5OTk5OTk5OTk5OTk5OTkgMSAx"])
async def test_a_cursor_that_was_not_given_out(world: World, cursor: str) -> None:
    with pytest.raises(BadReference):
        await page(world.store, await world.user(), "word", cursor=cursor)
