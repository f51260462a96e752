"""`socketio.AsyncServer`, hardened and fast."""

from functools import partial
from typing import Any

import socketio
from socketio.packet import Packet

from . import internals
from .engineio_server import EngineServer
from .engineio_session import Session
from .fanout import FanOut
from .incoming import IncomingPackets
from .invoke import trigger_event
from .links import Link
from .manager import FanOutManager
from .namespaces import Namespaces
from .packets import SocketIODialect


class AsyncServer(socketio.AsyncServer):
    """Takes what `socketio.AsyncServer(async_mode="aiohttp", …)` takes, what `EngineServer` takes, and:

    - `volatile_limit_bytes`: above this, unsent, a connection gets no volatile events.
    - `connect_timeout_s`: a connection that is in no namespace for so long is closed.

    Without a `client_manager` it is a `FanOutManager`, as is one of a class of it. Another `socketio.AsyncManager` does
    what it does in python-socketio; `fan_out`, `attach_link` and volatile events are not to be had with it.

    Beyond python-socketio: a handler may, if `async_handlers` is False, return an `asyncio.Future`, whose result is the
    ack while the client's next events go on, or a `Deferred`; a namespace object may have `ready(sid)`, called when the
    client is connected and knows it, before anything else of it is handled, and `unasked(sid, result)`, called with
    what came of an event for which the client wants no ack.

    Raises: TypeError for a `client_manager` that is none of asyncio's.
    """

    eio: EngineServer

    def __init__(
        self,
        client_manager: Any = None,
        *,
        serializer: Any = "default",
        json: Any = None,
        volatile_limit_bytes: int = 256 * 1024,
        connect_timeout_s: float = 10.0,
        **options: Any,
    ) -> None:
        self.volatile_limit_bytes = volatile_limit_bytes
        internals.use_engine(self, EngineServer)
        super().__init__(
            client_manager=_manager(client_manager), serializer=_packet_class(serializer, json), **options
        )
        self.eio.dialect = SocketIODialect(self.packet_class)
        is_ours = isinstance(self.manager, FanOutManager)
        if is_ours:
            self.eio.before_send = self.fan_out.flush
            self.eio.reply = self.fan_out.reply
        self._namespaces = Namespaces(self, connect_timeout_s)
        incoming = IncomingPackets(self, self._namespaces, self.manager.registry if is_ours else self.manager)
        opened, closed = self._namespaces.opened, self._namespaces.closed
        internals.replace_handlers(self, trigger=partial(trigger_event, self), opened=opened, closed=closed)
        self.eio.on("connect", opened)
        self.eio.on("message", incoming.message)
        self.eio.on("disconnect", closed)

    @property
    def fan_out(self) -> FanOut:
        """Posts events to rooms and replies to connections, without suspending.

        Raises: TypeError if the `client_manager` is not a `FanOutManager`.
        """
        if not isinstance(self.manager, FanOutManager):
            raise TypeError(
                f"this needs a FanOutManager as client_manager, not a {type(self.manager).__name__}"
            )
        return self.manager.fan_out

    # --- the API of socketio.AsyncServer -------------------------------------------------------------------------

    async def emit(
        self,
        event: str,
        data: Any = None,
        to: Any = None,
        room: Any = None,
        skip_sid: Any = None,
        namespace: str | None = None,
        callback: Any = None,
        ignore_queue: bool = False,
    ) -> None:
        """As python-socketio's, without its line in the log."""
        await self.manager.emit(
            event,
            data,
            namespace or "/",
            room=to or room,
            skip_sid=skip_sid,
            callback=callback,
            ignore_queue=ignore_queue,
        )

    async def disconnect(self, sid: str, namespace: str | None = None, ignore_queue: bool = False) -> None:
        """Ends a client's connection to a namespace; a connection of another kind is closed."""
        namespace = namespace or "/"
        is_here = self.manager.is_connected(sid, namespace)
        if not is_here and (ignore_queue or not await self.manager.can_disconnect(sid, namespace)):
            return
        eio_sid = self.manager.eio_sid_from_sid(sid, namespace)
        link = self.eio.sockets.get(eio_sid)
        if link is not None and not isinstance(link, Session):
            link.close(self.reason.SERVER_DISCONNECT)
            self.detach_link(link)
            return
        await self._namespaces.expel(eio_sid, sid, namespace)

    def instrument(
        self,
        auth: Any = None,
        mode: str = "development",
        read_only: bool = False,
        server_id: str | None = None,
        namespace: str = "/admin",
        server_stats_interval: int = 2,
    ) -> Any:
        """As python-socketio's. What goes over WebSockets, and what is posted to `fan_out`, is not counted."""
        admin = super().instrument(
            auth=auth,
            mode=mode,
            read_only=read_only,
            server_id=server_id,
            namespace=namespace,
            server_stats_interval=server_stats_interval,
        )

        def count(size: int) -> None:
            admin.event_buffer.push("packetsOut")
            admin.event_buffer.push("bytesOut", size)

        self.eio.on_answer = count
        return admin

    # --- links of other kinds ------------------------------------------------------------------------------------

    def attach_link(self, link: Link, namespace: str = "/") -> str:
        """Makes a connection of another kind a connected client of the namespace, without calling handlers; its sid.

        Raises: ValueError if it is one already; TypeError as `fan_out`.
        """
        rooms = self.fan_out.rooms
        self._namespaces.start_manager()
        sid: str = self.eio.generate_id()
        self.eio.sockets[link.sid] = link
        if not rooms.admit(sid, link.sid, namespace):
            raise ValueError("the link is attached already")
        rooms.welcome(sid, namespace)
        return sid

    def detach_link(self, link: Link) -> None:
        """Takes it out of all rooms and namespaces, without calling handlers. Does nothing for one not attached."""
        for namespace in list(self.manager.get_namespaces()):
            sid = self.manager.sid_from_eio_sid(link.sid, namespace)
            if sid is not None:
                self.manager.basic_disconnect(sid, namespace)
        self.eio.forget(link)

    # --- the end of connections ----------------------------------------------------------------------------------

    def end(
        self,
        sid: str,
        *,
        reconnect: bool,
        event: str | None = None,
        data: Any = None,
        namespace: str = "/",
        code: int = 1000,
    ) -> None:
        """Ends a client's whole connection, now, with a last event. Does not suspend; nothing for an unknown sid.

        `reconnect`: the transport just closes, a WebSocket without a close frame, and clients come back by themselves;
        else they get DISCONNECT, and do not. A waiting poll is answered with all that is queued; a peer that does
        not read is cut off after the close timeout. The disconnect handlers run once. `code` is that of the WebSocket's
        close frame.
        """
        link = self.eio.sockets.get(self.manager.eio_sid_from_sid(sid, namespace))
        if isinstance(link, Session):
            last = self._namespaces.last_packets(event, data, namespace, reconnect=reconnect)
            link.close(self.reason.SERVER_DISCONNECT, *last, code=code, drop=reconnect)
        elif link is not None:
            if event is not None:
                self.fan_out.post(event, data, namespace, room=sid)
            self.fan_out.flush()
            link.close(self.reason.SERVER_DISCONNECT)


def _manager(given: Any) -> Any:
    if given is None:
        return FanOutManager()
    if not isinstance(given, socketio.AsyncManager):
        raise TypeError(
            f"client_manager has to be a socketio.AsyncManager, as all managers for asyncio are, not a "
            f"{type(given).__name__}"
        )
    return given


def _packet_class(serializer: Any, json: Any) -> Any:
    """The serializer of a server with a JSON module of its own: python-socketio would set the module for every server
    and client in the process."""
    if json is None or serializer == "msgpack":
        return serializer
    return type("Packet", (Packet if serializer == "default" else serializer,), {"json": json})
