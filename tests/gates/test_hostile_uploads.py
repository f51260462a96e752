"""Bodies that nobody means well: broken, endless, slow, and full of names."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest

from handlers.wire.json import loads
from tests.clients.files import fetch, form, upload
from tests.clients.people import Person
from tests.conftest import Serve, Server
from tests.gates.test_uploads import kept_files, no_files
from tests.patience import within
from tests.pictures.made import ALL, jpeg, png

BOUNDARY = "b" * 20


def part(name: str, content: bytes, filename: str | None = None, more: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        head += f'; filename="{filename}"'
    return f"--{BOUNDARY}\r\n{head}\r\n{more}\r\n".encode(errors="surrogateescape") + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


async def post(person: Person, body: Any, path: str = "/uploads", **headers: str) -> tuple[int, Any]:
    """Posts bytes, or pieces of them, as a form."""
    sent = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **headers}
    return await person.request("POST", path, data=body, headers=sent)


@asynccontextmanager
async def raw_post(
    server: Server, person: Person, *headers: str, path: str = "/uploads"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which the head of a request has been sent."""
    split = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(split.hostname, split.port)
    lines = [
        f"POST /api{path} HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {person.token}",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        *headers,
        "",
        "",
    ]
    writer.write("\r\n".join(lines).encode())
    await writer.drain()
    try:
        yield reader, writer
    finally:
        writer.close()


async def receiving(server: Server, count: int) -> None:
    """Returns when the server is receiving so many bodies."""
    async with within(5):
        while server.chat_app.files.counts.receiving != count:
            await asyncio.sleep(0.01)


async def status_of(reader: asyncio.StreamReader) -> int:
    async with within(10):
        line = await reader.readline()
    return int(line.split()[1])


async def answered_meanwhile(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, begun: bytes) -> int:
    """The status of the answer to a body that is still being sent, a little at a time."""
    answer = asyncio.ensure_future(status_of(reader))
    writer.write(begun)
    sent = 0
    while not answer.done():
        writer.write(b"x" * 100)
        sent += 100
        await asyncio.sleep(0.02)
    assert sent < 50_000
    return await answer


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("..", "file"),
        ("", "file"),
        ("a\0b.png", "ab.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\u2028b\u0085c\u200ed.txt", "abcd.txt"),
        ("x" * 300 + ".txt", "x" * 251 + ".txt"),
        ("ы" * 300 + ".txt", "ы" * 125 + ".txt"),
        ("\udcff\udcfe.txt", "\ufffd\ufffd.txt"),
        ("a;b;c.txt", "a;b;c.txt"),
        ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"),
        ("CON", "CON"),
        ("e\u0301.txt", "e\u0301.txt"),
    ],
)
@pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionHeader")
async def test_a_name_is_a_base_name_that_can_be_shown(server: Server, filename: str, name: str) -> None:
    ann = await server.person("ann")
    status, body = await post(ann, part("file", b"x", filename) + END)
    if "\0" in filename:  # no header may have it
        assert status == 400
        return
    assert (status, body.get("name")) == (201, name)
    assert len(name.encode()) <= 255
    answer, _ = await fetch(ann, body["url"])
    assert answer.headers["Content-Disposition"].isascii()


async def test_a_body_in_chunks_of_a_byte_is_taken(server: Server) -> None:
    ann = await server.person("ann")
    content = png()[:900]

    async def bytes_one_by_one() -> AsyncIterator[bytes]:
        for byte in part("file", b"\0" + content) + END:
            yield bytes((byte,))

    status, body = await post(ann, bytes_one_by_one())
    assert (status, body["size"]) == (201, len(content) + 1)
    assert (await fetch(ann, body["url"]))[1] == b"\0" + content


@pytest.mark.parametrize("boundary", ["a", "b" * 70, "'()+_,-./:=? x"])
async def test_content_that_looks_like_the_boundary_stays(server: Server, boundary: str) -> None:
    ann = await server.person("ann")
    rows = [f"x--{boundary}", f"\r\n--{boundary}"[:-1] + "~", f"\r\n -- {boundary}", "\r\n--", "\r\n\r\n"]
    content = "".join(rows).encode()
    head = '\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = f"--{boundary}{head}".encode() + content + f"\r\n--{boundary}--\r\n".encode()
    status, uploaded = await ann.request(
        "POST",
        "/uploads",
        data=body,
        headers={"Content-Type": f'multipart/form-data; boundary="{boundary}"'},
    )
    assert status == 201
    assert (await fetch(ann, uploaded["url"]))[1] == content


