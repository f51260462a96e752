"""GET /messages/search: what is found, for whom, and what is refused."""

import asyncio
from typing import Any

import pytest
from yarl import URL

from storage.sqlite import SqliteStore
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.shapes import MESSAGE, assert_error, fits
from tests.conftest import Serve, Server


async def search(person: Person, **query: Any) -> Any:
    status, answer = await person.request("GET", "/messages/search", params=query)
    assert status == 200, answer
    return answer


async def texts(person: Person, **query: Any) -> list[str]:
    return [message["content"] for message in (await search(person, **query))["messages"]]


@pytest.mark.stores
async def test_messages_are_found(server: Server) -> None:
    ann, bob, eve = await server.people("ann", "bob", "eve")
    chat_id, other = await ann.chat(bob), await ann.chat(bob)
    first = await ann.say(chat_id, "Всё про ёлку: https://example.org")
    second = await bob.say(other, "все")
    page = await search(bob, q="вс")
    assert all(fits(message, MESSAGE) for message in page["messages"])
    assert page == {"messages": [second, first], "next_cursor": None}
    assert await search(bob, q='"все" елк') == {"messages": [first], "next_cursor": None}
    assert await texts(ann, q="все", chat_id=other) == ["все"]
    assert await texts(ann, q="все", **{"from": ann.id}) == [first["content"]]
    assert await texts(ann, has="link") == [first["content"]]
    assert await texts(ann, has="link", q="!") == [first["content"]]
    assert await texts(ann, has="file") == []
    assert await texts(eve, q="все") == []
    page = await search(bob, q="все", limit=1)
    assert page["messages"] == [second]
    assert await search(bob, q="все", limit=1, cursor=page["next_cursor"]) == {
        "messages": [first],
        "next_cursor": None,
    }


