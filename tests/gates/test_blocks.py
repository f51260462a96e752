"""Blocks: the calls, and what a blocked person may no longer do."""

import pytest

from domain.decisions import blocks
from tests.clients.shapes import USER, assert_error, fits
from tests.conftest import Server


@pytest.mark.stores
async def test_whom_one_has_blocked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCKS_MAX", 3)
    ann, *others = await server.people("ann", "bob", "carl", "dave", "eve")
    for other in (*others[:3], others[0]):
        assert await ann.request("PUT", f"/users/{other.id}/block") == (204, None)
    assert_error(await ann.request("PUT", f"/users/{others[3].id}/block"), 409, "conflict")
    page = await ann.get("/users/me/blocks")
    assert all(fits(user, USER) for user in page["users"])
    assert ([user["id"] for user in page["users"]], page["next_cursor"]) == (
        [one.id for one in others[:3]],
        None,
    )
    page = await ann.get("/users/me/blocks", limit="2")
    assert [user["id"] for user in page["users"]] == [one.id for one in others[:2]]
    page = await ann.get("/users/me/blocks", limit="2", cursor=page["next_cursor"])
    assert ([user["id"] for user in page["users"]], page["next_cursor"]) == ([others[2].id], None)
    for _ in range(2):
        assert await ann.request("DELETE", f"/users/{others[0].id}/block") == (204, None)
    assert [user["id"] for user in (await ann.get("/users/me/blocks"))["users"]] == [
        one.id for one in others[1:3]
    ]
    assert (await others[0].get("/users/me/blocks"))["users"] == []


async def test_whom_nobody_can_block(server: Server) -> None:
    ann = await server.person("ann")
    for method in ("PUT", "DELETE"):
        assert_error(await ann.request(method, f"/users/{ann.id}/block"), 422, "invalid", "user_id")
        assert_error(
            await server.stranger().request(method, f"/users/{ann.id}/block"), 401, "unauthenticated"
        )
    answer = await ann.request("PUT", "/users/999/block")
    assert_error(answer, 404, "not_found")
    assert answer[1]["error"]["message"] == "no such user"
    assert_error(await ann.request("PUT", "/users/x/block"), 404, "not_found")
    for name, value in (("limit", "0"), ("limit", "1001"), ("cursor", "x")):
        answer = await ann.request("GET", "/users/me/blocks", params={name: value})
        assert_error(answer, 422, "invalid", name)


@pytest.mark.wires
@pytest.mark.stores
async def test_what_a_blocked_person_writes_is_forbidden_and_they_hear_nothing_of_it(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type="private")
    await ann.say(chat_id, "hi")
    anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
    await anns.drain()
    first = await bobs.done("send_message", chat_id=chat_id, content="hello", client_id="one")
    message_id = first["message"]["id"]
    await bobs.done("typing", chat_id=chat_id, is_typing=True)
    assert [(await anns.next())["type"] for _ in range(2)] == ["new_message", "typing"]
    await bobs.drain()
    await ann.request("PUT", f"/users/{bob.id}/block")
    assert (await anns.next("typing"))["is_typing"] is False
    await bobs.nothing_more()
    for command, fields in (
        ("send_message", {"chat_id": chat_id, "content": "why?"}),
        ("send_message", {"chat_id": chat_id, "content": "why?", "client_id": "two"}),
        ("edit_message", {"message_id": message_id, "content": "bye"}),
        ("typing", {"chat_id": chat_id, "is_typing": True}),
    ):
        refused = await bobs.command(command, **fields)
        assert (refused["type"], refused["code"], refused["retryable"]) == ("error", "forbidden", False)
    again = await bobs.done("send_message", chat_id=chat_id, content="other", client_id="one")
    assert (again["duplicate"], again["message"]) == (True, first["message"])
    await bobs.done("read_messages", chat_id=chat_id)
    assert (await anns.next("messages_read"))["user_id"] == bob.id
    await anns.nothing_more()
    await anns.done("send_message", chat_id=chat_id, content="I may write")
    assert (await bobs.next("new_message"))["message"]["content"] == "I may write"
    await bobs.done("delete_message", message_id=message_id)
    group = {"chat_type": "group", "name": "Room", "member_ids": [ann.id]}
    assert_error(await bob.request("POST", "/chats", json=group), 403, "forbidden")
    room = await bob.chat()
    added = await bob.request("POST", f"/chats/{room}/members", json={"user_id": ann.id})
    assert_error(added, 403, "forbidden")
    await ann.request("DELETE", f"/users/{bob.id}/block")
    await bobs.done("send_message", chat_id=chat_id, content="thanks")
    await bobs.done("typing", chat_id=chat_id, is_typing=True)
    assert (await anns.next("typing"))["is_typing"] is True


async def test_a_block_holds_after_a_restart(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type="private")
    await ann.say(chat_id, "hi")
    await ann.request("PUT", f"/users/{bob.id}/block")
    await server.restart()
    client = await bob.connect()
    for command in ("send_message", "typing"):
        fields = {"content": "x"} if command == "send_message" else {"is_typing": True}
        assert (await client.command(command, chat_id=chat_id, **fields))["code"] == "forbidden"