async def test_hundreds_of_parts_are_refused(server: Server) -> None:
    ann = await server.person("ann")
    for many in (
        part("x", b"y") * 500,
        part("file", b"y", "a") * 500,
        part("x", b"") * 60 + part("f", b"") * 60,
    ):
        for path in ("/uploads", "/messages/upload"):
            status, _ = await post(ann, many + END, path)
            assert status in (400, 422)
    await no_files(server)


async def test_fields_are_bounded(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    fields = part("chat_id", str(chat_id).encode()) + part("content", b"x" * 70_000)
    status, _ = await post(ann, fields + part("file", b"x", "a") + END, "/messages/upload")
    assert status == 413
    heads = part("file", b"x", "a", more="".join(f"X-{n}: y\r\n" for n in range(200)))
    assert (await post(ann, heads + END))[0] == 400
    assert (await post(ann, part("file", b"x", "a" * 20_000) + END))[0] == 400
    await no_files(server)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        END,
        b"--" + b"c" * 20 + b"\r\n\r\nx\r\n",
        part("file", b"x", "a"),
        part("file", b"x", "a")[:-9],
        part("file", b"x", "a") + f"--{BOUNDARY}".encode(),
        part("file", b"x", "a") + f"--{BOUNDARY}\r\n".encode(),
        f"--{BOUNDARY}\r\n\r\nx\r\n".encode() + END,
        f"--{BOUNDARY}\r\nContent-Disposition: attachment; name=file\r\n\r\nx\r\n".encode() + END,
        f"--{BOUNDARY}\r\nno header\r\n\r\nx\r\n".encode() + END,
        part("file", b"x", "a", more="Content-Type: multipart/mixed; boundary=z\r\n") + END,
        part("file", b"x", "a", more="Content-Transfer-Encoding: base64\r\n") + END,
        part("file", b"x", "a", more="Content-Encoding: gzip\r\n") + END,
        part("file", b"x", "a").replace(b"\r\n", b"\n") + END,
        b"\r\n" * 1001 + part("file", b"x", "a") + END,
        b"\r\n" * 50_000,
    ],
)
@pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionHeader")
async def test_what_is_no_form_is_refused_and_leaves_nothing(server: Server, body: bytes) -> None:
    ann = await server.person("ann")
    for path in ("/uploads", "/messages/upload"):
        status, answer = await post(ann, body, path)
        assert status in (400, 422), answer
    await no_files(server)
    await upload(ann, b"x")


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        f"multipart/form-data; boundary={'x' * 71}",
        "multipart/form-data; boundary=ы",
        "multipart/mixed; boundary=x",
        "application/x-www-form-urlencoded",
        "text/plain",
        "x",
    ],
)
async def test_what_says_that_it_is_no_form_is_refused(server: Server, content_type: str) -> None:
    ann = await server.person("ann")
    status, _ = await ann.request("POST", "/uploads", data=b"x", headers={"Content-Type": content_type})
    assert status in (400, 415)
    status, _ = await post(ann, part("file", b"x", "a") + END, **{"Content-Encoding": "gzip"})
    assert status == 415


async def test_a_body_that_breaks_off_leaves_nothing(server: Server) -> None:
    ann = await server.person("ann")
    for content in (b"x" * 500_000, jpeg() * 20):
        head = part("file", content, "a")[:-2]
        async with raw_post(server, ann, f"Content-Length: {len(head) + 100_000}") as (_, writer):
            writer.write(head)
            await writer.drain()
            await receiving(server, 1)
    await receiving(server, 0)
    assert kept_files(server) == []
    assert [*server.config.data_dir.glob("tmp/*")] == []


async def test_a_length_that_is_wrong(server: Server) -> None:
    ann = await server.person("ann")
    body = part("file", b"x" * 1000, "a") + END
    async with raw_post(server, ann, f"Content-Length: {len(body) - 500}") as (reader, writer):
        writer.write(body)
        assert await status_of(reader) == 400
    for wrong in ("-5", "5, 6", "five", "9" * 40):
        async with raw_post(server, ann, f"Content-Length: {wrong}") as (reader, writer):
            writer.write(body)
            assert await status_of(reader) in (400, 413)
    async with raw_post(server, ann, "Transfer-Encoding: chunked") as (reader, writer):
        writer.write(b"5\r\nhello\r\nnonsense\r\n")
        assert await status_of(reader) == 400
    assert kept_files(server) == []


