"""What a Socket.IO client may send, and what comes of it."""

import asyncio
from functools import partial
from typing import Any

import socketio
from socketio.exceptions import ConnectionRefusedError as Rejected

from . import packets
from .dispatch import Deferred, call, call_namespace, fit
from .packets import Attachments, EnginePacket, Packet, ProtocolError
from .sockets import Socket

REJECTED = {"message": "Connection rejected by server"}


class ClientServer(socketio.AsyncServer):
    """The half of `AsyncServer` that clients see. Whoever breaks the protocol loses his connection; an error in a
    handler is logged, and costs nobody anything."""

    def __init__(self, connect_timeout_s: float, *, json: Any = None, **options: Any) -> None:
        self.connect_timeout_s = connect_timeout_s
        self.manager_initialized = False
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._greeted: set[str] = set()
        super().__init__(**options)
        if json is not None:
            # python-socketio would set it for every server and client in the process.
            self.packet_class: Any = type("Packet", (self.packet_class,), {"json": json})
        self._loads = packets.strict_loads(self.packet_class.json)
        self._is_standard = packets.is_standard(self.packet_class)

    async def _send_packet(self, eio_sid: str, pkt: Any) -> None:
        socket = self.eio.sockets.get(eio_sid)
        if isinstance(socket, Socket):
            socket.transmit(*self.eio.dialect.wrap(pkt))

    # --- DISCONNECT ----------------------------------------------------------------------------------------------

    async def _leave_namespace(self, eio_sid: str, sid: str, namespace: str, reason: str) -> None:
        self.manager.pre_disconnect(sid, namespace=namespace)
        self._binary_packet.pop(eio_sid, None)
        try:
            await self._trigger_event("disconnect", namespace, sid, reason)
        except Exception:
            self.logger.exception("disconnect handler error")
        finally:
            await self.manager.disconnect(sid, namespace, ignore_queue=True)
            self._expect_connect(eio_sid)

    async def _handle_disconnect(self, eio_sid: str, namespace: str, reason: str | None = None) -> None:
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
        if self.manager.is_connected(sid, namespace):
            await self._leave_namespace(eio_sid, sid, namespace, reason or self.reason.CLIENT_DISCONNECT)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        for namespace in list(self.manager.get_namespaces()):
            await self._handle_disconnect(eio_sid, namespace, reason)
        self.environ.pop(eio_sid, None)
        self._greeted.discard(eio_sid)
        self._binary_packet.pop(eio_sid, None)
        self._cancel_timer(eio_sid)

    # --- CONNECT -------------------------------------------------------------------------------------------------

    def _start_manager(self) -> None:
        if not self.manager_initialized:
            self.manager_initialized = True
            self.manager.initialize()

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        self._start_manager()
        self.environ[eio_sid] = environ
        self._expect_connect(eio_sid)

    def _expect_connect(self, eio_sid: str) -> None:
        """A connection that is in no namespace is of no use to anybody, and is closed in time."""
        if eio_sid in self.environ and eio_sid not in self._timers and not self._namespaces_of(eio_sid):
            loop = asyncio.get_running_loop()
            self._timers[eio_sid] = loop.call_later(self.connect_timeout_s, self._connect_missing, eio_sid)

    def _cancel_timer(self, eio_sid: str) -> None:
        timer = self._timers.pop(eio_sid, None)
        if timer is not None:
            timer.cancel()

    def _connect_missing(self, eio_sid: str) -> None:
        self._timers.pop(eio_sid, None)
        socket = self.eio.sockets.get(eio_sid)
        if isinstance(socket, Socket) and not self._namespaces_of(eio_sid):
            socket.stop(self.reason.SERVER_DISCONNECT, packets.CLOSE)

    def _namespaces_of(self, eio_sid: str) -> list[str]:
        return [
            namespace
            for namespace in self.manager.get_namespaces()
            if self.manager.sid_from_eio_sid(eio_sid, namespace) is not None
        ]

    def _accepts(self, namespace: str) -> bool:
        return (
            self.namespaces == "*"
            or namespace in self.namespaces
            or namespace in self.handlers
            or namespace in self.namespace_handlers
        )

    async def _handle_connect(self, eio_sid: str, namespace: str, data: Any) -> None:
        if not self._accepts(namespace):
            await self._tell(packets.CONNECT_ERROR, eio_sid, namespace, {"message": "Invalid namespace"})
            return
        sid = await self.manager.pre_connect(eio_sid, namespace)
        if sid is None:
            raise ProtocolError("a second CONNECT")
        if self.always_connect:
            await self._tell(packets.CONNECT, eio_sid, namespace, {"sid": sid})
            await self.manager.connect(sid, namespace)
        refusal = await self._refusal(eio_sid, namespace, sid, data)
        if refusal is not None:
            kind = packets.DISCONNECT if self.always_connect else packets.CONNECT_ERROR
            await self._tell(kind, eio_sid, namespace, refusal)
            await self.manager.disconnect(sid, namespace, ignore_queue=True)
            self._expect_connect(eio_sid)
            return
        if not self.always_connect:
            await self._tell(packets.CONNECT, eio_sid, namespace, {"sid": sid})
            await self.manager.connect(sid, namespace)
        await self._connected(eio_sid, namespace, sid)

    async def _refusal(self, eio_sid: str, namespace: str, sid: str, auth: Any) -> Any:
        """What the connect handler refuses with; None if it does not."""
        try:
            accepted = await self._trigger_event("connect", namespace, sid, self.environ.get(eio_sid), auth)
        except Rejected as refusal:
            return refusal.error_args
        except ConnectionRefusedError:
            return {"message": "Connection refused by server"}
        except Exception:
            self.logger.exception("connect handler error")
            return REJECTED
        return REJECTED if accepted is False else None

    async def _connected(self, eio_sid: str, namespace: str, sid: str) -> None:
        socket = self.eio.sockets.get(eio_sid)
        if socket is None or socket.closing:
            # It went while the connect handler ran; whoever has seen it come shall see it go.
            await self._handle_disconnect(eio_sid, namespace, self.reason.TRANSPORT_CLOSE)
            return
        self._greeted.add(eio_sid)
        self._cancel_timer(eio_sid)
        handler, args = self._get_namespace_handler(namespace, (sid,))
        ready = getattr(handler, "ready", None)
        if ready is None:
            return
        try:
            await call(ready, args)
        except Exception:
            self.logger.exception("ready handler error")

    async def _tell(self, kind: int, eio_sid: str, namespace: str, data: Any) -> None:
        await self._send_packet(eio_sid, self.packet_class(kind, data=data, namespace=namespace))

    # --- events and acks -----------------------------------------------------------------------------------------

    async def _handle_eio_message(self, eio_sid: str, data: EnginePacket) -> None:
        attachments = self._binary_packet.get(eio_sid)
        if attachments is not None:
            packet = attachments.add(data)
            if packet is None:
                return
            self._binary_packet.pop(eio_sid, None)
        else:
            packet = self._decode(data)
        kind, namespace = packet.type, packet.namespace
        if kind == packets.CONNECT:
            await self._handle_connect(eio_sid, namespace, packet.data)
        elif kind == packets.DISCONNECT:
            await self._handle_disconnect(eio_sid, namespace)
        elif eio_sid not in self._greeted:
            raise ProtocolError("a packet before CONNECT")
        elif packet.attachments:
            self._binary_packet[eio_sid] = Attachments(packet, self.eio.max_http_buffer_size)
        elif kind in (packets.EVENT, packets.BINARY_EVENT):
            await self._handle_event(eio_sid, namespace, packet.id, packet.data)
        else:
            await self._handle_ack(eio_sid, namespace, packet.id, packet.data)

    def _decode(self, data: EnginePacket) -> Packet:
        if self._is_standard:
            if not isinstance(data, str):
                raise ProtocolError("binary data that nothing announced")
            return packets.decode(data, self._loads)
        try:
            decoded = self.packet_class(encoded_packet=data)
        except Exception as error:  # a serializer may fail in its own ways
            raise ProtocolError("the serializer cannot decode it") from error
        return packets.check(
            Packet(
                decoded.packet_type,
                decoded.namespace or "/",
                decoded.id,
                decoded.data,
                decoded.attachment_count,
            )
        )

    async def _handle_event(self, eio_sid: str, namespace: str, id: int | None, data: list[Any]) -> None:  # noqa: A002
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
        if not self.manager.is_connected(sid, namespace):
            return  # sent before it knew that it had been disconnected
        work = self._handle_event_internal(self, sid, eio_sid, data, namespace, id)
        if self.async_handlers:
            self.eio.spawn(work)
        else:
            await work

    async def _handle_event_internal(
        self,
        server: Any,
        sid: str,
        eio_sid: str,
        data: list[Any],
        namespace: str,
        id: int | None,  # noqa: A002
    ) -> None:
        try:
            result = await self._trigger_event(data[0], namespace, sid, *data[1:])
        except Exception:
            self.logger.exception("event handler error")
            return
        if isinstance(result, Deferred):
            result.subscribe(partial(self._answer, eio_sid, namespace, id, at_once=False))
        elif isinstance(result, asyncio.Future):
            result.add_done_callback(partial(self._answer_when_done, eio_sid, namespace, id))
        elif result is not self.not_handled:
            self._answer(eio_sid, namespace, id, result)

    def _answer_when_done(
        self, eio_sid: str, namespace: str, ack_id: int | None, future: asyncio.Future[Any]
    ) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is not None:
            self.logger.error("event handler error", exc_info=error)
        else:
            self._answer(eio_sid, namespace, ack_id, future.result())

    def _answer(
        self, eio_sid: str, namespace: str, ack_id: int | None, result: Any, *, at_once: bool = True
    ) -> None:
        """The ack, for a client that asked for one; else the namespace object's `unasked(sid, result)` has it."""
        if ack_id is not None:
            self._ack(eio_sid, namespace, ack_id, result, at_once)
            return
        handler, _ = self._get_namespace_handler(namespace, ())
        unasked = getattr(handler, "unasked", None)
        if unasked is not None:
            unasked(self.manager.sid_from_eio_sid(eio_sid, namespace), result)

    def _ack(self, eio_sid: str, namespace: str, ack_id: int, result: Any, at_once: bool) -> None:
        """A tuple is several arguments, None is none."""
        socket = self.eio.sockets.get(eio_sid)
        if isinstance(socket, Socket):
            args = result if isinstance(result, tuple) else () if result is None else (result,)
            send = socket.transmit if at_once else socket.answer
            send(*self.eio.dialect.ack(ack_id, args, namespace))

    async def _handle_ack(self, eio_sid: str, namespace: str, id: int | None, data: list[Any]) -> None:  # noqa: A002
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
        try:
            await self.manager.trigger_callback(sid, id, data)
        except Exception:
            self.logger.exception("callback error")

    async def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        if self.handlers:
            handler, handler_args = self._get_event_handler(event, namespace, args)
            if handler is not None:
                if event in self.reserved_events:
                    handler_args = fit(handler, handler_args)
                return await call(handler, handler_args)
        handler, handler_args = self._get_namespace_handler(namespace, args)
        if handler is None:
            return self.not_handled
        return await call_namespace(handler, event, handler_args)
