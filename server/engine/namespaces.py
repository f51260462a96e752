"""CONNECT and DISCONNECT: which client is in which namespace of Socket.IO, and the application's handlers for both."""

import logging
from typing import Any, Protocol

from socketio.exceptions import ConnectionRefusedError as Rejected

from . import packets
from .clock import Timer
from .decoder import Attachments
from .engineio_session import Session
from .invoke import call, find_namespace
from .packets import EnginePacket, ProtocolError

REJECTED = {"message": "Connection rejected by server"}


class SocketIOServer(Protocol):
    """The public part of `socketio.AsyncServer` that the packets of clients need."""

    eio: Any
    manager: Any
    manager_initialized: bool
    packet_class: Any
    handlers: dict[str, Any]
    namespaces: Any
    namespace_handlers: dict[str, Any]
    environ: dict[str, Any]
    always_connect: bool
    async_handlers: bool
    not_handled: object
    logger: logging.Logger
    reason: Any

    async def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        """Calls the application's handler; `internals.replace_handlers` says why it has this name."""


class Namespaces:
    """Lets clients into namespaces and out of them. A connection that is in none is closed in time."""

    def __init__(self, server: SocketIOServer, connect_timeout_s: float) -> None:
        self._server = server
        self._connect_timeout_s = connect_timeout_s
        self._timers: dict[str, Timer] = {}
        self.joined: set[str] = set()
        """The Engine.IO sids of connections that are, or have been, in a namespace."""
        self.attachments: dict[str, Attachments] = {}
        """By Engine.IO sid: the packets whose attachments have not all come."""

    def start_manager(self) -> None:
        """Has the client manager initialize itself, the first time."""
        if not self._server.manager_initialized:
            self._server.manager_initialized = True
            self._server.manager.initialize()

    # --- connections of Engine.IO --------------------------------------------------------------------------------

    async def opened(self, eio_sid: str, environ: dict[str, Any]) -> None:
        """A connection has come."""
        self.start_manager()
        self._server.environ[eio_sid] = environ
        self._expect_connect(eio_sid)

    async def closed(self, eio_sid: str, reason: str) -> None:
        """A connection has gone."""
        for namespace in list(self._server.manager.get_namespaces()):
            await self.leave(eio_sid, namespace, reason)
        self._server.environ.pop(eio_sid, None)
        self.joined.discard(eio_sid)
        self.attachments.pop(eio_sid, None)
        self._cancel_timer(eio_sid)

    def _expect_connect(self, eio_sid: str) -> None:
        """A connection that is in no namespace is of no use, and is closed in time."""
        if (
            eio_sid in self._server.environ
            and eio_sid not in self._timers
            and not self._namespaces_of(eio_sid)
        ):
            clock = self._server.eio.clock
            self._timers[eio_sid] = clock.call_later(self._connect_timeout_s, self._connect_missing, eio_sid)

    def _cancel_timer(self, eio_sid: str) -> None:
        timer = self._timers.pop(eio_sid, None)
        if timer is not None:
            timer.cancel()

    def _connect_missing(self, eio_sid: str) -> None:
        self._timers.pop(eio_sid, None)
        session = self._server.eio.sockets.get(eio_sid)
        if isinstance(session, Session) and not self._namespaces_of(eio_sid):
            session.close(self._server.reason.SERVER_DISCONNECT, packets.CLOSE)

    def _namespaces_of(self, eio_sid: str) -> list[str]:
        manager = self._server.manager
        return [
            namespace
            for namespace in manager.get_namespaces()
            if manager.sid_from_eio_sid(eio_sid, namespace) is not None
        ]

    # --- CONNECT -------------------------------------------------------------------------------------------------

    async def join(self, eio_sid: str, namespace: str, auth: Any) -> None:
        """Takes a CONNECT. Raises: ProtocolError for a second one."""
        server = self._server
        if not self._accepts(namespace):
            self._send(packets.CONNECT_ERROR, eio_sid, namespace, {"message": "Invalid namespace"})
            return
        sid = await server.manager.pre_connect(eio_sid, namespace)
        if sid is None:
            raise ProtocolError("a second CONNECT")
        if server.always_connect:
            self._send(packets.CONNECT, eio_sid, namespace, {"sid": sid})
            await server.manager.connect(sid, namespace)
        refusal = await self._refusal(eio_sid, namespace, sid, auth)
        if refusal is not None:
            kind = packets.DISCONNECT if server.always_connect else packets.CONNECT_ERROR
            self._send(kind, eio_sid, namespace, refusal)
            await server.manager.disconnect(sid, namespace, ignore_queue=True)
            self._expect_connect(eio_sid)
            return
        if not server.always_connect:
            self._send(packets.CONNECT, eio_sid, namespace, {"sid": sid})
            await server.manager.connect(sid, namespace)
        await self._connected(eio_sid, namespace, sid)

    def _accepts(self, namespace: str) -> bool:
        server = self._server
        return (
            server.namespaces == "*"
            or namespace in server.namespaces
            or namespace in server.handlers
            or namespace in server.namespace_handlers
        )

    async def _refusal(self, eio_sid: str, namespace: str, sid: str, auth: Any) -> Any:
        """What the connect handler refuses with; None if it does not."""
        server = self._server
        try:
            accepted = await server._trigger_event(
                "connect", namespace, sid, server.environ.get(eio_sid), auth
            )
        except Rejected as refusal:
            return refusal.error_args
        except ConnectionRefusedError:
            return {"message": "Connection refused by server"}
        except Exception:
            server.logger.exception("connect handler error")
            return REJECTED
        return REJECTED if accepted is False else None

    async def _connected(self, eio_sid: str, namespace: str, sid: str) -> None:
        server = self._server
        session = server.eio.sockets.get(eio_sid)
        if session is None or session.is_closing:
            # The client went while the connect handler ran: an application that has seen it come sees it go.
            await self.leave(eio_sid, namespace, server.reason.TRANSPORT_CLOSE)
            return
        self.joined.add(eio_sid)
        if not server.manager.is_connected(sid, namespace):
            return  # the connect handler has disconnected the client, which may connect anew in time
        self._cancel_timer(eio_sid)
        handler, args = find_namespace(server.namespace_handlers, namespace, (sid,))
        ready = getattr(handler, "ready", None)
        if ready is None:
            return
        try:
            await call(ready, args)
        except Exception:
            server.logger.exception("ready handler error")

    def _send(self, kind: int, eio_sid: str, namespace: str, data: Any) -> None:
        server = self._server
        session = server.eio.sockets.get(eio_sid)
        if isinstance(session, Session):
            packet = server.packet_class(kind, data=data, namespace=namespace)
            session.transmit(*server.eio.dialect.wrap(packet))

    # --- DISCONNECT ----------------------------------------------------------------------------------------------

    async def leave(self, eio_sid: str, namespace: str, reason: str) -> None:
        """The connection leaves a namespace. Does nothing if it is not in it."""
        sid = self._server.manager.sid_from_eio_sid(eio_sid, namespace)
        if self._server.manager.is_connected(sid, namespace):
            await self._leave(eio_sid, sid, namespace, reason)

    async def expel(self, eio_sid: str, sid: str, namespace: str) -> None:
        """Tells the client that it is disconnected from a namespace, and has it leave."""
        self._send(packets.DISCONNECT, eio_sid, namespace, None)
        await self._leave(eio_sid, sid, namespace, self._server.reason.SERVER_DISCONNECT)

    async def _leave(self, eio_sid: str, sid: str, namespace: str, reason: str) -> None:
        server = self._server
        server.manager.pre_disconnect(sid, namespace=namespace)
        self.attachments.pop(eio_sid, None)
        try:
            await server._trigger_event("disconnect", namespace, sid, reason)
        except Exception:
            server.logger.exception("disconnect handler error")
        finally:
            await server.manager.disconnect(sid, namespace, ignore_queue=True)
            self._expect_connect(eio_sid)

    def last_packets(
        self, event: str | None, data: Any, namespace: str, *, reconnect: bool
    ) -> list[EnginePacket]:
        """What a client gets last: an event, and a DISCONNECT if it is not to reconnect."""
        dialect, last = self._server.eio.dialect, list[EnginePacket]()
        if event is not None:
            args = data if isinstance(data, tuple) else () if data is None else (data,)
            last += dialect.packets(event, args, namespace)
        if not reconnect:
            last += dialect.wrap(self._server.packet_class(packets.DISCONNECT, namespace=namespace))
        return last
