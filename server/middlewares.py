"""What goes around every HTTP request: origins, errors in the wire's words, and one log line without secrets."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import hdrs, web

from handlers.dispatch import as_chat_error
from handlers.wire.endings import Ending, Refused
from handlers.wire.errors import ChatError, Code
from handlers.wire.views import error_view
from server.answers import Chunks
from server.keys import ORIGINS
from server.requests import Turn
from server.rest.calls import TURN, json_answer

log = structlog.get_logger("vestnik")

SEND_TIMEOUT_S = 60.0
"""So long a peer may take to read a small answer; large ones go in chunks, each with a time of its own."""

HANG_UP_S = 1.0
"""So long after its answer a connection is closed whose request has not come to its end."""

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
    """An error as REST tells it."""
    headers: dict[str, str] = {}
    if error.code == "unauthenticated":
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if error.retry_after_ms is not None:
        headers[hdrs.RETRY_AFTER] = str(-(-error.retry_after_ms // 1000))
    view = error_view(error.code, error.message, error.fields, error.retry_after_ms)
    return json_answer(status or STATUS[error.code], {"error": view}, headers)


@web.middleware
async def send_in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Sends what is in memory, and cuts off a peer that does not take it; a request's turn is over then. What is left
    of a body that nobody wanted is not read."""
    try:
        answer = await handler(request)
        unread = not request.content.is_eof()
        if not answer.prepared and (isinstance(answer, web.Response) or unread):
            if unread:
                answer.force_close()
            await _send(request, answer)
    finally:
        turn: Turn | None = request.get(TURN)
        if turn is not None:
            turn.over()
    if unread:
        await _hang_up(request)
    return answer


async def _send(request: web.Request, answer: web.StreamResponse) -> None:
    try:
        # Chunks have a timeout of their own: who takes them slowly is not cut off.
        is_chunks = isinstance(getattr(answer, "body", None), Chunks)
        async with asyncio.timeout(None if is_chunks else SEND_TIMEOUT_S):
            await answer.prepare(request)
            await answer.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass  # the client has gone; aiohttp finds that out too, and takes it for what it is


async def _hang_up(request: web.Request) -> None:
    """Ends the connection of a request with an unread rest, a moment after the answer: who closes at once makes the
    peer's system throw the answer away. Meanwhile aiohttp reads no more than its buffer holds."""
    whole = asyncio.Event()
    request.content.on_eof(whole.set)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HANG_UP_S):
            await whole.wait()
    request.protocol.force_close()


@web.middleware
async def tell_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No exception leaves but as an answer in the wire's words."""
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
        told = error_answer(ChatError(code, answer.reason), status=answer.status)
        for name in (hdrs.ALLOW, hdrs.UPGRADE, hdrs.SEC_WEBSOCKET_VERSION):
            if name in answer.headers:
                told.headers[name] = answer.headers[name]
        return told
    except (ConnectionError, web.RequestPayloadError):
        # Mostly the client has gone and hears nothing of it; it is no error of the server's, and none for the log.
        return error_answer(ChatError("bad_request", "the request broke off"))
    except Exception as error:
        return error_answer(as_chat_error(error))


def _check_dates(request: web.Request) -> None:
    """aiohttp reads these headers when it sends a file. A year that no integer of C holds would cut the connection
    there. Raises: HTTPBadRequest."""
    try:
        for name in ("if_modified_since", "if_unmodified_since", "if_range"):
            getattr(request, name)
    except (ValueError, OverflowError):
        raise web.HTTPBadRequest from None


@web.middleware
async def check_origins(request: web.Request, handler: Handler) -> web.StreamResponse:
    """FairSemaphore away pages of other origins, and lets browsers read the answers of those that may ask."""
    if request.path == "/ws":
        return await handler(
            request
        )  # the gate tells it by a close code, which is all a browser can read there
    if not request.app[ORIGINS].admits(request):
        return error_answer(Refused("forbidden", Ending.ORIGIN_REFUSED))
    if request.path.startswith("/socket.io"):
        return await handler(request)  # the engine sets its own headers
    preflight = request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    answer = web.Response(status=204) if preflight else await handler(request)
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and not answer.prepared:
        answer.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        answer.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = hdrs.RETRY_AFTER
        if preflight:
            answer.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = "GET, POST, PUT, PATCH, DELETE"
            answer.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = "Authorization, Content-Type"
            answer.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = "600"
    return answer
