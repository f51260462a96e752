"""Files that are sent: what is answered, attached, refused, and what stays."""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, FormData

from storage.errors import Unavailable
from tests.clients.admins import make_admin
from tests.clients.clock import ManualClock
from tests.clients.files import fetch, form, send_files, try_upload, upload
from tests.conftest import Serve, Server
from tests.patience import within
from tests.pictures.made import SECRETS, jpeg, picture, png, saved


def kept_files(server: Server) -> list[Path]:
    """The files of a server on SQLite that are on its disk."""
    folder = server.config.data_dir / "uploads"
    return [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


async def no_files(server: Server) -> None:
    """Returns when the disk has no file any more."""
    async with within(5):
        while kept_files(server):
            await asyncio.sleep(0.01)


@pytest.mark.stores
async def test_an_upload_says_what_it_is(server: Server) -> None:
    ann = await server.person("ann")
    text = await upload(ann, "привет".encode(), "../заметки.txt")
    assert text.pop("url").startswith(f"/api/uploads/{text['id']}?")
    assert text == {
        "id": text["id"],
        "name": "заметки.txt",
        "content_type": "text/plain",
        "size": 12,
    }
    photo = await upload(ann, jpeg(6), "photo.png")
    assert (photo["content_type"], photo["width"], photo["height"]) == ("image/jpeg", 60, 80)
    assert photo["thumbnail_url"].startswith(f"/api/uploads/{photo['id']}/thumbnail?")
    _, served = await fetch(ann, photo["url"])
    assert photo["size"] == len(served)
    for secret in SECRETS:
        assert secret not in served


@pytest.mark.stores
async def test_a_message_has_its_files_in_the_order_of_the_sender(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await bob.joined(chat_id)
    uploads = [await upload(ann, png(), "1.png"), await upload(ann, b"x", "2.txt")]
    ids = [one["id"] for one in uploads][::-1]
    sent = await ann.say(chat_id, "", attachments=ids)
    assert sent["message_type"] == "file"
    assert [one["id"] for one in sent["attachments"]] == ids
    assert sorted(sent["attachments"], key=lambda one: one["name"]) == uploads
    event = await client.next("new_message")
    assert event["message"]["attachments"] == sent["attachments"]
    page = await bob.get(f"/chats/{chat_id}/messages")
    assert page["messages"] == [sent]
    edited = await ann.patch(f"/messages/{sent['id']}", content="both")
    assert edited["attachments"] == sent["attachments"]
    assert (await ann.patch(f"/messages/{sent['id']}", content=""))["content"] == ""
    (chat,) = (await bob.get("/chats"))["chats"]
    assert chat["last_message"]["attachments"] == sent["attachments"]


async def test_a_message_with_pictures_alone_is_an_image(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    status, message = await send_files(ann, chat_id, ("a.jpg", jpeg()), ("b.png", png()), content="two")
    assert (status, message["message_type"], message["content"]) == (201, "image", "two")
    assert [one["name"] for one in message["attachments"]] == ["a.jpg", "b.png"]
    client = await ann.joined(chat_id)
    one = await upload(ann, jpeg())
    ack = await client.command("send_message", chat_id=chat_id, content="", attachments=[one["id"]])
    assert ack["ok"] is True
    assert ack["message"]["message_type"] == "image"


@pytest.mark.parametrize(
    "attachments",
    [["unknown"], ["../x"], ["x"] * 11, [1], "x", {}, [None]],
    ids=lambda value: repr(value)[:20],
)
async def test_what_is_no_free_upload_of_the_sender_is_invalid(server: Server, attachments: Any) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    status, body = await ann.request(
        "POST", "/messages", json={"chat_id": chat_id, "content": "x", "attachments": attachments}
    )
    assert (status, list(body["error"]["fields"])) == (422, ["attachments"])


@pytest.mark.stores
async def test_an_upload_goes_into_one_message_of_its_sender(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    one = await upload(ann, b"x")
    for person, ids in ((bob, [one["id"]]), (ann, [one["id"]] * 2)):
        body = {"chat_id": chat_id, "content": "x", "attachments": ids}
        status, _ = await person.request("POST", "/messages", json=body)
        assert status == 422
    await ann.say(chat_id, "", attachments=[one["id"]])
    body = {"chat_id": chat_id, "content": "", "attachments": [one["id"]]}
    assert (await ann.request("POST", "/messages", json=body))[0] == 422


async def test_a_repeat_is_answered_before_its_files_are_looked_at(serve: Serve) -> None:
    server = await serve(upload_quota_bytes=100)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    status, first = await send_files(ann, chat_id, ("a.txt", b"x" * 60), client_id="once")
    assert status == 201
    await upload(ann, b"x" * 40)  # nothing is left of the quota
    for content in (b"x" * 60, b"", jpeg()[:500]):
        status, again = await send_files(ann, chat_id, ("a.txt", content), client_id="once")
        assert (status, again["id"]) == (200, first["id"])
    status, again = await ann.request(
        "POST",
        "/messages",
        json={"chat_id": chat_id, "content": "", "attachments": ["gone"], "client_id": "once"},
    )
    assert (status, again["id"]) == (200, first["id"])
    assert len(kept_files(server)) == 2
    other = await ann.chat()
    assert (await send_files(ann, other, ("a.txt", b"x"), client_id="once"))[0] == 409


async def test_of_a_refused_message_nothing_stays(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id, channel = await ann.chat(bob), await ann.chat(bob, chat_type="channel")
    refused: list[tuple[Any, int]] = [
        (form(("a.txt", b"x"), ("b.jpg", jpeg()[:300]), chat_id=chat_id), 422),
        (form(*[("a.txt", b"x")] * 11, chat_id=chat_id), 422),
        (form(("a.txt", b"x"), chat_id=chat_id, reply_to=4711), 422),
        (form(("a.txt", b"x"), chat_id=chat_id, content="x" * 10_001), 422),
        (form(("a.txt", b"x"), chat_id="one"), 422),
        (form(("a.txt", b"x")), 422),
        (form(chat_id=chat_id, content="no file"), 422),
        (form(("a.txt", b"x"), chat_id=4711), 404),
        (form(("a.txt", b"x"), chat_id=channel), 403),
    ]
    late = form(("a.txt", b"x"), chat_id=chat_id)
    late.add_field("content", "late")
    refused.append((late, 422))
    for data, expected in refused:
        status, body = await bob.request("POST", "/messages/upload", data=data)
        assert status == expected, body
    await no_files(server)
    assert (await bob.get(f"/chats/{chat_id}/messages"))["messages"] == []


async def test_a_message_with_files_answers_a_deleted_one(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    gone = await ann.say(chat_id, "x")
    await ann.delete(f"/messages/{gone['id']}")
    status, sent = await send_files(ann, chat_id, ("a.txt", b"x"), reply_to=gone["id"], client_id="once")
    assert (status, sent["reply_to"], sent["content"]) == (201, gone["id"], "")
    await ann.delete(f"/messages/{sent['id']}")
    assert (await send_files(ann, chat_id, ("a.txt", b"x"), client_id="once"))[0] == 404
    await no_files(server)


async def test_a_form_says_what_is_wrong_with_it(server: Server) -> None:
    ann = await server.person("ann")
    status, body = await ann.request("POST", "/uploads", data=form(other="x"))
    assert (status, body["error"]["fields"]) == (422, {"file": "is required"})
    status, body = await ann.request("POST", "/uploads", data=form(("a", b"x"), ("b", b"y")))
    assert (status, body["error"]["fields"]) == (422, {"file": "is given more than once"})
    assert (await ann.request("POST", "/uploads", json={"file": "x"}))[0] == 415
    assert (await ann.request("POST", "/uploads"))[0] == 415
    assert (await server.stranger().request("POST", "/uploads", data=form(("a", b"x"))))[0] == 401
    await no_files(server)
    fields = form(("a.txt", b"x"), unknown="x", more="y")
    assert (await ann.request("POST", "/uploads", data=fields))[0] == 201


async def test_what_is_too_large_is_refused_before_it_is_read(serve: Serve) -> None:
    server = await serve(max_upload_bytes=100_000, upload_quota_bytes=150_000)
    ann = await server.person("ann")
    about = await ann.get("/server")
    assert (about["max_upload_bytes"], about["upload_quota_bytes"]) == (100_000, 150_000)
    for size in (100_001, 400_000):
        status, body = await try_upload(ann, b"x" * size)
        assert (status, body["error"]["code"]) == (413, "too_large")
    await upload(ann, b"x" * 100_000)
    status, body = await try_upload(ann, b"x" * 50_001)
    assert (status, body["error"]["code"]) == (413, "too_large")
    await upload(ann, b"x" * 50_000)
    assert (await try_upload(ann, b"x"))[0] == 413
    bob = await server.person("bob")
    await upload(bob, b"x" * 100_000)
    assert len(kept_files(server)) == 3


async def test_uploads_at_once_do_not_exceed_the_quota(serve: Serve) -> None:
    server = await serve(upload_quota_bytes=50_000)
    ann = await server.person("ann")
    outcomes = await asyncio.gather(*(try_upload(ann, b"x" * 10_000) for _ in range(12)))
    assert sorted(status for status, _ in outcomes) == [201] * 5 + [413] * 7
    assert len(kept_files(server)) == 5


async def test_uploads_per_minute_are_limited(serve: Serve) -> None:
    server = await serve(uploads_per_min=3)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat()
    await upload(ann, b"x")
    assert (await send_files(ann, chat_id, ("a", b"x"), ("b", b"x")))[0] == 201
    status, body = await try_upload(ann, b"x")
    assert (status, body["error"]["code"]) == (429, "rate_limited")
    assert body["error"]["retry_after_ms"] > 0
    await upload(bob, b"x")


async def test_a_picture_that_is_broken_or_too_large_is_invalid(serve: Serve) -> None:
    server = await serve(max_image_pixels=80 * 60)
    ann = await server.person("ann")
    await upload(ann, jpeg())
    for content in (jpeg()[:700], saved(picture(81, 60), "PNG"), b"GIF89a<script>"):
        status, body = await try_upload(ann, content)
        assert (status, list(body["error"]["fields"])) == (422, ["file"])
    assert len(kept_files(server)) == 2


async def test_the_files_of_a_deleted_message_are_gone_from_the_disk(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    _, message = await send_files(ann, chat_id, ("a.jpg", jpeg()), ("b.txt", b"x"))
    assert len(kept_files(server)) == 3
    url = message["attachments"][0]["url"]
    await ann.delete(f"/messages/{message['id']}")
    assert (await fetch(ann, url))[0].status == 404
    await no_files(server)
    await send_files(ann, chat_id, ("a.jpg", jpeg()))
    await ann.delete(f"/chats/{chat_id}")
    await no_files(server)


async def test_an_upload_that_no_message_has_expires(serve: Serve) -> None:
    clock = ManualClock()
    server = await serve(clock=clock, upload_ttl_s=3600)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    await upload(ann, b"x" * 100)
    attached = await upload(ann, b"y")
    await ann.say(chat_id, "", attachments=[attached["id"]])
    clock.advance(3000)
    assert len(kept_files(server)) == 2
    clock.advance(900)
    async with within(5):
        while len(kept_files(server)) > 1:
            await asyncio.sleep(0.01)
    assert (await fetch(ann, attached["url"]))[0].status == 200


async def test_bytes_that_nobody_knows_are_deleted_at_the_start(server: Server) -> None:
    """And what was being written when the server was killed."""
    ann = await server.person("ann")
    await upload(ann, b"x")
    (known,) = kept_files(server)
    files: Any = server.chat_app.context.store.files
    old: Path = files.place("A" * 22)
    old.parent.mkdir(exist_ok=True)
    old.write_bytes(b"left by a crash")
    half = server.config.data_dir / "uploads" / "new" / "half"
    half.write_bytes(b"left by a crash")
    moments_ago = time.time() - 2
    os.utime(old, (moments_ago, moments_ago))
    os.utime(known, (moments_ago, moments_ago))
    await server.restart()
    async with within(5):
        while old.exists() or half.exists():
            await asyncio.sleep(0.01)
    assert kept_files(server) == [known]


async def test_statistics_have_the_bytes_of_uploads(serve: Serve) -> None:
    server = await serve()
    ann = await server.person("ann")
    await upload(ann, b"x" * 1234)
    await make_admin(server.chat_app, ann.id)
    assert (await ann.get("/admin/stats"))["uploads_bytes"] == 1234


async def test_without_room_on_the_disk_a_file_is_unavailable(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()

    async def no_room() -> Any:
        raise Unavailable("no room", "full")

    monkeypatch.setattr(server.chat_app.context.store.files, "begin", no_room)
    for content in (b"x", jpeg()):
        status, body = await try_upload(ann, content)
        assert (status, body["error"]["code"]) == (503, "unavailable")

    def no_spool(*_: object) -> Any:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("handlers.files.spool.Spools._open", no_spool)
    status, body = await try_upload(ann, jpeg())
    assert (status, body["error"]["code"]) == (503, "unavailable")
    assert (await send_files(ann, chat_id, ("a", b"x")))[0] == 503
    assert server.chat_app.files.counts.refusals["unavailable"] == 4
    assert (await ann.say(chat_id, "text goes on"))["seq"] == 1


async def test_bytes_of_an_upload_that_may_be_there_stay_until_that_is_known(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await server.person("ann")
    uploads = server.chat_app.context.store.uploads
    create = uploads.create

    async def unconfirmed(*arguments: Any, **options: Any) -> None:
        await create(*arguments, **options)
        raise Unavailable("no answer", "unconfirmed")

    monkeypatch.setattr(uploads, "create", unconfirmed)
    assert (await try_upload(ann, b"x"))[0] == 503
    (kept,) = kept_files(server)
    assert (await fetch(ann, f"/api/uploads/{kept.name}", token=ann.token))[1] == b"x"


async def test_bytes_of_an_upload_that_could_not_be_added_go_at_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the next file needs their room."""
    ann = await server.person("ann")
    chat_id = await ann.chat()

    async def no_room(*_arguments: Any, **_options: Any) -> None:
        raise Unavailable("no room", "full")

    monkeypatch.setattr(server.chat_app.context.store.uploads, "create", no_room)
    assert (await try_upload(ann, jpeg()))[0] == 503
    assert (await send_files(ann, chat_id, ("a", b"x"), ("b", jpeg())))[0] == 503
    assert kept_files(server) == []


async def test_whoever_is_banned_while_they_send_gets_nothing(server: Server) -> None:
    ann, root = await server.people("ann", "root")
    await make_admin(server.chat_app, root.id)
    may_end = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"x" * 10_000
        await may_end.wait()
        yield b"y"

    data = FormData()
    data.add_field("file", slowly(), filename="a")
    sending = asyncio.create_task(ann.request("POST", "/uploads", data=data))
    async with within(5):
        while not server.chat_app.files.counts.receiving:
            await asyncio.sleep(0.01)
    await root.patch(f"/admin/users/{ann.id}", banned=True)
    may_end.set()
    assert (await sending)[0] == 403
    await no_files(server)


async def test_a_stop_in_the_middle_of_a_file_leaves_nothing(serve: Serve) -> None:
    server = await serve(shutdown_timeout_s=4)
    ann = await server.person("ann")

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 10_000
            await asyncio.sleep(0.01)

    data = FormData()
    data.add_field("file", endless(), filename="a")
    sending = asyncio.create_task(ann.request("POST", "/uploads", data=data))
    async with within(5):
        while not server.chat_app.files.counts.received_bytes:
            await asyncio.sleep(0.01)
    async with within(6):
        await server.stop()
    with pytest.raises(ClientError):
        await sending
    assert kept_files(server) == []
    await server.start()
    await upload(ann, b"x")