@pytest.mark.stores
async def test_what_is_gone_is_not_found_from_that_moment(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    edited, deleted = await ann.say(chat_id, "one secret"), await ann.say(chat_id, "other secret")
    assert len(await texts(bob, q="secret")) == 2
    await ann.patch(f"/messages/{edited['id']}", content="nothing")
    assert await texts(bob, q="secret") == ["other secret"]
    assert (await ann.request("DELETE", f"/messages/{deleted['id']}"))[0] == 204
    assert await texts(bob, q="secret") == []
    assert await texts(bob, q="nothing") == ["nothing"]
    assert (await ann.request("DELETE", f"/chats/{chat_id}/members/{bob.id}"))[0] == 204
    assert await texts(bob, q="nothing") == []
    assert_error(
        await bob.request("GET", "/messages/search", params={"q": "x", "chat_id": chat_id}), 404, "not_found"
    )
    assert await texts(ann, q="nothing") == ["nothing"]
    assert (await ann.request("DELETE", f"/chats/{chat_id}"))[0] == 204
    assert await texts(ann, q="nothing") == []


async def test_who_is_removed_while_the_store_is_asked_sees_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id, other = await ann.chat(bob), await ann.chat(bob)
    for one in (chat_id, other):
        await ann.say(one, f"secret of {one}")
    store = server.chat_app.context.store
    messages, now = store.search.messages, server.chat_app.context.clock.now()

    async def removed_meanwhile(*asked: Any) -> Any:
        found = await messages(*asked)
        await store.chats.remove_member(chat_id, ann.id, bob.id, now)
        return found

    monkeypatch.setattr(store.search, "messages", removed_meanwhile)
    assert await texts(bob, q="secret") == [f"secret of {other}"]


async def test_until_old_messages_are_indexed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await server.person("ann")
    store = server.chat_app.context.store
    assert isinstance(store, SqliteStore)
    monkeypatch.setattr(store._indexer, "_ready", False)
    answer = await ann.request("GET", "/messages/search", params={"q": "x"})
    assert_error(answer, 503, "unavailable")
    assert "being indexed" in answer[1]["error"]["message"]


INVALID: list[tuple[dict[str, str], str]] = [
    ({}, "q"),
    ({"q": ""}, "q"),
    ({"q": "!?"}, "q"),
    ({"q": "___"}, "q"),
    ({"q": '""'}, "q"),
    ({"q": "\uff9e"}, "q"),  # a letter of which nothing is left
    ({"q": "x" * 201}, "q"),
    ({"q": "x" * 201, "has": "file"}, "q"),
    ({"q": "x", "has": "picture"}, "has"),
    ({"q": "x", "has": ""}, "has"),
    ({"q": "x", "limit": "0"}, "limit"),
    ({"q": "x", "limit": "101"}, "limit"),
    ({"q": "x", "limit": "1.0"}, "limit"),
    ({"q": "x", "chat_id": "0"}, "chat_id"),
    ({"q": "x", "chat_id": "one"}, "chat_id"),
    ({"q": "x", "from": "-1"}, "from"),
    ({"q": "x", "from": str(2**53)}, "from"),
    ({"q": "x", "cursor": "x"}, "cursor"),
    ({"q": "x", "cursor": ""}, "cursor"),
]


async def test_what_is_invalid(serve: Serve) -> None:
    ann = await (await serve(searches_per_s=0)).person("ann")
    for query, field in INVALID:
        answer = await ann.request("GET", "/messages/search", params=query)
        assert_error(answer, 422, "invalid", field)


@pytest.mark.parametrize("query", ["q=x%FF", "q=%ED%A0%80x", "q=x&cursor=%E4", "has=link&q=%80"])
async def test_what_is_not_utf8_is_invalid(server: Server, query: str) -> None:
    ann = await server.person("ann")
    url = URL(f"{ann.url}/api/messages/search?{query}&unknown=%FF", encoded=True)
    async with ann.http.get(url, headers={"Authorization": f"Bearer {ann.token}"}) as response:
        field = "cursor" if "cursor" in query else "q"
        assert_error((response.status, await response.json()), 422, "invalid", field)
    assert await texts(ann, q="x", unknown="%FF") == []


async def test_a_query_of_the_longest_kind_and_unknown_parameters(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    await ann.say(chat_id, "x" * 300)
    assert await texts(ann, q="x" * 200, unknown="y", limit=100) == ["x" * 300]


async def test_others_chats_do_not_exist(server: Server) -> None:
    ann, eve = await server.people("ann", "eve")
    chat_id = await ann.chat()
    for one in (chat_id, 999_999):
        answer = await eve.request("GET", "/messages/search", params={"q": "x", "chat_id": one})
        assert_error(answer, 404, "not_found")


async def test_a_user_searches_thirty_times_at_once_and_five_times_a_second(serve: Serve) -> None:
    clock = ManualClock()
    server = await serve(clock=clock)
    ann, bob = await server.people("ann", "bob")
    for _ in range(30):
        await search(ann, q="x")
    answer = await ann.request("GET", "/messages/search", params={"q": "x"})
    assert_error(answer, 429, "rate_limited")
    assert answer[1]["error"]["retry_after_ms"] == 200
    await search(bob, q="x")
    clock.advance(0.2)
    await search(ann, q="x")


async def test_users_search_in_turn(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody with many searches at once delays another by one search, not by all of them."""
    ann, bob = await server.people("ann", "bob")
    await ann.say(await ann.chat(bob), "word")
    store = server.chat_app.context.store
    messages, begun, may_go = store.search.messages, list[int](), asyncio.Event()

    async def slowly(user_id: int, request: Any) -> Any:
        begun.append(user_id)
        await may_go.wait()
        return await messages(user_id, request)

    monkeypatch.setattr(store.search, "messages", slowly)
    searches = [asyncio.create_task(texts(ann, q="word")) for _ in range(8)]
    waiting = server.chat_app.context.searches._waiting
    while len(waiting.get(str(ann.id), ())) < 6:
        await asyncio.sleep(0.001)
    searches.append(asyncio.create_task(texts(bob, q="word")))
    while str(bob.id) not in waiting:
        await asyncio.sleep(0.001)
    may_go.set()
    assert await asyncio.gather(*searches) == [["word"]] * 9
    assert begun == [ann.id] * 3 + [bob.id] + [ann.id] * 5


async def test_without_a_token(server: Server) -> None:
    ann = await server.person("ann")
    ann.token = ""
    assert_error(await ann.request("GET", "/messages/search", params={"q": "x"}), 401, "unauthenticated")
