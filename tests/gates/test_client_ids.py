"""`client_id` makes a send idempotent without a time limit."""

import asyncio
from typing import Any

import pytest

from tests.clients.shapes import assert_error, assert_error_frame
from tests.conftest import Server


@pytest.mark.stores
async def test_a_repeat_is_answered_with_the_same_message_and_no_event(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.joined(chat_id)
    body = {"chat_id": chat_id, "content": "once", "client_id": "c-1"}
    status, message = await ann.request("POST", "/messages", json=body)
    assert (status, message["client_id"]) == (201, "c-1")
    assert await ann.request("POST", "/messages", json={**body, "content": "other"}) == (200, message)
    ack = await client.done("send_message", **{**body, "content": "third"})
    assert (ack["message"], ack["seq"], ack["duplicate"]) == (message, 1, True)
    assert [frame["seq"] for frame in await client.drain()] == [1]
    await server.restart()
    assert await ann.request("POST", "/messages", json=body) == (200, message)


async def test_a_repeat_shows_the_message_as_it_is_now(server: Server) -> None:
    ann = await server.person("ann")
    body = {"chat_id": await ann.chat(), "content": "once", "client_id": "c-1"}
    message = await ann.post("/messages", **body)
    edited = await ann.patch(f"/messages/{message['id']}", content="edited")
    assert await ann.request("POST", "/messages", json=body) == (200, edited)


async def test_another_sender_has_client_ids_of_their_own(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    body = {"chat_id": chat_id, "content": "hi", "client_id": "c-1"}
    answers = [await person.request("POST", "/messages", json=body) for person in (ann, bob)]
    assert [status for status, _ in answers] == [201, 201]
    assert [message["seq"] for _, message in answers] == [1, 2]


@pytest.mark.stores
async def test_in_another_chat_it_is_a_conflict(server: Server) -> None:
    ann = await server.person("ann")
    first, second = await ann.chat(), await ann.chat()
    client = await ann.joined(second)
    await ann.say(first, "hi", client_id="c-1")
    body = {"chat_id": second, "content": "hi", "client_id": "c-1"}
    assert_error(await ann.request("POST", "/messages", json=body), 409, "conflict", "client_id")
    frame = await client.command("send_message", **body)
    assert_error_frame(frame, "conflict", "client_id", id=frame["id"])
    await client.nothing_more("new_message")


@pytest.mark.stores
async def test_of_a_deleted_message_it_is_not_found_and_never_a_new_one(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    body = {"chat_id": chat_id, "content": "hi", "client_id": "c-1"}
    message = await ann.post("/messages", **body)
    await ann.delete(f"/messages/{message['id']}")
    client = await ann.joined(chat_id)
    assert_error(await ann.request("POST", "/messages", json=body), 404, "not_found")
    assert (await client.command("send_message", **body))["code"] == "not_found"
    await client.nothing_more()
    assert (await ann.get(f"/chats/{chat_id}"))["seq"] == 2


@pytest.mark.stores
async def test_many_at_once_make_one_message(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.joined(chat_id)
    body = {"chat_id": chat_id, "content": "hi", "client_id": "c-1"}
    for number in range(20):
        await client.send({"type": "send_message", "id": number, **body})
    over_rest = await asyncio.gather(*(ann.request("POST", "/messages", json=body) for _ in range(20)))
    acks = [await client.answer_to(number) for number in range(20)]
    duplicates = [ack["duplicate"] for ack in acks] + [status == 200 for status, _ in over_rest]
    assert duplicates.count(False) == 1
    messages = [ack["message"] for ack in acks] + [message for _, message in over_rest]
    assert all(message == messages[0] for message in messages)
    assert [frame["type"] for frame in await client.drain()] == ["new_message"]


@pytest.mark.parametrize("client_id", ["x", "x" * 64, "ключ 🙂", "a#b", "\n"])
async def test_1_to_64_characters_will_do(server: Server, client_id: str) -> None:
    ann = await server.person("ann")
    message = await ann.say(await ann.chat(), "hi", client_id=client_id)
    assert message["client_id"] == client_id


@pytest.mark.parametrize("client_id", ["", "x" * 65, "#x", "#", 7, ["x"], "\ud800"])
async def test_others_are_invalid(server: Server, client_id: Any) -> None:
    ann = await server.person("ann")
    body = {"chat_id": await ann.chat(), "content": "hi", "client_id": client_id}
    assert_error(await ann.request("POST", "/messages", json=body), 422, "invalid", "client_id")
    frame = await (await ann.connect()).command("send_message", **body)
    assert_error_frame(frame, "invalid", "client_id", id=frame["id"])


async def test_a_client_id_that_is_null_is_absent(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    for _ in range(2):
        assert "client_id" not in await ann.say(chat_id, "hi", client_id=None)
    assert len((await ann.get(f"/chats/{chat_id}/messages"))["messages"]) == 2
