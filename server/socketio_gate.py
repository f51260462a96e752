"""The Socket.IO door: every event of namespace `/` is a command, and goes to its handler."""

from collections.abc import Awaitable, Mapping
from typing import Any, NamedTuple

import structlog
from socketio import AsyncNamespace
from socketio.exceptions import ConnectionRefusedError as SocketRefusedError

from client_compat.frames import error_payload
from handlers import dispatch
from handlers.chat_app import ChatApp
from handlers.context import Caller
from handlers.dispatch import Outcome
from handlers.live.identities import Identity
from handlers.registry import Later
from handlers.wire.close_codes import CLOSE_CODES
from handlers.wire.endings import Ending, Refused
from handlers.wire.errors import ChatError
from server.engine import Deferred
from server.origins import OriginPolicy, bearer
from storage.errors import StorageError

log = structlog.get_logger("vestnik")

Ack = dict[str, Any]


class _Came(NamedTuple):
    """How a connection came: from where, and with which token in the headers of its first request."""

    address: str
    token: str | None


class ChatNamespace(AsyncNamespace):
    """Namespace `/`. Commands of one connection are started in the order sent, and acked when they are done."""

    def __init__(self, chat_app: ChatApp, origins: OriginPolicy) -> None:
        super().__init__("/")
        self._chat_app = chat_app
        self._origins = origins
        self._admitted: dict[str, tuple[Identity, Any]] = {}
        """Who has been let in and not been told so yet, and what he asked to subscribe to."""
        self._callers: dict[str, Caller] = {}

    def trigger_event(self, event: str, *args: Any) -> Awaitable[Any]:
        """What python-socketio calls for everything: connect, disconnect and the client's own events."""
        if event == "connect":
            return self._connect(*args)
        if event == "disconnect":
            return self._disconnect(*args)
        return self._command(args[0], event, args[1:])

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        wishes = auth if isinstance(auth, dict) else {}
        token = wishes.get("token")
        came = self._came(environ)
        if token is None:
            token = came.token
        try:
            if not isinstance(token, str):
                raise Refused("unauthenticated", Ending.UNAUTHENTICATED)
            identity = await self._chat_app.authenticate(token)
            self._chat_app.admit(identity)
        except Refused as refused:
            raise _refusal(refused) from None
        except StorageError:
            raise _refusal(Refused("unavailable", Ending.OVERLOADED)) from None
        except Exception as error:
            log.error("Socket.IO handshake failed unforeseen", exc_info=error)
            raise _refusal(Refused("unavailable", Ending.OVERLOADED)) from None
        self._admitted[sid] = identity, wishes.get("subscribe")
        self.server.eio.recognize(self.server.manager.eio_sid_from_sid(sid, "/"), identity.user_id)

    def _came(self, environ: dict[str, Any]) -> _Came:
        """Looks at the request once. Nothing else of it is needed later, and it is 5 KiB of a connection."""
        came: _Came | None = environ.get("vestnik.came")
        if came is None:
            request = environ["aiohttp.request"]
            came = _Came(self._origins.address(request), bearer(request.headers))
            environ.clear()
            environ["vestnik.came"] = came
        return came

    def ready(self, sid: str) -> None:
        """The client has been told that it is connected: `connected` is its first event."""
        try:
            self._let_in(sid)
        except Exception as error:
            # Else it would stay, and be heard by nobody.
            log.error("Socket.IO handshake failed unforeseen", exc_info=error)
            self._chat_app.context.hub.end(sid, Ending.OVERLOADED)
            self._chat_app.disconnected(sid)

    def _let_in(self, sid: str) -> None:
        identity, wish = self._admitted.pop(sid)
        try:
            connection = self._chat_app.connect(identity, sid)
        except Refused as refused:
            self._chat_app.end(sid, refused.ending)
            return
        address = self._came(self.server.get_environ(sid)).address
        self._callers[sid] = Caller(identity.user_id, address, identity.session_id, connection)
        log.info(
            "WebSocket connected", gate="socket.io", user_id=identity.user_id, connection=sid, address=address
        )
        try:
            self._chat_app.subscribe(connection, wish)
        except ChatError as error:
            self._chat_app.context.hub.emit("error", error_payload(error), room=sid)

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
            return _ack(error)
        if not isinstance(result, Later):
            return _ack(result)
        return Deferred(lambda answer: dispatch.then(result, lambda outcome: answer(_ack(outcome))))

    def unasked(self, sid: str | None, ack: Ack) -> None:
        """What came of an event whose sender asked for no ack: a failure is told by the event `error`.

        `sid` is None once the sender has gone; to emit to no room would be to tell everybody.
        """
        if sid is not None and not ack["ok"]:
            self._chat_app.context.hub.emit("error", ack["error"], room=sid)


def _payload(args: tuple[Any, ...]) -> Mapping[str, Any]:
    """The payload of an event: one object, or nothing. Raises: `ChatError` `bad_frame`."""
    if not args or args[0] is None:
        return {}
    if type(args[0]) is not dict:
        raise ChatError("bad_frame", "the payload has to be an object")
    return args[0]


def _ack(outcome: Outcome) -> Ack:
    if isinstance(outcome, ChatError):
        return {"ok": False, "error": error_payload(outcome)}
    return {"ok": True, **outcome}


def _refusal(refused: Refused) -> SocketRefusedError:
    data = {
        "code": refused.code,
        "message": refused.message,
        "close_code": CLOSE_CODES[refused.ending].code,
    }
    return SocketRefusedError(refused.message, data)
