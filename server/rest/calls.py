"""A REST call: which command a request runs, where its parameters are, and how its result becomes an answer."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cache, partial
from typing import Any, get_type_hints

from aiohttp import hdrs, web

from domain.frozen import frozen
from handlers.chat_app import COMMANDS, Caller, Result
from handlers.wire.errors import ChatError
from handlers.wire.json import dumps
from server.keys import CHAT_APP, CLAIMS, CONFIG, ORIGINS, PAGES, REQUESTS, SLOT, UNSENT
from server.large_answers import body_of
from server.origins import bearer
from server.request_slots import RETRY_AFTER_MS, Slot
from server.rest.bodies import read_body
from server.rest.parameters import path_fields, path_values, query_fields, query_values

BODY_TIMEOUT_S = 30.0
"""How long a body may take to arrive."""


@frozen
class Answer:
    """How a result is answered: with the whole of it, with one `part` of it, or with `only` some of its fields.

    The status is `status`, or that in `status_if` under the name of a field of the result that is true. 204 has no
    body.
    """

    status: int = 200
    part: str = ""
    only: tuple[str, ...] = ()
    status_if: Mapping[str, int] | None = None

    @property
    def names(self) -> frozenset[str]:
        """The fields of the result that this answer uses by name."""
        return frozenset(filter(None, (self.part, *self.only, *(self.status_if or {}))))

    def status_of(self, result: Result) -> int:
        found = (status for name, status in (self.status_if or {}).items() if result[name])
        return next(found, self.status)

    def body_of(self, result: Result) -> Any:
        if self.part:
            return result[self.part]
        return {name: result[name] for name in self.only} if self.only else result


OK = Answer()
NO_CONTENT = Answer(204)


@frozen
class Call:
    """Parameters are in the path where it names them, in the query of a GET, and else in the body. The body of a DELETE
    is not read, but `with_body`.

    `public`: no token is asked for. `own`: the caller's id is the parameter `user_id`. `form`: the body may be a form.
    """

    method: str
    path: str
    command: str
    answer: Answer = OK
    public: bool = False
    own: bool = False
    form: bool = False
    with_body: bool = False


def add_calls(app: web.Application, calls: Iterable[Call]) -> None:
    """Puts the calls under /api.

    Raises: `ValueError` for a path with a parameter, or an answer with a field, that the command does not declare.
    """
    for call in calls:
        names = call.answer.names
        missing = names and names - _answer_fields(call.command)
        if missing:
            raise ValueError(f"{call.path}: {call.command} does not answer {', '.join(sorted(missing))}")
        serve = _serve(call)
        app.router.add_route(call.method, "/api" + call.path, serve)
        if call.method == hdrs.METH_GET:
            app.router.add_route(hdrs.METH_HEAD, "/api" + call.path, serve)


@cache  # reading the hints is most of what an application costs
def _answer_fields(command: str) -> frozenset[str]:
    return frozenset(get_type_hints(COMMANDS[command].answer))


def _serve(call: Call) -> Callable[[web.Request], Awaitable[web.Response]]:
    in_path = path_fields(COMMANDS[call.command], call.path)
    elsewhere = {*in_path, "user_id"} if call.own else in_path
    in_query = query_fields(COMMANDS[call.command], elsewhere) if call.method == hdrs.METH_GET else {}

    async def serve(request: web.Request) -> web.Response:
        caller = stranger_of(request) if call.public else await caller_of(request)
        # All limits come before the body: nothing is read of a request that is refused.
        chat_app = request.app[CHAT_APP]
        chat_app.admit_call(caller, call.command)
        request[SLOT] = await _slot(request, caller)
        await chat_app.authorize(caller, call.command)
        if call.method == hdrs.METH_GET:
            _check_unsent(request, caller)
        payload = dict(await _body(request, call))
        payload.update(query_values(in_query, request.query, request.rel_url))
        payload.update(path_values(in_path, request.match_info, request.rel_url))
        if call.own:
            payload["user_id"] = caller.user_id
        result = await chat_app.run(caller, call.command, payload)
        return await _answer(request, call, caller, result)

    return serve


async def _answer(request: web.Request, call: Call, caller: Caller, result: Result) -> web.Response:
    status = call.answer.status_of(result)
    if status == 204:
        return web.Response(status=status)
    if call.method == hdrs.METH_GET:  # it may be large
        await request.app[PAGES].turn()
    body = dumps(call.answer.body_of(result))
    return web.Response(
        status=status,
        body=body_of(body, request.app[UNSENT], caller.user_id),
        content_type="application/json",
    )


async def _slot(request: web.Request, caller: Caller) -> Slot:
    """Waits until few enough requests of the user, or of a stranger's address, are being served. A request is being
    served until its answer has been sent. Raises: `ChatError` `rate_limited`."""
    policy = request.app[CONFIG].policy
    if caller.user_id:
        return await request.app[REQUESTS].take(caller.user_id, policy.max_requests_per_user)
    return await request.app[REQUESTS].take(caller.network, policy.max_requests_per_address)


def _check_unsent(request: web.Request, caller: Caller) -> None:
    """Raises: `ChatError` `rate_limited` for a user who leaves too much unread, over all connections."""
    most = request.app[CONFIG].policy.max_unsent_bytes_per_user
    if most and caller.user_id:
        unsent = request.app[UNSENT].of(caller.user_id) + request.app[CHAT_APP].unsent_bytes(caller.user_id)
        if unsent > most:
            raise ChatError("rate_limited", "too much is waiting unread", retry_after_ms=RETRY_AFTER_MS)


def json_answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    """A small answer."""
    return web.Response(status=status, body=dumps(body), content_type="application/json", headers=headers)


async def caller_of(request: web.Request) -> Caller:
    """The user whose token the request has. Raises: `ChatError` `unauthenticated`; `Refused`."""
    origins = request.app[ORIGINS]
    token = bearer(request.headers)
    if token is None:
        raise ChatError("unauthenticated", "an Authorization: Bearer header is missing")
    identity = await request.app[CHAT_APP].authenticate(token, request.get(CLAIMS))
    return Caller(
        identity.user_id,
        origins.address(request),
        identity.session_id,
        gone=partial(_has_gone, request),
        origin=partial(origins.own_origin, request),
    )


def stranger_of(request: web.Request) -> Caller:
    """The sender of a request whose token, if it has one, does not matter."""
    origins = request.app[ORIGINS]
    return Caller(
        0,
        origins.address(request),
        gone=partial(_has_gone, request),
        user_agent=request.headers.get(hdrs.USER_AGENT, ""),
        origin=partial(origins.own_origin, request),
    )


def _has_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _body(request: web.Request, call: Call) -> Mapping[str, Any]:
    if request.method not in (hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_PATCH) and not call.with_body:
        return {}
    max_bytes = request.app[CONFIG].policy.max_frame_bytes
    return await read_body(request, max_bytes=max_bytes, timeout_s=BODY_TIMEOUT_S, form=call.form)
