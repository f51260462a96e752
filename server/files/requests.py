"""Who sends or asks for a file, and how many such requests of one user or address are served at once."""

from aiohttp import web

from handlers.chat_app import Caller
from handlers.wire.file_limits import FILE_OVERHEAD_BYTES
from server.keys import CONFIG, LINGERS, REQUESTS, SLOT
from server.rest.calls import caller_of, stranger_of

SENT_AT_ONCE = 16
"""Files that one user sends at once; more wait."""

SEND_WAIT_S = 60.0

READ_AT_ONCE = 64
"""Files that one user, or one address without a token, is sent at once: a page shows dozens of pictures."""


async def admitted_sender(request: web.Request) -> Caller:
    """The caller, once few enough of their files are being received. Apart from other requests, which are not to wait
    for large files. Raises: `ChatError` `unauthenticated`, `rate_limited`."""
    caller = await caller_of(request)
    request[LINGERS] = True
    await _take(request, ("sends", caller.user_id), SENT_AT_ONCE, SEND_WAIT_S)
    return caller


async def reader_of(request: web.Request, *, stranger: bool) -> Caller:
    """The caller, once few enough files are being sent to them. `stranger`: their token, if they have one, is not
    asked for. Raises: `ChatError` `unauthenticated`, `rate_limited`."""
    caller = stranger_of(request) if stranger else await caller_of(request)
    key = ("reads", caller.user_id or caller.network)
    await _take(request, key, READ_AT_ONCE, None)
    return caller


async def _take(request: web.Request, key: tuple[str, object], at_once: int, wait_s: float | None) -> None:
    if not request.app[CONFIG].policy.max_requests_per_user:
        at_once = 0  # limits are off
    request[SLOT] = await request.app[REQUESTS].take(key, at_once, wait_s=wait_s)


def body_bytes_max(request: web.Request, *, files: int) -> int:
    """How long a body with so many files may be."""
    return files * (request.app[CONFIG].policy.max_upload_bytes + FILE_OVERHEAD_BYTES)