async def test_a_length_above_the_limit_is_refused_before_the_body_comes(serve: Serve) -> None:
    server = await serve(max_upload_bytes=1000, upload_quota_bytes=2000)
    ann = await server.person("ann")
    expect = "Expect: 100-continue"
    async with raw_post(server, ann, f"Content-Length: {10**9}", expect) as (reader, _):
        assert await status_of(reader) == 413
    async with raw_post(server, ann, "Content-Length: 300", expect) as (reader, writer):
        assert await status_of(reader) == 100
        await reader.readline()
        writer.write((part("file", b"x" * 100, "a") + END).ljust(300))
        assert await status_of(reader) == 201
    for _ in range(2):
        await ann.request("POST", "/uploads", data=form(("a", b"x" * 950)))
    async with raw_post(server, ann, "Content-Length: 300", expect) as (reader, _):
        assert await status_of(reader) == 413
    async with raw_post(server, ann, "Content-Length: 300", "Expect: miracles") as (reader, _):
        assert await status_of(reader) == 417


async def test_the_length_of_a_message_with_files_is_refused_before_its_files_come(serve: Serve) -> None:
    server = await serve(upload_quota_bytes=2_000_000)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    fields = part("chat_id", str(chat_id).encode()) + part("client_id", b"once")
    begun = fields + part("file", b"", "a")[:-2]
    length = f"Content-Length: {2_000_000 + 11 * 64 * 1024}"
    async with raw_post(server, ann, length, path="/messages/upload") as (reader, writer):
        assert await answered_meanwhile(reader, writer, begun) == 413
    status, sent = await post(ann, fields + part("file", b"x", "a") + END, "/messages/upload")
    assert status == 201
    async with raw_post(server, ann, length, path="/messages/upload") as (reader, writer):
        assert await answered_meanwhile(reader, writer, begun) == 200
    assert (await ann.get(f"/chats/{chat_id}/messages"))["messages"] == [sent]


