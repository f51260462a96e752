"""The Socket.IO gate: every event of namespace `/` is a command and goes to its handler."""

from collections.abc import Awaitable, Mapping
from typing import Any, NamedTuple

import structlog
from socketio import AsyncNamespace
from socketio.exceptions import ConnectionRefusedError as SocketRefusedError

from handlers.chat_app import Caller, ChatApp, Identity, Later, Outcome
from handlers.wire.endings import CLOSE_CODES, Ending, Refused
from handlers.wire.errors import ChatError, error_view
from server.engine import Deferred
from server.origins import OriginPolicy, bearer

log = structlog.get_logger("vestnik")

Ack = dict[str, Any]


class _FirstRequest(NamedTuple):
    """Of a connection's first request: the client's address, and the token in its headers."""

    address: str
    token: str | None


class ChatNamespace(AsyncNamespace):
    """Namespace `/`. Commands of one connection are started in the order sent, and acked when they are done."""

    def __init__(self, chat_app: ChatApp, origins: OriginPolicy) -> None:
        super().__init__("/")
        self._chat_app = chat_app
        self._origins = origins
        self._admitted: dict[str, tuple[Identity, Any]] = {}
        """By sid: who is accepted and does not know it yet, and their option `subscribe`."""
        self._callers: dict[str, Caller] = {}

    def trigger_event(self, event: str, *args: Any) -> Awaitable[Any]:
        """What python-socketio calls for everything: connect, disconnect and the client's own events."""
        if event == "connect":
            return self._connect(*args)
        if event == "disconnect":
            return self._disconnect(*args)
        return self._command(args[0], event, args[1:])

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        options = auth if isinstance(auth, dict) else {}
        first = self._first_request(environ)
        token = options.get("token")
        if token is None:
            token = first.token
        try:
            identity = await self._chat_app.identify(token)
            self._chat_app.admit(identity)
        except Refused as refused:
            self._chat_app.counts.refusals[refused.ending] += 1
            raise _refusal(refused) from None
        except Exception as error:
            log.error("Socket.IO handshake failed unforeseen", exc_info=error)
            raise _refusal(Refused("unavailable", Ending.OVERLOADED)) from None
        self._admitted[sid] = identity, options.get("subscribe")
        self.server.eio.recognize(self.server.manager.eio_sid_from_sid(sid, "/"), identity.user_id)

    def _first_request(self, environ: dict[str, Any]) -> _FirstRequest:
        """Reads the first request once. Nothing else of it is needed later, and it takes 5 KiB of a connection."""
        first: _FirstRequest | None = environ.get("vestnik.first_request")
        if first is None:
            request = environ["aiohttp.request"]
            first = _FirstRequest(self._origins.address(request), bearer(request.headers))
            environ.clear()
            environ["vestnik.first_request"] = first
        return first

    def ready(self, sid: str) -> None:
        """Called when the client knows that it is connected: `connected` is its first event."""
        try:
            self._let_in(sid)
        except Exception as error:
            # Otherwise the connection would stay open and nobody would answer it.
            log.error("Socket.IO handshake failed unforeseen", exc_info=error)
            self._chat_app.refuse(sid, Ending.OVERLOADED)

    def _let_in(self, sid: str) -> None:
        identity, subscribe = self._admitted.pop(sid)
        try:
            connection = self._chat_app.connect(identity, sid, "socketio")
        except Refused as refused:
            self._chat_app.counts.refusals[refused.ending] += 1
            self._chat_app.refuse(sid, refused.ending)
            return
        address = self._first_request(self.server.get_environ(sid)).address
        self._callers[sid] = Caller(identity.user_id, address, identity.session_id, connection)
        log.info(
            "WebSocket connected", gate="socket.io", user_id=identity.user_id, connection=sid, address=address
        )
        try:
            self._chat_app.subscribe(connection, subscribe)
        except ChatError as error:
            self._chat_app.counts.errors[error.code] += 1
            self._chat_app.send_error(sid, error_view(error, "socket"))

    async def _disconnect(self, sid: str, reason: str) -> None:
        self._admitted.pop(sid, None)
        caller = self._callers.pop(sid, None)
        if caller is not None:
            self._chat_app.disconnected(sid)
            log.info(
                "WebSocket closed", gate="socket.io", user_id=caller.user_id, connection=sid, reason=reason
            )

    async def _command(self, sid: str, event: str, args: tuple[Any, ...]) -> Ack | Deferred:
        try:
            caller = self._callers.get(sid)
            if caller is None:
                raise ChatError("unauthenticated", "the connection has ended")
            result = await self._chat_app.start(caller, event, _payload(args))
        except ChatError as error:
            return self._ack(error)
        if not isinstance(result, Later):
            return self._ack(result)
        return Deferred(
            lambda answer: self._chat_app.then(event, result, lambda outcome: answer(self._ack(outcome)))
        )

    def _ack(self, outcome: Outcome) -> Ack:
        if isinstance(outcome, ChatError):
            self._chat_app.counts.errors[outcome.code] += 1
            return {"ok": False, "error": error_view(outcome, "socket")}
        return {"ok": True, **outcome}

    def unasked(self, sid: str | None, ack: Ack) -> None:
        """Takes the ack of an event whose sender asked for none: a failure becomes the event `error`.

        `sid` is None once the sender has gone. An event emitted to no room would reach everybody.
        """
        if sid is not None and not ack["ok"]:
            self._chat_app.send_error(sid, ack["error"])


def _payload(args: tuple[Any, ...]) -> Mapping[str, Any]:
    """The payload of an event: one object, or nothing. Raises: `ChatError` `bad_frame`."""
    if not args or args[0] is None:
        return {}
    if type(args[0]) is not dict:
        raise ChatError("bad_frame", "the payload has to be an object")
    return args[0]


def _refusal(refused: Refused) -> SocketRefusedError:
    data = {
        "code": refused.code,
        "message": refused.message,
        "close_code": CLOSE_CODES[refused.ending].code,
    }
    return SocketRefusedError(refused.message, data)
