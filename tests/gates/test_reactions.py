"""Reactions and pins over REST: emoji in paths, statuses, pages, limits, and many at once."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest
from yarl import URL

from domain.decisions import pins, reactions
from tests.clients.people import Person
from tests.clients.shapes import MESSAGE, assert_error, fits
from tests.conftest import Serve, Server

FAMILY = "👨‍👩‍👧‍👦"
KEYCAP = "#️⃣"
SLASH = "é/../é"


async def call(person: Person, method: str, message_id: int, emoji: str, *, raw: bool = False) -> Any:
    """With the emoji as it is if `raw`, else percent-encoded."""
    path = emoji if raw else quote(emoji, safe="")
    url = URL(f"{person.url}/api/messages/{message_id}/reactions/{path}", encoded=True)
    headers = {"Authorization": f"Bearer {person.token}"}
    async with person.http.request(method, url, headers=headers) as response:
        return response.status, await response.json()


@pytest.mark.stores
async def test_an_emoji_in_the_path(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    message = await ann.say(chat_id, "hi")
    for emoji in (FAMILY, KEYCAP, SLASH, "100%é?", "❤\ufe0f"):
        stored = emoji.rstrip("\ufe0f")
        for _ in range(2):
            status, found = await call(bob, "POST", message["id"], emoji)
            assert (status, found["reactions"]) == (200, {stored: [bob.id]})
            assert fits(found, MESSAGE)
        assert (await ann.get(f"/messages/{message['id']}"))["reactions"] == {stored: [bob.id]}
        for _ in range(2):
            status, found = await call(bob, "DELETE", message["id"], emoji)
            assert (status, found["reactions"]) == (200, {})
    head_seq = (await ann.get(f"/chats/{chat_id}"))["seq"]
    assert head_seq == found["changed_seq"] == 11


async def test_what_is_no_emoji(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    message = await ann.say(chat_id, "hi")
    for method in ("POST", "DELETE"):
        for path in (
            "a",
            "+1",
            "%20",
            "%FF",
            "%F0%9F%91",
            "%00",
            "%ED%A0%80",
            "%EF%B8%8F",
            "%F0%9F%91%8D%20",
            "%F0%9F%91%8D%ED%A0%80",
            "%F0%9F%91%8D%FF",
            "%0A",
        ):
            assert_error(await call(ann, method, message["id"], path, raw=True), 422, "invalid", "emoji")
        assert_error(await call(ann, method, message["id"], "👍" * 9), 422, "invalid", "emoji")
        assert_error(await call(ann, method, message["id"] + 1, "👍"), 404, "not_found")
        assert_error(await ann.request(method, "/messages/x/reactions/%F0%9F%91%8D"), 404, "not_found")
        assert_error(await ann.request(method, "/messages/x/pin"), 404, "not_found")
    assert (await ann.get(f"/chats/{chat_id}"))["seq"] == 1


async def test_the_body_is_not_asked(server: Server) -> None:
    """Clients send what their libraries send: nothing, or an empty object."""
    ann = await server.person("ann")
    message = await ann.say(await ann.chat(), "hi")
    path = f"/messages/{message['id']}"
    for what in ("pin", f"reactions/{quote('👍')}"):
        for method in ("POST", "DELETE"):
            assert (await ann.request(method, f"{path}/{what}", json={}))[0] == 200
            assert (await ann.request(method, f"{path}/{what}"))[0] == 200


@pytest.mark.stores
async def test_the_pins_of_a_chat(server: Server) -> None:
    ann, bob, eve = await server.people("ann", "bob", "eve")
    chat_id = await ann.chat(bob)
    ids = [(await ann.say(chat_id, f"{number}"))["id"] for number in range(5)]
    path = f"/chats/{chat_id}/pins"
    assert await bob.get(path) == {"messages": [], "next_cursor": None}
    for message_id in ids:
        pinned = await ann.post(f"/messages/{message_id}/pin")
        assert pinned["pinned"] is True
    await ann.patch(f"/messages/{ids[0]}", content="edited")
    await ann.delete(f"/messages/{ids[3]}")
    page = await bob.get(path)
    assert page["next_cursor"] is None
    assert all(fits(message, MESSAGE) and message["pinned"] for message in page["messages"])
    assert [message["id"] for message in page["messages"]] == [ids[4], ids[2], ids[1], ids[0]]
    first = await bob.get(path, limit=3)
    rest = await bob.get(path, limit=3, cursor=first["next_cursor"])
    assert (first["messages"] + rest["messages"], rest["next_cursor"]) == (page["messages"], None)
    for wrong, field in ((("limit", 0), "limit"), (("limit", 51), "limit"), (("cursor", "x"), "cursor")):
        assert_error(await bob.request("GET", path, params=dict([wrong])), 422, "invalid", field)
    assert_error(await eve.request("GET", path), 404, "not_found")
    assert_error(await bob.request("POST", f"/messages/{ids[1]}/pin"), 403, "forbidden")
    unpinned = await ann.request("DELETE", f"/messages/{ids[1]}/pin")
    assert (unpinned[0], unpinned[1]["pinned"]) == (200, False)
    entries = (await ann.get(f"/chats/{chat_id}/audit"))["entries"]
    assert [entry["action"] for entry in entries] == ["message_unpinned", *["message_pinned"] * 5]
    assert (entries[0]["actor_id"], entries[0]["user_id"], entries[0]["message_id"]) == (
        ann.id,
        ann.id,
        ids[1],
    )


async def test_a_page_of_pins_is_bounded_in_bytes(serve: Serve) -> None:
    server = await serve(messages_per_s=0)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    ids = [(await ann.say(chat_id, "\x01" * 9_999 + "x"))["id"] for _ in range(20)]
    for message_id in ids:
        await ann.post(f"/messages/{message_id}/pin")
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = await ann.get(f"/chats/{chat_id}/pins", **cursor)
        seen += [message["id"] for message in page["messages"]]
        assert 0 < len(page["messages"]) < 20
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ids[::-1]


@pytest.mark.stores
async def test_the_bounds_are_exact_when_many_come_at_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactions, "REACTIONS_MAX", 24)
    monkeypatch.setattr(pins, "PINS_MAX", 6)
    server = await serve(messages_per_s=0, max_requests_per_user=0)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    messages = [await ann.say(chat_id, f"{number}") for number in range(9)]
    watcher = await bob.joined(chat_id)
    emoji = [chr(0x1F600 + number) for number in range(23)]
    answers = await asyncio.gather(
        *(call(person, "POST", messages[0]["id"], one) for one in emoji for person in (ann, bob)),
        *(ann.request("POST", f"/messages/{message['id']}/pin") for message in messages),
    )
    refused = [answer for answer in answers if answer[0] != 200]
    for answer in refused:
        assert_error(answer, 409, "conflict")
    assert len(answers) - len(refused) == 24 + 6
    kept = (await ann.get(f"/messages/{messages[0]['id']}"))["reactions"]
    assert len(kept) <= 20
    assert sum(map(len, kept.values())) == 24
    assert len((await bob.get(f"/chats/{chat_id}/pins"))["messages"]) == 6
    heard = [frame["seq"] for frame in await watcher.drain() if "seq" in frame]
    assert heard == list(range(10, 10 + 30))
