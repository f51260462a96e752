"""Messages: the answers of REST and the events, and who receives them."""

import asyncio
from typing import Any

import pytest

from tests.clients.clock import ManualClock
from tests.clients.shapes import MESSAGE, assert_error, assert_error_frame, fits
from tests.conftest import Serve, Server


async def test_a_message_over_rest_is_answered_201_and_reaches_the_room(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
    await anns.drain()
    body = {"chat_id": chat_id, "content": "Привет!", "message_type": "text", "client_id": None}
    status, message = await ann.request("POST", "/messages", json=body)
    assert status == 201
    assert fits(message, MESSAGE)
    assert (message["content"], message["sender_id"], message["seq"]) == ("Привет!", ann.id, 1)
    assert (message["changed_seq"], message["edited_at"], message["reply_to"]) == (1, None, None)
    assert (message["reactions"], message["pinned"], message["attachments"]) == ({}, False, [])
    for client in (anns, bobs):
        received = await client.next()
        assert received.keys() == {"type", "chat_id", "message", "seq", "timestamp"}
        assert (received["type"], received["chat_id"], received["seq"]) == ("new_message", chat_id, 1)
        assert received["message"] == message
        await client.nothing_more()
    assert await bob.get(f"/messages/{message['id']}") == message


async def test_send_message_acks_with_the_message_and_the_sender_hears_it_too(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.joined(chat_id)
    ack = await client.command("send_message", chat_id=chat_id, content="hi", client_id="c-1")
    assert ack.keys() == {"type", "id", "ok", "message", "seq", "duplicate"}
    assert (ack["type"], ack["ok"], ack["seq"], ack["duplicate"]) == ("ack", True, 1, False)
    assert fits(ack["message"], MESSAGE)
    assert ack["message"]["client_id"] == "c-1"
    assert (await client.next())["message"] == ack["message"]
    assert await ann.get(f"/messages/{ack['message']['id']}") == ack["message"]


async def test_sending_needs_no_join_and_a_room_reaches_only_who_has_joined(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    not_joined, joined = await ann.connect(), await bob.joined(chat_id)
    await not_joined.done("send_message", chat_id=chat_id, content="hi")
    assert (await joined.next())["type"] == "new_message"
    await not_joined.nothing_more("new_message")


async def test_after_leave_chat_nothing_more_of_the_room_arrives(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
    ack = await bobs.done("leave_chat", chat_id=chat_id)
    assert ack == {"type": "ack", "id": ack["id"], "ok": True, "chat_id": chat_id}
    await ann.say(chat_id, "hi")
    await anns.done("typing", chat_id=chat_id, is_typing=True)
    await anns.done("read_messages", chat_id=chat_id)
    await anns.done("status", status="away")
    await bobs.nothing_more()
    for unknown in (chat_id, 99):
        await bobs.done("leave_chat", chat_id=unknown)


@pytest.mark.stores
async def test_changes_over_rest_reach_the_room_in_seq_order_without_a_hole(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    bobs = await bob.joined(chat_id)

    async def write(number: int) -> None:
        message = await ann.say(chat_id, f"{number}")
        await ann.patch(f"/messages/{message['id']}", content=f"{number}!")
        if number % 2:
            await ann.delete(f"/messages/{message['id']}")

    await asyncio.gather(*(write(number) for number in range(30)))
    frames = await bobs.drain()
    assert [frame["seq"] for frame in frames] == list(range(1, 30 * 2 + 15 + 1))
    page = await bob.get(f"/chats/{chat_id}/messages")
    assert page["head_seq"] == 75
    assert sorted(message["content"] for message in page["messages"]) == sorted(
        f"{n}!" for n in range(0, 30, 2)
    )


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_an_edit_is_published_with_the_whole_message(server: Server, method: str) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    message = await ann.say(chat_id, "first")
    bobs = await bob.joined(chat_id)
    status, edited = await ann.request(method, f"/messages/{message['id']}", json={"content": "second"})
    assert (status, fits(edited, MESSAGE), edited["content"]) == (200, True, "second")
    assert (edited["seq"], edited["changed_seq"], edited["created_at"]) == (1, 2, message["created_at"])
    received = await bobs.next()
    fields = {"type", "chat_id", "message_id", "content", "timestamp", "seq", "edited_at", "message"}
    assert received.keys() == fields
    assert (received["message_id"], received["content"], received["seq"]) == (message["id"], "second", 2)
    assert (received["message"], received["edited_at"]) == (edited, edited["edited_at"])
    await bobs.nothing_more()


@pytest.mark.stores
async def test_an_edit_that_changes_nothing_takes_no_seq_and_sends_nothing(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    message = await ann.say(chat_id, "same")
    client = await ann.joined(chat_id)
    assert await ann.patch(f"/messages/{message['id']}", content="same") == message
    assert (await client.done("edit_message", message_id=message["id"], content="same"))["message"] == message
    await client.nothing_more()
    assert (await ann.say(chat_id, "next"))["seq"] == 2


async def test_a_deletion_is_published_and_the_message_is_gone(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    message = await bob.say(chat_id, "oops")
    bobs = await bob.joined(chat_id)
    assert await ann.request("DELETE", f"/messages/{message['id']}") == (204, None)
    received = await bobs.next()
    assert received.keys() == {"type", "chat_id", "message_id", "timestamp", "seq"}
    assert (received["type"], received["message_id"], received["seq"]) == (
        "message_deleted",
        message["id"],
        2,
    )
    for method, body in (("GET", None), ("PATCH", {"content": "x"}), ("DELETE", None)):
        assert_error(await bob.request(method, f"/messages/{message['id']}", json=body), 404, "not_found")
    frame = await bobs.command("edit_message", message_id=message["id"], content="x")
    assert_error_frame(frame, "not_found", id=frame["id"])
    await bobs.nothing_more()
    assert (await bob.get(f"/chats/{chat_id}/messages"))["messages"] == []


async def test_edit_and_delete_on_a_socket_do_as_over_rest(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
    message = (await bobs.done("send_message", chat_id=chat_id, content="one"))["message"]
    edited = await bobs.done("edit_message", message_id=message["id"], content="two")
    assert edited["message"]["content"] == "two"
    frame = await anns.command("edit_message", message_id=message["id"], content="three")
    assert_error_frame(frame, "forbidden", id=frame["id"])
    await anns.done("delete_message", message_id=message["id"])
    for client in (anns, bobs):
        types = [frame["type"] for frame in await client.drain() if not frame["type"].startswith("user_")]
        assert types == ["new_message", "message_updated", "message_deleted"]


async def test_a_reply_names_a_message_of_the_same_chat(server: Server) -> None:
    ann = await server.person("ann")
    chat_id, elsewhere = await ann.chat(), await ann.chat()
    first, other = await ann.say(chat_id, "first"), await ann.say(elsewhere, "other")
    assert (await ann.say(chat_id, "reply", reply_to=first["id"]))["reply_to"] == first["id"]
    for reply_to in (other["id"], 99, 0, "1", True):
        body: dict[str, Any] = {"chat_id": chat_id, "content": "reply", "reply_to": reply_to}
        assert_error(await ann.request("POST", "/messages", json=body), 422, "invalid", "reply_to")
    await ann.delete(f"/messages/{first['id']}")
    page = await ann.get(f"/chats/{chat_id}/messages")
    assert [message["reply_to"] for message in page["messages"]] == [first["id"]]


@pytest.mark.stores
@pytest.mark.wires
async def test_a_reply_may_be_to_a_message_deleted_meanwhile(server: Server) -> None:
    """At every gate; a message deleted in another chat, or one that never was, is still no message of this chat."""
    ann, bob = await server.people("ann", "bob")
    chat_id, elsewhere = await ann.chat(bob), await ann.chat(bob)
    gone, other = await ann.say(chat_id, "gone"), await ann.say(elsewhere, "other")
    for message in (gone, other):
        await ann.delete(f"/messages/{message['id']}")
    watcher, client = await ann.joined(chat_id), await bob.connect()
    reply = {"chat_id": chat_id, "content": "reply"}
    ack = await client.done("send_message", reply_to=gone["id"], client_id="c", **reply)
    assert ack["message"]["reply_to"] == gone["id"]
    assert (await watcher.next("new_message"))["message"]["reply_to"] == gone["id"]
    assert (await bob.post("/messages", reply_to=gone["id"], **reply))["reply_to"] == gone["id"]
    for reply_to in (other["id"], other["id"] + 999_999):
        answer = await client.command("send_message", reply_to=reply_to, **reply)
        assert_error_frame(answer, "invalid", "reply_to", id=answer["id"])
        body = {**reply, "reply_to": reply_to}
        assert_error(await bob.request("POST", "/messages", json=body), 422, "invalid", "reply_to")
    # Everything else that names a deleted message goes on, too.
    ack = await client.done("read_messages", chat_id=chat_id, up_to=gone["id"])
    assert (ack["up_to"], ack["unread_count"]) == (gone["id"], 0)
    for name in ("before", "after", "around"):
        await bob.get(f"/chats/{chat_id}/messages", **{name: str(gone["id"])})
    for name, more in (("edit_message", {"content": "x"}), ("delete_message", {})):
        assert (await client.command(name, message_id=gone["id"], **more))["code"] == "not_found"


@pytest.mark.stores
@pytest.mark.parametrize(
    "content", ["x", "x" * 10_000, "🙂" * 10_000, " \t x ", "x\x00", "\u2028x\n", '<script>"']
)
async def test_content_is_1_to_10000_characters_and_comes_back_as_it_was(
    server: Server, content: str
) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.joined(chat_id)
    assert (await client.done("send_message", chat_id=chat_id, content=content))["message"][
        "content"
    ] == content
    assert (await client.next("new_message"))["message"]["content"] == content
    page = await ann.get(f"/chats/{chat_id}/messages")
    assert [message["content"] for message in page["messages"]] == [content]


@pytest.mark.parametrize(
    "content", ["", " ", "\u200b\u2060", "x" * 10_001, 7, None, ["x"], "\ud800", "a\udfffb"]
)
async def test_other_content_is_invalid_at_both_gates(server: Server, content: Any) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.joined(chat_id)
    body = {"chat_id": chat_id, "content": content}
    assert_error(await ann.request("POST", "/messages", json=body), 422, "invalid", "content")
    frame = await client.command("send_message", **body)
    assert_error_frame(frame, "invalid", "content", id=frame["id"])
    await client.nothing_more()


@pytest.mark.parametrize("message_type", ["image", "file", "system", "other", 7])
async def test_text_is_the_only_type_that_clients_send(server: Server, message_type: Any) -> None:
    ann = await server.person("ann")
    body = {"chat_id": await ann.chat(), "content": "x", "message_type": message_type}
    assert_error(await ann.request("POST", "/messages", json=body), 422, "invalid", "message_type")


async def test_messages_of_a_user_are_limited_and_the_limit_says_when(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client, other = await ann.connect(), await bob.connect()
    for number in range(501):
        frame = {"type": "send_message", "chat_id": chat_id, "content": "x", "id": number}
        await client.send(frame)
    assert_error_frame(refused := await client.next("error"), "rate_limited", id=500)
    assert refused["retry_after_ms"] == 20
    assert len([await client.answer_to(number) for number in range(500)]) == 500
    body = {"chat_id": chat_id, "content": "x"}
    assert_error(await ann.request("POST", "/messages", json=body), 429, "rate_limited")
    await other.done("send_message", **body)
    server.clock.advance(0.02)
    await client.done("send_message", **body)
    assert (await client.command("send_message", **body))["code"] == "rate_limited"
