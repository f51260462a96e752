"""Answers to clients whose session is on another node."""

import json

from aiohttp import ClientError, ClientResponse, hdrs, web

from server.engine.http_answers import BAD_REQUEST, Headers

UNAVAILABLE = 503

SMALL_ANSWER_BYTES = 64 * 1024
"""An answer up to this size is read as a whole, so that its client still gets a proper refusal if the other node dies
in the middle of it. A larger one is passed on as it comes, and no faster than its client reads."""

PASSED_ON = (hdrs.CONTENT_TYPE, hdrs.CONTENT_ENCODING, hdrs.RETRY_AFTER)


def gone(headers: Headers) -> web.Response:
    """The session's node is no longer there. Clients open a new session at once; the words are Engine.IO's."""
    return _refusal(BAD_REQUEST, {"code": 1, "message": "Session ID unknown"}, headers)


def refused(headers: Headers, status: int) -> web.Response:
    """The session's node does not take an upgrade. Clients read nothing but the status."""
    return _refusal(status, {"code": 3, "message": "Bad request"}, headers)


def busy(headers: Headers) -> web.Response:
    """Too much is being handed on."""
    return _refusal(UNAVAILABLE, {"code": 3, "message": "Bad request"}, headers)


async def pass_on(request: web.Request, answer: ClientResponse, headers: Headers) -> web.StreamResponse:
    """The answer of another node, for this one's client. A large one is sent when this returns, or its connection is
    cut off: a part of it has been sent, so nothing else can be said. Raises: `ClientError`, `OSError` and
    `TimeoutError` for a small one that broke off."""
    kept = [(name, answer.headers[name]) for name in PASSED_ON if name in answer.headers]
    size = answer.content_length
    if size is not None and size <= SMALL_ANSWER_BYTES:
        return web.Response(body=await answer.read(), status=answer.status, headers=[*kept, *headers])
    large = web.StreamResponse(status=answer.status, headers=[*kept, *headers])
    large.content_length = size
    try:
        await large.prepare(request)
        async for part in answer.content.iter_any():
            await large.write(part)
        await large.write_eof()
    except (ClientError, OSError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()
    return large


def _refusal(status: int, body: object, headers: Headers) -> web.Response:
    return web.Response(
        text=json.dumps(body), status=status, headers=[(hdrs.CONTENT_TYPE, "application/json"), *headers]
    )
