"""`GET /api/uploads/{id}`, its thumbnail, and `GET /api/avatars/{id}`: files, whole or in ranges."""

import re
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import hdrs, web

from handlers.chat_app import Download
from handlers.wire.errors import ChatError
from server.files.file_body import FileBody
from server.files.requests import reader_of
from server.headers import CONTENT_SECURITY_POLICY
from server.keys import CHAT_APP, FILES_UNSENT
from server.middlewares import error_answer

FILE_POLICY = "; ".join(
    [
        "default-src 'none'",
        "img-src 'self'",
        "media-src 'self'",
        "style-src 'unsafe-inline'",
        "frame-ancestors 'none'",
        "sandbox",
    ]
)
"""Whatever is in a file, it runs no script, and loads nothing but itself."""

A_DAY = "private, max-age=86400, immutable"
"""For files by link: as long as a link is good. Their bytes never change."""

ASK_FIRST = "private, no-cache"
"""For files by token: another user of the same browser has another token."""

FOR_EVER = "public, max-age=31536000, immutable"
"""For avatars, which never change under their path."""

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII | re.IGNORECASE)
_DIGITS_MAX = 18
"""Longer numbers of bytes are beyond the end of every file."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def file(request: web.Request) -> web.StreamResponse:
    return await _upload(request, is_thumbnail=False)


async def thumbnail(request: web.Request) -> web.StreamResponse:
    return await _upload(request, is_thumbnail=True)


async def _upload(request: web.Request, *, is_thumbnail: bool) -> web.StreamResponse:
    """By a file link for everybody who has it, else by the token of a user who may read the file."""
    downloads, upload_id = request.app[CHAT_APP].files.downloads, request.match_info["upload_id"]
    by_link = downloads.is_link(request.query)
    if by_link:
        caller = await reader_of(request, stranger=True)
        download = await downloads.by_link(request.path, request.query, upload_id, thumbnail=is_thumbnail)
    else:
        caller = await reader_of(request, stranger=False)
        download = await downloads.by_token(caller, upload_id, thumbnail=is_thumbnail)
    return await _answer(request, download, caller.user_id, A_DAY if by_link else ASK_FIRST)


async def avatar(request: web.Request) -> web.StreamResponse:
    """Needs no token."""
    caller = await reader_of(request, stranger=True)
    download = await request.app[CHAT_APP].files.downloads.avatar(request.match_info["avatar_id"])
    return await _answer(request, download, caller.user_id, FOR_EVER)


async def _answer(request: web.Request, download: Download, user_id: int, cache: str) -> web.StreamResponse:
    tag = f'"{download.file_id}"'
    headers = {
        hdrs.ETAG: tag,
        hdrs.CACHE_CONTROL: cache,
        hdrs.ACCEPT_RANGES: "bytes",
        CONTENT_SECURITY_POLICY: FILE_POLICY,
    }
    if _has_tag(",".join(request.headers.getall(hdrs.IF_NONE_MATCH, [])), tag):
        return web.Response(status=304, headers=headers)
    span = _range(request, download.size, tag)
    if span is not None and span[0] >= span[1]:
        refusal = error_answer(ChatError("bad_request", "the file has no such bytes"), status=416)
        refusal.headers[hdrs.CONTENT_RANGE] = f"bytes */{download.size}"
        return refusal
    start, stop = span or (0, download.size)
    if span is not None:
        headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{stop - 1}/{download.size}"
    headers[hdrs.CONTENT_TYPE] = download.content_type
    headers[hdrs.CONTENT_DISPOSITION] = disposition(download)
    body = FileBody(
        request.app[CHAT_APP].files.downloads, download, start, stop, request.app[FILES_UNSENT], user_id
    )
    if request.method != hdrs.METH_HEAD:
        await body.begin()
    return web.Response(status=200 if span is None else 206, headers=headers, body=body)


def disposition(download: Download) -> str:
    """Whether a browser shows the file or saves it, and under which name."""
    kind = "inline" if download.inline else "attachment"
    plain = _UNSAFE.sub("_", download.name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(download.name, safe='')}"


def _has_tag(header: str, tag: str) -> bool:
    """Whether an `If-None-Match` names the tag."""
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in header.split(","))


def _range(request: web.Request, size: int, tag: str) -> tuple[int, int] | None:
    """The first byte that is asked for and the one after the last; None for the whole file, which is also the answer to
    ranges that cannot be read and to several at once. An empty span is one that the file does not have."""
    condition = request.headers.get(hdrs.IF_RANGE)
    found = _RANGE.fullmatch(request.headers.get(hdrs.RANGE, "").strip())
    if found is None or (condition is not None and condition.strip() != tag):
        return None
    first, last = found.groups()
    if not first:
        return (max(0, size - _number(last)), size) if last else None
    if last and _number(last) < _number(first):
        return None
    return _number(first), min(_number(last) + 1, size) if last else size


def _number(digits: str) -> int:
    """The number, or one beyond the end of every file: Python refuses to read thousands of digits."""
    return int(digits) if len(digits.lstrip("0")) <= _DIGITS_MAX else 10**_DIGITS_MAX
