"""What senders to incoming hooks are answered: plain text, as alerting tools expect it."""

from collections.abc import Mapping

from aiohttp import hdrs, web

from handlers.hooks.incoming import Refusal
from handlers.wire.errors import ChatError, Code
from server.keys import CHAT_APP

PATH = "/hooks/"

OK = "ok"

RETRY_AFTER_S = 1
"""When a sender is to try again whom the server cannot serve now."""

_STATUS: Mapping[Refusal, int] = {
    "no_text": 400,
    "invalid_payload": 400,
    "invalid_key": 400,
    "unknown_key": 404,
    "too_large": 413,
    "paused": 503,
    "rate_limited": 503,  # alert senders repeat a 503, and not a 429
    "unavailable": 503,
}

_REFUSALS: Mapping[Code, Refusal] = {
    "not_found": "unknown_key",
    "too_large": "too_large",
    "rate_limited": "rate_limited",
    "unavailable": "unavailable",
}
"""What the errors of the rest of the server are here; any other one is `invalid_payload`."""


def refusal_answer(request: web.Request, reason: Refusal, retry_after_ms: int | None = None) -> web.Response:
    """The answer to a request that is refused, counted."""
    if CHAT_APP in request.app:
        request.app[CHAT_APP].incoming.counts.requests[reason] += 1
    status, headers = _STATUS[reason], {}
    if status == 503:
        wait_s = RETRY_AFTER_S if retry_after_ms is None else -(-retry_after_ms // 1000)
        headers[hdrs.RETRY_AFTER] = str(wait_s)
    return web.Response(status=status, text=reason, headers=headers)


def error_answer(request: web.Request, error: ChatError, *, status: int | None = None) -> web.Response:
    """The answer to an error of the rest of the server. `status` is one that aiohttp has chosen."""
    if status == 405:
        return web.Response(status=status, text="method_not_allowed")
    return refusal_answer(request, _REFUSALS.get(error.code, "invalid_payload"), error.retry_after_ms)
