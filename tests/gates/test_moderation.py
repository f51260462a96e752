"""Mutes, bans, slow mode and the audit of a chat over REST and at the sockets."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.clients.clock import ManualClock
from tests.clients.shapes import assert_error
from tests.conftest import Serve, Server


def in_s(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.mark.stores
async def test_a_muted_member_is_told_so(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    bobs, path = await bob.joined(chat_id), f"/chats/{chat_id}/members/{bob.id}"
    own = await bob.say(chat_id, "before")
    until = in_s(3600)
    member = await ann.patch(path, muted_until=until)
    assert datetime.fromisoformat(member["muted_until"]) == datetime.fromisoformat(until)
    assert (await bobs.next("chat_changed"))["chat_id"] == chat_id
    for name, fields in (
        ("send_message", {"chat_id": chat_id, "content": "hi"}),
        ("edit_message", {"message_id": own["id"], "content": "x"}),
        ("add_reaction", {"message_id": own["id"], "emoji": "👍"}),
        ("typing", {"chat_id": chat_id, "is_typing": True}),
    ):
        error = await bobs.command(name, **fields)
        assert error["code"] == "forbidden", name
        assert error["message"].startswith("you are muted in this chat until "), name
    assert (await bob.get(f"/chats/{chat_id}"))["muted_until"] == member["muted_until"]
    await bobs.done("delete_message", message_id=own["id"])
    status, member = await ann.request("PATCH", path, json={"muted_until": None})
    assert (status, member["muted_until"]) == (200, None)
    await bobs.done("typing", chat_id=chat_id, is_typing=True)
    await bob.say(chat_id, "after")
    for wrong in ("2030-01-01T00:00:00", "tomorrow", 5, "9999-12-31T23:59:59-12:00"):
        answer = await ann.request("PATCH", path, json={"muted_until": wrong})
        assert_error(answer, 422, "invalid", "muted_until")
    both = {"role": "admin", "muted_until": None}
    assert_error(await ann.request("PATCH", path, json=both), 422, "invalid", "role", "muted_until")


@pytest.mark.stores
async def test_a_banned_member_is_out_and_stays_out(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    bobs, path = await bob.joined(chat_id), f"/chats/{chat_id}/bans"
    status, ban = await ann.request("POST", path, json={"user_id": bob.id, "reason": "spam"})
    assert status == 201
    assert (ban["user"]["id"], ban["reason"], ban["banned_by"]) == (bob.id, "spam", ann.id)
    removed = await bobs.next("chat_removed")
    assert (removed["chat_id"], removed["reason"]) == (chat_id, "banned")
    assert await ann.request("POST", path, json={"user_id": bob.id}) == (200, ban)
    assert await ann.get(path) == {"bans": [ban], "next_cursor": None}
    invite = await ann.post(f"/chats/{chat_id}/invites")
    answer = await bob.request("POST", f"/invites/{invite['code']}/accept", json={})
    assert_error(answer, 403, "forbidden")
    answer = await ann.request("POST", f"/chats/{chat_id}/members", json={"user_id": bob.id})
    assert_error(answer, 403, "forbidden")
    await ann.patch(f"/chats/{chat_id}", is_public=True)
    assert_error(await bob.request("POST", f"/chats/{chat_id}/join", json={}), 403, "forbidden")
    for _ in range(2):
        await ann.delete(f"{path}/{bob.id}")
    assert (await bob.request("POST", f"/chats/{chat_id}/join", json={}))[0] == 200
    audit = await ann.get(f"/chats/{chat_id}/audit")
    assert [entry["action"] for entry in audit["entries"]] == [
        "member_joined",
        "unbanned",
        "made_public",
        "invite_made",
        "banned",
    ]
    assert audit["entries"][-1].keys() == {"id", "at", "actor_id", "action", "user_id", "detail"}
    assert invite["code"] not in str(audit)
    for what in ("audit", "bans"):
        assert_error(await bob.request("GET", f"/chats/{chat_id}/{what}"), 403, "forbidden")


@pytest.mark.stores
async def test_slow_mode_says_how_long_to_wait(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    assert (await ann.patch(f"/chats/{chat_id}", slow_mode_s=60))["slow_mode_s"] == 60
    first = await bob.post("/messages", chat_id=chat_id, content="one", client_id="c1")
    answer = await bob.request("POST", "/messages", json={"chat_id": chat_id, "content": "two"})
    assert_error(answer, 429, "rate_limited")
    assert 0 < answer[1]["error"]["retry_after_ms"] <= 60_000
    repeat = {"chat_id": chat_id, "content": "one", "client_id": "c1"}
    assert await bob.request("POST", "/messages", json=repeat) == (200, first)
    for _ in range(2):
        await ann.say(chat_id, "free")
    answer = await bob.request("PATCH", f"/chats/{chat_id}", json={"slow_mode_s": 0})
    assert_error(answer, 403, "forbidden")
    answer = await ann.request("PATCH", f"/chats/{chat_id}", json={"slow_mode_s": 3601})
    assert_error(answer, 422, "invalid", "slow_mode_s")


async def test_a_mute_that_is_over_is_no_longer_in_any_object(serve: Serve) -> None:
    clock = ManualClock()
    server = await serve(clock=clock)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    bobs, path = await bob.joined(chat_id), f"/chats/{chat_id}/members/{bob.id}"
    until = (clock.now() + timedelta(seconds=60)).isoformat()
    await ann.patch(path, muted_until=until)
    assert (await bobs.next("chat_settings"))["muted_until"] is not None

    async def seen() -> list[str | None]:
        members = (await ann.get(f"/chats/{chat_id}/members"))["members"]
        return [
            (await bob.get(f"/chats/{chat_id}"))["muted_until"],
            *(chat["muted_until"] for chat in (await bob.get("/chats"))["chats"]),
            *(member["muted_until"] for member in members if member["user"]["id"] == bob.id),
            (await bob.patch(f"/chats/{chat_id}/me", favorite=True))["muted_until"],
        ]

    clock.advance(59.9)
    assert [datetime.fromisoformat(one or "") for one in await seen()] == [datetime.fromisoformat(until)] * 4
    clock.advance(0.1)
    assert await seen() == [None] * 4
    await bob.patch(f"/chats/{chat_id}/me", favorite=False)
    while (settings := await bobs.next("chat_settings"))["favorite"]:
        assert settings["muted_until"] is not None  # of before
    assert settings["muted_until"] is None
    assert (await ann.patch(path, role="admin"))["muted_until"] is None
    await bob.say(chat_id, "again")
