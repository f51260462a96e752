"""Files of messages as clients see them: in acks, events, replays, summaries and search."""

from typing import Any

import pytest

from tests.clients.files import send_files, upload
from tests.clients.shapes import MESSAGE, fits
from tests.conftest import Server
from tests.pictures.made import jpeg

pytestmark = [pytest.mark.wires, pytest.mark.stores]


async def test_a_message_has_its_files_wherever_it_is(server: Server) -> None:
    ann, bob, cid = await server.people("ann", "bob", "cid")
    chat_id = await ann.chat(bob, cid)
    anns, bobs, cids = await ann.joined(chat_id), await bob.joined(chat_id), await cid.connect()
    photo, notes = await upload(ann, jpeg(), "photo.jpg"), await upload(ann, b"x", "minutes.txt")
    send = {"chat_id": chat_id, "content": "", "client_id": "once", "attachments": [photo["id"], notes["id"]]}
    ack = await anns.done("send_message", **send)
    message: Any = ack["message"]
    assert fits(message, MESSAGE)
    assert message["attachments"] == [photo, notes]
    assert (await bobs.next("new_message"))["message"] == message
    assert (await cids.update())["last_message"] == message
    again = await anns.done("send_message", **send)
    assert (again["duplicate"], again["message"]) == (True, message)
    ack = await anns.done("edit_message", message_id=message["id"], content="both")
    assert ack["message"]["attachments"] == [photo, notes]
    assert (await bobs.next("message_updated"))["message"] == ack["message"]
    await cids.done("join_chat", chat_id=chat_id, after_seq=0)
    assert (await cids.next("new_message"))["message"] == ack["message"]
    assert (await bob.get("/messages/search", q="minutes"))["messages"] == [ack["message"]]
    assert (await bob.get("/messages/search", has="file"))["messages"] == [ack["message"]]
    await anns.done("delete_message", message_id=message["id"])
    assert (await bobs.next("message_deleted"))["message_id"] == message["id"]
    assert (await bob.get("/messages/search", has="file"))["messages"] == []


async def test_a_message_that_comes_with_its_files_is_an_event_like_any_other(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    bobs = await bob.joined(chat_id)
    _, message = await send_files(ann, chat_id, ("photo.jpg", jpeg()), content="@bob", client_id="x")
    event = await bobs.next("new_message")
    assert (event["message"], event["seq"]) == (message, 1)
    assert (message["mentions"], message["client_id"], message["message_type"]) == ([bob.id], "x", "image")


@pytest.mark.parametrize("attachments", [["unknown"], [1], "x", ["a"] * 11])
async def test_what_is_no_upload_is_invalid(server: Server, attachments: Any) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.connect()
    answer = await client.command("send_message", chat_id=chat_id, content="x", attachments=attachments)
    assert (answer["code"], list(answer["fields"])) == ("invalid", ["attachments"])
    empty = await client.command("send_message", chat_id=chat_id, content="", attachments=[])
    assert (empty["code"], list(empty["fields"])) == ("invalid", ["content"])


async def test_what_the_sender_may_not_attach_is_invalid_and_stays_free(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
    own, used, foreign = await upload(ann, b"1"), await upload(ann, b"2"), await upload(bob, b"3")
    await client.done("send_message", chat_id=chat_id, content="", attachments=[used["id"]])
    await bobs.next("new_message")
    many = [(await upload(ann, b"x"))["id"] for _ in range(10)]
    for refused in (
        [own["id"], foreign["id"]],
        [own["id"], used["id"]],
        [own["id"], own["id"]],
        [own["id"], *many],
        [own["id"], own["id"] + ".t"],
        [own["id"].swapcase()],
    ):
        answer = await client.command(
            "send_message", chat_id=chat_id, content="x", attachments=refused, client_id="refused"
        )
        assert (answer["code"], list(answer["fields"])) == ("invalid", ["attachments"])
    outside = await bob.chat()
    answer = await client.command("send_message", chat_id=outside, content="", attachments=[own["id"]])
    assert answer["code"] == "not_found"
    # What was refused has used neither the upload nor the client_id.
    ack = await client.done(
        "send_message", chat_id=chat_id, content="", attachments=[own["id"]], client_id="refused"
    )
    assert ack["message"]["attachments"] == [own]
    assert (await bobs.next("new_message"))["seq"] == 2
    ack = await client.done("send_message", chat_id=chat_id, content="ten", attachments=many)
    assert [one["id"] for one in ack["message"]["attachments"]] == many


async def test_content_beside_attachments_may_be_empty_and_without_them_not(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.joined(chat_id)
    photo = await upload(ann, jpeg())
    none: tuple[Any, ...] = ([], None)
    for nothing in none:
        answer = await client.command("send_message", chat_id=chat_id, content="", attachments=nothing)
        assert (answer["code"], list(answer["fields"])) == ("invalid", ["content"])
    ack = await client.done("send_message", chat_id=chat_id, content=" \u200b", attachments=[photo["id"]])
    assert ack["message"]["message_type"] == "image"
    await client.done("edit_message", message_id=ack["message"]["id"], content="caption")
    ack = await client.done("edit_message", message_id=ack["message"]["id"], content="")
    assert (ack["message"]["content"], ack["message"]["attachments"]) == ("", [photo])
    again = await client.done("edit_message", message_id=ack["message"]["id"], content="")
    assert again["seq"] == ack["seq"]
    plain = await client.done("send_message", chat_id=chat_id, content="x", attachments=[])
    assert (plain["message"]["message_type"], plain["message"]["attachments"]) == ("text", [])
    answer = await client.command("edit_message", message_id=plain["message"]["id"], content="")
    assert (answer["code"], list(answer["fields"])) == ("invalid", ["content"])
