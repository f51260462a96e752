"""Files that are got: by link and by token, in ranges, with the headers that keep browsers from running them."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from aiohttp import ClientError

from domain.refusals import NotFound
from storage.errors import Unavailable
from tests.clients.clock import ManualClock
from tests.clients.files import fetch, send_files, upload
from tests.clients.people import Person
from tests.conftest import Serve, Server
from tests.pictures.made import jpeg, png

HOUR_S = 3600
BODY = bytes(range(256)) * 2000
"""512,000 bytes: more than a piece."""


@pytest.fixture
async def ann(server: Server) -> Person:
    return await server.person("ann")


async def test_a_link_is_the_same_for_everybody_and_needs_no_token(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    await send_files(ann, chat_id, ("a.bin", BODY))
    links = {
        (await person.get(f"/chats/{chat_id}/messages"))["messages"][0]["attachments"][0]["url"]
        for person in (ann, bob)
    }
    (link,) = links
    answer, body = await fetch(server.stranger(), link)
    assert (answer.status, body) == (200, BODY)
    assert "token" not in link


async def test_a_link_is_good_for_a_day_and_not_for_two(serve: Serve) -> None:
    clock = ManualClock()
    server = await serve(clock=clock, upload_ttl_s=10**6)
    ann = await server.person("ann")
    photo = await upload(ann, jpeg())
    for path in (photo["url"], photo["thumbnail_url"]):
        expires = int(parse_qs(urlsplit(path).query)["expires"][0])
        assert 24 * HOUR_S <= expires - clock.unix_s() <= 36 * HOUR_S
    clock.advance(24 * HOUR_S - 1)
    assert (await fetch(ann, photo["url"]))[0].status == 200
    clock.advance(13 * HOUR_S)
    for path in (photo["url"], photo["thumbnail_url"]):
        answer, body = await fetch(ann, path)
        assert (answer.status, b"forbidden" in body) == (403, True)
    await ann.login("ann")
    fresh = await ann.get(f"/uploads/{photo['id']}/urls")
    assert set(fresh) == {"url", "thumbnail_url"}
    for path in fresh.values():
        assert (await fetch(ann, path))[0].status == 200


async def test_a_wrong_signature_is_forbidden(server: Server, ann: Person) -> None:
    photo, other = await upload(ann, jpeg()), await upload(ann, b"x")
    url, thumbnail = urlsplit(photo["url"]), urlsplit(photo["thumbnail_url"])
    query = parse_qs(url.query)
    expires, signature = query["expires"][0], query["signature"][0]
    wrong = [
        f"{url.path}?{thumbnail.query}",
        f"{thumbnail.path}?{url.query}",
        f"/api/uploads/{other['id']}?{url.query}",
        f"{url.path}?expires={int(expires) + 1}&signature={signature}",
        f"{url.path}?expires={expires}&signature={signature[:-1]}",
        f"{url.path}?expires={expires}&signature={'A' * 43}",
        f"{url.path}?expires={expires}&signature={quote('ы' * 43)}",
        f"{url.path}?expires={expires}",
        f"{url.path}?signature={signature}",
        f"{url.path}?expires=0{expires}&signature={signature}",
        f"{url.path}?expires=&signature=",
        f"/api/uploads/unknown?{url.query}",
    ]
    for path in wrong:
        for token in (None, ann.token):
            assert (await fetch(ann, path, token=token))[0].status == 403, path


async def test_without_a_link_it_takes_the_token_of_a_member(server: Server, ann: Person) -> None:
    bob, eve = await server.people("bob", "eve")
    chat_id = await ann.chat(bob)
    photo = await upload(ann, jpeg())
    path = f"/api/uploads/{photo['id']}"
    paths = (path, f"{path}/thumbnail", f"{path}/urls")

    async def statuses(person: Person) -> set[int]:
        return {(await fetch(person, each, token=person.token))[0].status for each in paths}

    assert [await statuses(person) for person in (ann, bob, eve)] == [{200}, {404}, {404}]
    message = await ann.say(chat_id, "", attachments=[photo["id"]])
    assert [await statuses(person) for person in (ann, bob, eve)] == [{200}, {200}, {404}]
    assert (await fetch(ann, path))[0].status == 401
    assert (await fetch(ann, f"{path}?token={ann.token}"))[0].status == 401
    await ann.delete(f"/chats/{chat_id}/members/{bob.id}")
    assert await statuses(bob) == {404}
    await ann.delete(f"/messages/{message['id']}")
    assert await statuses(ann) == {404}


@pytest.mark.stores
@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 512_000),
        ("bytes=300000-300009", 300_000, 300_010),
        ("bytes=511999-", 511_999, 512_000),
        ("bytes=-10", 511_990, 512_000),
        ("bytes=-9999999", 0, 512_000),
        ("bytes=10-9999999", 10, 512_000),
        ("bytes=10-1" + "0" * 30, 10, 512_000),
        ("bytes=-1" + "0" * 5000, 0, 512_000),
        ("Bytes=5-" + "0" * 30 + "6", 5, 7),
    ],
)
async def test_a_range(ann: Person, asked: str, start: int, stop: int) -> None:
    file = await upload(ann, BODY)
    answer, body = await fetch(ann, file["url"], Range=asked)
    assert (answer.status, body) == (206, BODY[start:stop])
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/512000"
    assert answer.headers["Content-Length"] == str(stop - start)
    answer, body = await fetch(ann, file["url"], method="HEAD", Range=asked)
    assert (answer.status, body, answer.headers["Content-Length"]) == (206, b"", str(stop - start))


async def test_ranges_that_are_not_there_and_those_that_mean_nothing(ann: Person) -> None:
    file = await upload(ann, b"0123456789")
    huge = "1" + "0" * 30
    for asked in ("bytes=10-", "bytes=99-100", "bytes=-0", f"bytes={huge}-", f"bytes={huge}-{huge}"):
        answer, _ = await fetch(ann, file["url"], Range=asked)
        assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */10"), asked
    for asked in (
        "bytes=5-4",
        "bytes=-",
        "lines=1-2",
        "bytes=0-1,3-4",
        "bytes=a-b",
        "bytes=1" + "0" * 30 + "-5",
    ):
        answer, body = await fetch(ann, file["url"], Range=asked)
        assert (answer.status, body) == (200, b"0123456789"), asked
    empty = await upload(ann, b"")
    assert (await fetch(ann, empty["url"]))[1] == b""
    assert (await fetch(ann, empty["url"], Range="bytes=0-"))[0].status == 416


async def test_caches_know_the_file_again(ann: Person) -> None:
    file = await upload(ann, b"0123456789")
    answer, _ = await fetch(ann, file["url"])
    tag = answer.headers["ETag"]
    assert answer.headers["Cache-Control"].startswith("private")
    for condition in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer, body = await fetch(ann, file["url"], If_None_Match=condition)
        assert (answer.status, body, answer.headers["ETag"]) == (304, b"", tag)
    assert (await fetch(ann, file["url"], If_None_Match='"x"'))[0].status == 200
    assert (await fetch(ann, file["url"], Range="bytes=0-1", If_Range=tag))[0].status == 206
    assert (await fetch(ann, file["url"], Range="bytes=0-1", If_Range='"x"'))[0].status == 200


async def test_head_says_what_get_sends(ann: Person) -> None:
    photo = await upload(ann, jpeg(), "photo.jpg")
    for path in (photo["url"], photo["thumbnail_url"]):
        got, body = await fetch(ann, path)
        head, nothing = await fetch(ann, path, method="HEAD")
        assert nothing == b""
        assert int(head.headers["Content-Length"]) == len(body)
        for name in ("Content-Type", "Content-Disposition", "ETag", "Accept-Ranges", "Cache-Control"):
            assert head.headers[name] == got.headers[name]


INLINE = {
    "image/jpeg": jpeg(),
    "image/png": png(),
    "video/mp4": b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41" + b"\0" * 50,
    "audio/mpeg": b"ID3\x03" + b"\0" * 50,
    "audio/ogg": b"OggS\0\x02" + b"\0" * 20 + b"\x01\x13OpusHead",
    "video/webm": b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm" + b"\0" * 50,
}
SAVED = {
    "text/html": b"<!doctype html><script>alert(1)</script>",
    "image/svg+xml": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "application/xml": b"<?xml version='1.0'?><x:script xmlns:x='http://www.w3.org/1999/xhtml'/>",
    "application/pdf": b"%PDF-1.7\n1 0 obj",
    "text/plain": b"alert(1)",
    "application/zip": b"PK\x03\x04" + b"\0" * 30,
    "image/heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "image/tiff": b"II*\0\x08\0\0\0" + b"\0" * 50,
    "application/octet-stream": bytes(range(256)),
}


@pytest.mark.parametrize("content_type", [*INLINE, *SAVED])
async def test_the_content_decides_how_a_file_is_served(ann: Person, content_type: str) -> None:
    content = {**INLINE, **SAVED}[content_type]
    for name in ("a.html", "a.png", "a"):
        file = await upload(ann, content, name)
        answer, _ = await fetch(ann, file["url"])
        assert file["content_type"] == answer.headers["Content-Type"] == content_type
        kind = "inline" if content_type in INLINE else "attachment"
        assert answer.headers["Content-Disposition"].startswith(f"{kind}; ")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert {"sandbox", "default-src 'none'"} <= set(policy)
        assert not any(part.startswith(("script-src", "sandbox ")) for part in policy)


@pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionHeader")
async def test_the_name_goes_into_the_header_as_it_is_and_as_ascii(ann: Person) -> None:
    file = await upload(ann, b"x", "отчёт \"1\"; x='y'.txt")
    answer, _ = await fetch(ann, file["url"])
    found = re.fullmatch(
        r"attachment; filename=\"([A-Za-z0-9._ -]+)\"; filename\*=UTF-8''([\w%.~-]+)",
        answer.headers["Content-Disposition"],
        re.ASCII,
    )
    assert found
    assert file["name"] == "отчёт \"1\"; x='y'.txt"
    assert found[2] == quote(file["name"], safe="")


async def test_pages_of_other_origins_may_read_files(ann: Person) -> None:
    file = await upload(ann, b"x")
    answer, _ = await fetch(ann, file["url"], Origin="https://chat.example.org")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://chat.example.org"
    assert "Content-Range" in answer.headers["Access-Control-Expose-Headers"]


async def test_a_peer_that_stops_reading_is_cut_off_and_others_are_served(
    server: Server, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.files.file_body.STALL_TIMEOUT_S", 0.3)
    file = await upload(ann, b"x" * 20_000_000)
    split = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(split.hostname, split.port, limit=1024)
    writer.write(f"GET {file['url']} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await writer.drain()
    await asyncio.sleep(1)
    assert (await fetch(ann, (await upload(ann, b"y"))["url"]))[1] == b"y"
    received = 0
    try:
        while data := await reader.read(100_000):
            received += len(data)
    except ConnectionError:
        pass
    assert received < 20_000_000
    writer.close()


async def test_a_file_whose_bytes_are_gone_is_not_found(server: Server, ann: Person) -> None:
    file = await upload(ann, b"x" * 1000)
    files: Any = server.chat_app.context.store.files
    await files.delete([file["id"]])
    assert (await fetch(ann, file["url"]))[0].status == 404


@pytest.mark.parametrize("error", [None, Unavailable("the disk fails", "failing"), NotFound("file")])
async def test_an_answer_whose_file_ends_too_early_is_broken(
    server: Server, ann: Person, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    file = await upload(ann, BODY)

    async def read(*_: Any) -> AsyncIterator[bytes]:
        yield BODY[:1000]
        if error is not None:
            raise error

    monkeypatch.setattr(server.chat_app.context.store.files, "read", read)
    with pytest.raises(ClientError):
        await fetch(ann, file["url"])
    monkeypatch.undo()
    assert (await fetch(ann, file["url"]))[1] == BODY


async def test_what_is_got_by_token_is_asked_for_again_each_time(ann: Person) -> None:
    file = await upload(ann, b"x")
    answer, _ = await fetch(ann, f"/api/uploads/{file['id']}", token=ann.token)
    assert answer.headers["Cache-Control"] == "private, no-cache"