async def test_a_message_that_is_refused_anyway_is_refused_before_its_files_come(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id, channel = await ann.chat(bob), await ann.chat(bob, chat_type="channel")
    elsewhere = await ann.say(channel, "x")
    for fields, expected in (
        ({"chat_id": channel}, 403),
        ({"chat_id": 4711}, 404),
        ({"chat_id": chat_id, "reply_to": elsewhere["id"]}, 422),
        ({"chat_id": chat_id, "reply_to": 4711}, 422),
        ({"chat_id": chat_id, "content": "x" * 10_001}, 422),
    ):
        begun = b"".join(part(name, str(value).encode()) for name, value in fields.items())
        begun += part("file", b"", "a")[:-2]
        length = "Content-Length: 20000000"
        async with raw_post(server, bob, length, path="/messages/upload") as (reader, writer):
            assert await answered_meanwhile(reader, writer, begun) == expected, fields


async def test_what_is_refused_by_its_length_counts(serve: Serve) -> None:
    server = await serve(max_upload_bytes=100_000, upload_quota_bytes=150_000)
    ann = await server.person("ann")
    refusals = server.chat_app.files.counts.refusals
    expect = "Expect: 100-continue"
    async with raw_post(server, ann, "Content-Length: 999999", expect) as (reader, _):
        assert await status_of(reader) == 413
    assert (refusals["too_large"], refusals["quota"]) == (1, 0)
    await upload(ann, b"x" * 100_000)
    async with raw_post(server, ann, "Content-Length: 150000", expect) as (reader, _):
        assert await status_of(reader) == 413
    assert (refusals["too_large"], refusals["quota"]) == (1, 1)
    assert (await ann.request("PUT", "/users/me/avatar", data=BytesIO(b"x" * 6_000_000)))[0] == 413
    assert (refusals["too_large"], refusals["quota"]) == (2, 1)


async def test_a_body_without_end_is_cut_off(serve: Serve) -> None:
    server = await serve(max_upload_bytes=200_000)
    ann = await server.person("ann")
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield part("file", b"", "a")[:-2]
        while True:
            sent += 10_000
            yield b"x" * 10_000
            await asyncio.sleep(0)

    async with raw_post(server, ann, "Transfer-Encoding: chunked") as (reader, writer):
        answer = asyncio.ensure_future(status_of(reader))
        async for piece in endless():
            writer.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
            await writer.drain()
            if answer.done():
                break
        assert await answer == 413
    assert sent < 20_000_000
    await no_files(server)


async def test_a_sender_who_is_too_slow_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.files.bodies.GRACE_S", 0.3)
    monkeypatch.setattr("server.files.bodies.LEAST_BYTES_PER_S", 1_000_000)
    ann = await server.person("ann")
    async with raw_post(server, ann, "Content-Length: 1000000") as (reader, writer):
        answer = asyncio.ensure_future(status_of(reader))
        writer.write(part("file", b"", "a")[:-2])
        while not answer.done():
            writer.write(b"x" * 10)
            await asyncio.sleep(0.02)
        assert await answer == 400
    assert server.chat_app.files.counts.refusals["slow"] == 1
    await no_files(server)


async def test_a_sender_who_falls_silent_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.files.bodies.PAUSE_S", 0.3)
    ann = await server.person("ann")
    async with raw_post(server, ann, "Content-Length: 9000000") as (reader, writer):
        writer.write(part("file", b"", "a")[:-2] + b"x" * 3_000_000)
        await writer.drain()
        assert await status_of(reader) == 400
    assert server.chat_app.files.counts.refusals["slow"] == 1
    await no_files(server)


async def test_files_at_once_are_bounded(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.files.requests.SENT_AT_ONCE", 2)
    monkeypatch.setattr("server.files.requests.SEND_WAIT_S", 0.3)
    server = await serve()
    ann, bob = await server.people("ann", "bob")
    head = part("file", b"", "a")[:-2]
    opened = (raw_post(server, ann, "Content-Length: 9999") for _ in range(2))
    async with next(opened) as (_, one), next(opened) as (_, two):
        for writer in (one, two):
            writer.write(head)
            await writer.drain()
        await receiving(server, 2)
        status, body = await ann.request("POST", "/uploads", data=form(("a", b"x")))
        assert (status, body["error"]["code"]) == (429, "rate_limited")
        await upload(bob, b"x")
        assert (await ann.get("/users/me"))["id"] == ann.id  # other requests do not wait for files
    await receiving(server, 0)
    await upload(ann, b"x")


def variants(seed: int) -> Iterator[bytes]:
    """Forms and pictures with a few bytes changed, cut, or doubled."""
    dice = random.Random(seed)
    for number in range(60):
        content = list(ALL.values())[number % 4]()
        body = bytearray(part("chat_id", b"1") + part("file", content, "a.png") + END)
        span = len(body) if number % 2 else 300
        for _ in range(dice.randint(1, 12)):
            at = dice.randrange(span)
            match dice.randrange(4):
                case 0:
                    body[at : at + 1] = bytes((dice.randrange(256),))
                case 1:
                    del body[at : at + dice.randint(1, 50)]
                case 2:
                    body[at:at] = body[at : at + dice.randint(1, 50)]
                case _:
                    body[at:at] = dice.choice([b"\r\n", b"\0", b"--", b"\xff", b'"', b";", BOUNDARY.encode()])
            span = min(span, len(body))
        yield bytes(body)


@pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionHeader")
@pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionParam")
async def test_no_body_is_answered_with_a_failure_of_the_server(serve: Serve) -> None:
    server = await serve(uploads_per_min=0, messages_per_s=0)
    ann = await server.person("ann")
    await ann.chat()
    taken = 0
    for body in variants(18):
        for path in ("/uploads", "/messages/upload"):
            status, answer = await post(ann, body, path)
            assert status in (201, 400, 404, 413, 415, 422), (status, answer, body[:400])
            taken += status == 201
        status, answer = await ann.request("PUT", "/users/me/avatar", data=body[300:])
        assert status in (200, 413, 415, 422), answer
    assert taken > 5
    assert loads((await fetch(ann, "/api/users/me", token=ann.token))[1])["id"] == ann.id


async def test_a_client_that_sends_all_before_it_reads_sees_the_refusal(serve: Serve) -> None:
    server = await serve(max_upload_bytes=100_000)
    ann = await server.person("ann")
    body = part("file", b"x" * 40_000_000, "a") + END
    async with raw_post(server, ann, f"Content-Length: {len(body)}") as (reader, writer):
        for start in range(0, len(body), 100_000):
            writer.write(body[start : start + 100_000])
            await writer.drain()
        assert await status_of(reader) == 413
    await no_files(server)
