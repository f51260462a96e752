"""One REST call: a method and a path for a command, what of the request is its payload, what of its result is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiohttp import hdrs, web

from domain.frozen import frozen
from handlers.context import Caller
from handlers.live.limits import network_of
from handlers.registry import Result
from handlers.wire.errors import ChatError, invalid, not_found
from handlers.wire.json import dumps, loads
from handlers.wire.schemas import ID_MAX
from server.answers import body_of
from server.keys import CHAT_APP, CONFIG, ORIGINS, PAGES, REQUESTS, UNSENT
from server.origins import bearer
from server.requests import RETRY_AFTER_MS, Turn
from server.rest.forms import multipart_fields, urlencoded_fields

Answer = tuple[int, Any]
Body = Mapping[str, Any]

TURN = web.RequestKey("turn", Turn)
"""Under this a request keeps its `Turn`, which is over when its answer is sent."""

BODY_TIMEOUT_S = 30.0
"""So long a body may take to arrive."""

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


@frozen
class Call:
    """`answer` makes status and JSON body (None: none) of the command's result.

    `query` names the query parameters, True for those that are integers; `public`: no token is asked for; `own`: the
    caller's id goes in as `user_id`; `form`: a form will do for a body.
    """

    method: str
    path: str
    command: str
    answer: Callable[[Result], Answer]
    query: Mapping[str, bool] | None = None
    public: bool = False
    own: bool = False
    form: bool = False


def ok(result: Result) -> Answer:
    """200 with the whole result."""
    return 200, result


def no_content(_result: Result) -> Answer:
    return 204, None


def only(name: str, status: int = 200) -> Callable[[Result], Answer]:
    """One part of the result."""
    return lambda result: (status, result[name])


def add_calls(app: web.Application, calls: Iterable[Call]) -> None:
    for call in calls:
        serve = _serve(call)
        app.router.add_route(call.method, "/api" + call.path, serve)
        if call.method == hdrs.METH_GET:
            app.router.add_route(hdrs.METH_HEAD, "/api" + call.path, serve)


def _serve(call: Call) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        caller = await _caller(request, call)
        # All limits come before the body: nothing is read of a request that is refused.
        chat_app = request.app[CHAT_APP]
        chat_app.admit_call(caller, call.command)
        request[TURN] = await _turn(request, caller)
        if call.method == "GET":
            _check_unsent(request, caller)
        payload = dict(await _body(request, call)) if request.method in ("POST", "PUT", "PATCH") else {}
        payload.update(_query(request, call.query or {}))
        payload.update((name, _path_id(text, name)) for name, text in request.match_info.items())
        if call.own:
            payload["user_id"] = caller.user_id
        status, body = call.answer(await chat_app.run(caller, call.command, payload))
        if body is None:
            return web.Response(status=status)
        if call.method == "GET":  # it may be large
            await request.app[PAGES].turn()
        return web.Response(
            status=status,
            body=body_of(dumps(body), request.app[UNSENT], caller.user_id),
            content_type="application/json",
        )

    return serve


async def _turn(request: web.Request, caller: Caller) -> Turn:
    """Waits until few enough requests of the user, or of a stranger's address, are being served; the answer's sending
    counts too. Raises: `ChatError` `rate_limited`."""
    policy = request.app[CONFIG].policy
    if caller.user_id:
        return await request.app[REQUESTS].turn(caller.user_id, policy.max_requests_per_user)
    return await request.app[REQUESTS].turn(network_of(caller.address), policy.max_requests_per_address)


def _check_unsent(request: web.Request, caller: Caller) -> None:
    """Raises: `ChatError` `rate_limited` for a user who leaves too much unread, over all connections."""
    most = request.app[CONFIG].policy.max_unsent_bytes_per_user
    if most and caller.user_id:
        unsent = request.app[UNSENT].of(caller.user_id) + request.app[CHAT_APP].unread_bytes(caller.user_id)
        if unsent > most:
            raise ChatError("rate_limited", "too much is waiting unread", retry_after_ms=RETRY_AFTER_MS)


def json_answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    """A small answer."""
    return web.Response(status=status, body=dumps(body), content_type="application/json", headers=headers)


async def _caller(request: web.Request, call: Call) -> Caller:
    address = request.app[ORIGINS].address(request)
    if call.public:
        return Caller(0, address, gone=partial(_has_gone, request))
    token = bearer(request.headers)
    if token is None:
        raise ChatError("unauthenticated", "an Authorization: Bearer header is missing")
    identity = await request.app[CHAT_APP].authenticate(token)
    return Caller(identity.user_id, address, identity.session_id, gone=partial(_has_gone, request))


def _has_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _body(request: web.Request, call: Call) -> Body:
    kind = request.content_type if "Content-Type" in request.headers else "application/json"
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise ChatError("unsupported_media", "the body has to be uncompressed")
    if call.form and kind == URLENCODED:
        return urlencoded_fields(await _read(request))
    if call.form and kind == MULTIPART:
        return multipart_fields(await _read(request), request.headers[hdrs.CONTENT_TYPE])
    if request.content_length == 0 or not request.can_read_body:
        return {}
    if kind != "application/json" and not kind.endswith("+json"):
        raise ChatError("unsupported_media", "the body has to be application/json")
    try:
        body = loads(await _read(request))
    except ValueError:
        raise ChatError("bad_request", "the body is not JSON") from None
    if type(body) is not dict:
        raise ChatError("bad_request", "the body has to be a JSON object")
    return body


async def _read(request: web.Request) -> bytes:
    """The body, if it comes in time and is within the limit of a frame. Raises: `ChatError` `too_large`,
    `bad_request`."""
    limit = request.app[CONFIG].policy.max_frame_bytes
    if (request.content_length or 0) <= limit:
        parts, size = [], 0
        async with _in_time():
            async for part in request.content.iter_any():
                parts.append(part)
                size += len(part)
                if size > limit:
                    break
            else:
                return b"".join(parts)
    raise ChatError("too_large", f"a body has at most {limit} bytes")


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            yield
    except TimeoutError:
        raise ChatError("bad_request", "the body did not come in time") from None


def _query(request: web.Request, known: Mapping[str, bool]) -> dict[str, Any]:
    """The known query parameters; integers are made of digits and nothing else."""
    found: dict[str, Any] = {}
    for name, is_integer in known.items():
        text = request.query.get(name)
        if text is None:
            continue
        if is_integer:
            found[name] = _digits(text)
            if found[name] is None:
                raise invalid(**{name: "must be an integer"})
        else:
            found[name] = text
    return found


def _path_id(text: str, name: str) -> int:
    """An id in a path; what can be no id is not found."""
    number = _digits(text)
    if number is None or not 0 < number <= ID_MAX:
        raise not_found(name.removesuffix("_id"))
    return number


def _digits(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None
