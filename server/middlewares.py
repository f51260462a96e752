"""What goes around every HTTP request: sending in time, errors in the words of the wire, and origins."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import hdrs, web

from handlers.wire.endings import Ending, Refused
from handlers.wire.errors import ChatError, Code, error_view
from handlers.wire.exceptions import as_chat_error
from server.hooks import plain_answers
from server.keys import HTTP_COUNTS, LINGERS, ORIGINS, SLOT
from server.large_answers import PacedBody
from server.request_slots import Slot
from server.rest.calls import json_answer

log = structlog.get_logger("vestnik")

SEND_TIMEOUT_S = 60.0
"""How long a peer may take to read a small answer. Large ones are sent in chunks, each with a time of its own."""

HANG_UP_S = 1.0
"""How long after its answer a connection is closed whose request has an unread rest."""

LINGER_S = 10.0
LINGER_BYTES = 256 * 1024 * 1024
"""How long the rest of a body is read, and thrown away, whose sender has to see the answer; and how much of it."""

EXPOSED_HEADERS = ", ".join(
    (hdrs.RETRY_AFTER, hdrs.CONTENT_DISPOSITION, hdrs.CONTENT_RANGE, hdrs.ACCEPT_RANGES, hdrs.ETAG)
)
"""What pages of other origins may read of an answer, besides what they always may."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

STATUS: dict[Code, int] = {
    "bad_request": 400,
    "bad_frame": 400,
    "unknown_event": 404,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "too_large": 413,
    "unsupported_media": 415,
    "invalid": 422,
    "rate_limited": 429,
    "unavailable": 503,
}

_CODE_OF_STATUS: dict[int, Code] = {
    status: code for code, status in STATUS.items() if code not in ("bad_frame", "unknown_event")
}


def error_answer(error: ChatError, *, status: int | None = None) -> web.Response:
    """The answer of REST to an error."""
    headers: dict[str, str] = {}
    if error.code == "unauthenticated":
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if error.retry_after_ms is not None:
        headers[hdrs.RETRY_AFTER] = str(-(-error.retry_after_ms // 1000))
    return json_answer(status or STATUS[error.code], {"error": error_view(error, "rest")}, headers)


@web.middleware
async def send_in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Sends the answer, cuts off a peer that does not read it, and releases the request's slot. The rest of a body that
    no handler wanted is not read."""
    try:
        answer = await handler(request)
        request.app[HTTP_COUNTS].answered(request.path, answer.status)
        unread = not request.content.is_eof()
        if not answer.prepared and (isinstance(answer, web.Response) or unread):
            if unread:
                answer.force_close()
            await _send(request, answer)
    finally:
        slot: Slot | None = request.get(SLOT)
        if slot is not None:
            slot.release()
    if unread:
        await _hang_up(request)
    return answer


async def _send(request: web.Request, answer: web.StreamResponse) -> None:
    try:
        # Chunks have a timeout of their own: a peer that reads them slowly is not cut off.
        is_chunks = isinstance(getattr(answer, "body", None), PacedBody)
        async with asyncio.timeout(None if is_chunks else SEND_TIMEOUT_S):
            await answer.prepare(request)
            await answer.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass  # the client has gone; aiohttp notices that too


async def _hang_up(request: web.Request) -> None:
    """Closes the connection of a request with an unread rest, a moment after the answer: closing at once would make the
    peer's system drop the answer. Meanwhile aiohttp reads no more than its buffer holds, but of a request that
    lingers."""
    with contextlib.suppress(TimeoutError, ConnectionError, web.RequestPayloadError):
        if LINGERS in request:
            await _throw_away(request)
        else:
            whole = asyncio.Event()
            request.content.on_eof(whole.set)
            async with asyncio.timeout(HANG_UP_S):
                await whole.wait()
    request.protocol.force_close()


async def _throw_away(request: web.Request) -> None:
    """Reads the rest of a body, within bounds. Browsers send all of a file before they look at the answer, and a
    connection that is closed meanwhile is an error to them. Raises: `TimeoutError`."""
    left = LINGER_BYTES
    async with asyncio.timeout(LINGER_S):
        while left > 0 and (piece := await request.content.readany()):
            left -= len(piece)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every exception into an answer in the words of the wire."""
    try:
        _check_dates(request)
        return await handler(request)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        if isinstance(answer, web.HTTPMethodNotAllowed):
            answer.headers[hdrs.ALLOW] = ", ".join(sorted({*answer.allowed_methods, hdrs.METH_OPTIONS}))
            if request.method == hdrs.METH_OPTIONS:
                return web.Response(status=204, headers={hdrs.ALLOW: answer.headers[hdrs.ALLOW]})
        code = _CODE_OF_STATUS.get(answer.status, "bad_request")
        answered = _answered(request, ChatError(code, answer.reason), status=answer.status)
        for name in (hdrs.ALLOW, hdrs.UPGRADE, hdrs.SEC_WEBSOCKET_VERSION):
            if name in answer.headers:
                answered.headers[name] = answer.headers[name]
        return answered
    except (ConnectionError, web.RequestPayloadError):
        # Mostly the client has gone and reads nothing. This is no error of the server's, and not logged.
        return _answered(request, ChatError("bad_request", "the request broke off"))
    except Exception as error:
        return _answered(request, as_chat_error(error))


def _answered(request: web.Request, error: ChatError, *, status: int | None = None) -> web.Response:
    """`error_answer`, counted. Senders to incoming hooks get plain text."""
    request.app[HTTP_COUNTS].errors[error.code] += 1
    if request.path.startswith(plain_answers.PATH):
        return plain_answers.error_answer(request, error, status=status)
    return error_answer(error, status=status)


def _check_dates(request: web.Request) -> None:
    """Parses the dates that aiohttp parses again when it sends a file, where a year too large for C would cut the
    connection. Raises: HTTPBadRequest."""
    try:
        for name in ("if_modified_since", "if_unmodified_since", "if_range"):
            getattr(request, name)
    except (ValueError, OverflowError):
        raise web.HTTPBadRequest from None


@web.middleware
async def check_origins(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses pages of origins that are not allowed, and lets browsers read the answers to allowed ones."""
    if request.path == "/ws":
        return await handler(
            request
        )  # the gate refuses with a close code, which is all that a browser can read there
    if request.path.startswith(plain_answers.PATH):
        return await handler(request)  # programs post there, and what they post says nothing of its origin
    if not request.app[ORIGINS].admits(request):
        return _answered(request, Refused("forbidden", Ending.ORIGIN_REFUSED))
    if request.path.startswith("/socket.io"):
        return await handler(request)  # the engine sets its own headers
    preflight = request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    answer = web.Response(status=204) if preflight else await handler(request)
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and not answer.prepared:
        answer.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        answer.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = EXPOSED_HEADERS
        if preflight:
            answer.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = "GET, POST, PUT, PATCH, DELETE"
            answer.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = "Authorization, Content-Type"
            answer.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = "600"
    return answer
