"""`socketio.AsyncServer`, hardened and fast."""

from typing import Any

from . import packets
from .clients import ClientServer
from .fanout import FanOutManager
from .links import Link
from .packets import EnginePacket, SocketIODialect
from .sockets import Socket
from .transport import EngineServer


class AsyncServer(ClientServer):
    """Takes what `socketio.AsyncServer(async_mode="aiohttp", …)` takes, what `EngineServer` takes, and:

    - `volatile_limit_bytes`: above this, unsent, a connection gets no volatile events.
    - `connect_timeout_s`: a connection that is in no namespace for so long is closed.

    Without a `client_manager` it is a `FanOutManager`. Beyond python-socketio: a handler may, if `async_handlers` is
    False, return an `asyncio.Future`, whose result is the ack while the client's next events go on, or a `Deferred`; a
    namespace object may have `ready(sid)`, called when the client is connected and knows it, before anything else of it
    is looked at, and `unasked(sid, result)`, called with what came of an event for which the client wants no ack.
    """

    def __init__(
        self,
        client_manager: Any = None,
        *,
        volatile_limit_bytes: int = 256 * 1024,
        connect_timeout_s: float = 10.0,
        **options: Any,
    ) -> None:
        self.volatile_limit_bytes = volatile_limit_bytes
        super().__init__(connect_timeout_s, client_manager=client_manager or FanOutManager(), **options)
        self.eio.dialect = SocketIODialect(self.packet_class)
        if isinstance(self.manager, FanOutManager):
            self.eio.before_send = self.manager.flush
            self.eio.reply = self.manager.reply

    def _engineio_server_class(self) -> type[EngineServer]:
        return EngineServer

    # --- sending -------------------------------------------------------------------------------------------------

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
        await self.manager.emit(
            event,
            data,
            namespace or "/",
            room=to or room,
            skip_sid=skip_sid,
            callback=callback,
            ignore_queue=ignore_queue,
        )

    # --- links of other kinds ------------------------------------------------------------------------------------

    def attach_link(self, link: Link, namespace: str = "/") -> str:
        """Makes a connection of another kind a connected client of the namespace, without calling handlers; its sid.

        Raises: ValueError if it is one already.
        """
        self._start_manager()
        self.eio.sockets[link.sid] = link
        sid: str | None = self.manager.admit(link.sid, namespace)
        if sid is None:
            raise ValueError("the link is attached already")
        self.manager.welcome(sid, namespace)
        return sid

    def detach_link(self, link: Link) -> None:
        """Takes it out of all rooms and namespaces, without calling handlers. Does nothing for one not attached."""
        for namespace in list(self.manager.get_namespaces()):
            sid = self.manager.sid_from_eio_sid(link.sid, namespace)
            if sid is not None:
                self.manager.basic_disconnect(sid, namespace)
        self.eio.forget(link)

    # --- the end of connections ----------------------------------------------------------------------------------

    async def disconnect(self, sid: str, namespace: str | None = None, ignore_queue: bool = False) -> None:
        """Ends a client's connection to a namespace; a connection of another kind is closed."""
        namespace = namespace or "/"
        here = self.manager.is_connected(sid, namespace)
        if not here and (ignore_queue or not await self.manager.can_disconnect(sid, namespace)):
            return
        eio_sid = self.manager.eio_sid_from_sid(sid, namespace)
        link = self.eio.sockets.get(eio_sid)
        if link is not None and not isinstance(link, Socket):
            await link.close(wait=False, reason=self.reason.SERVER_DISCONNECT)
            self.detach_link(link)
            return
        packet = self.packet_class(packets.DISCONNECT, namespace=namespace)
        await self._send_packet(eio_sid, packet)
        await self._leave_namespace(eio_sid, sid, namespace, self.reason.SERVER_DISCONNECT)

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
        else they are told DISCONNECT, and do not. A waiting poll is answered with all that is queued; a peer that does
        not read is cut off after the close timeout. The disconnect handlers run once. `code` is that of the WebSocket's
        close frame.
        """
        eio_sid = self.manager.eio_sid_from_sid(sid, namespace)
        link = self.eio.sockets.get(eio_sid)
        if link is None:
            return
        if not isinstance(link, Socket):
            if event is not None:
                self.manager.post(event, data, namespace, room=sid)
            self.manager.flush()
            self.eio.spawn(link.close(wait=False, reason=self.reason.SERVER_DISCONNECT))
            return
        last: list[EnginePacket] = []
        if event is not None:
            args = data if isinstance(data, tuple) else () if data is None else (data,)
            last += self.eio.dialect.packets(event, args, namespace)
        if not reconnect:
            last += self.eio.dialect.wrap(self.packet_class(packets.DISCONNECT, namespace=namespace))
        link.stop(self.reason.SERVER_DISCONNECT, *last, code=code, drop=reconnect)
