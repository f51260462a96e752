"""What Socket.IO clients send: packets are decoded, events call handlers, acks call back."""

import asyncio
from functools import partial
from typing import Any

from . import decoder, packets
from .decoder import Attachments, Packet
from .engineio_session import Session
from .invoke import Deferred, find_namespace
from .namespaces import Namespaces, SocketIOServer
from .packets import EnginePacket, ProtocolError


class IncomingPackets:
    """The packets of all clients. A client that breaks the protocol loses its connection; an error in a handler is
    logged, and ends no connection."""

    def __init__(self, server: SocketIOServer, namespaces: Namespaces, registry: Any) -> None:
        """`registry` knows the sids of connections: the client manager, or what it keeps them in."""
        self._server = server
        self._namespaces = namespaces
        self._registry = registry
        self._attachments = namespaces.attachments
        self._loads = decoder.strict_loads(server.packet_class.json)
        self._is_standard = packets.is_standard(server.packet_class)

    async def message(self, eio_sid: str, data: EnginePacket) -> None:
        """Handles an Engine.IO message. Raises: ProtocolError."""
        attachments = self._attachments.get(eio_sid) if self._attachments else None
        if attachments is not None:
            packet = attachments.add(data)
            if packet is None:
                return
            self._attachments.pop(eio_sid, None)
        else:
            packet = self._decode(data)
        kind, namespace = packet.type, packet.namespace
        if kind == packets.CONNECT:
            await self._namespaces.join(eio_sid, namespace, packet.data)
        elif kind == packets.DISCONNECT:
            reason = self._server.reason.CLIENT_DISCONNECT
            await self._namespaces.leave(eio_sid, namespace, reason)
        elif eio_sid not in self._namespaces.joined:
            raise ProtocolError("a packet before CONNECT")
        elif packet.attachments:
            self._attachments[eio_sid] = Attachments(packet, self._server.eio.max_http_buffer_size)
        elif kind in (packets.EVENT, packets.BINARY_EVENT):
            await self._event(eio_sid, packet)
        else:
            await self._ack_from_client(eio_sid, packet)

    def _decode(self, data: EnginePacket) -> Packet:
        if self._is_standard:
            if not isinstance(data, str):
                raise ProtocolError("binary data that nothing announced")
            return decoder.decode(data, self._loads)
        try:
            decoded = self._server.packet_class(encoded_packet=data)
        except Exception as error:  # a serializer may fail in its own ways
            raise ProtocolError("the serializer cannot decode it") from error
        return decoder.check(
            Packet(
                decoded.packet_type,
                decoded.namespace or "/",
                decoded.id,
                decoded.data,
                decoded.attachment_count,
            )
        )

    # --- events --------------------------------------------------------------------------------------------------

    async def _event(self, eio_sid: str, packet: Packet) -> None:
        sid = self._registry.sid_from_eio_sid(eio_sid, packet.namespace)
        if not self._registry.is_connected(sid, packet.namespace):
            return  # sent before the client knew that it had been disconnected
        work = self._handle(eio_sid, sid, packet)
        if self._server.async_handlers:
            self._server.eio.spawn(work)
        else:
            await work

    async def _handle(self, eio_sid: str, sid: str, packet: Packet) -> None:
        namespace, ack_id, data = packet.namespace, packet.id, packet.data
        try:
            result = await self._server._trigger_event(data[0], namespace, sid, *data[1:])
        except Exception:
            self._server.logger.exception("event handler error")
            return
        if isinstance(result, Deferred):
            result.subscribe(partial(self._answer, eio_sid, namespace, ack_id, at_once=False))
        elif isinstance(result, asyncio.Future):
            result.add_done_callback(partial(self._answer_when_done, eio_sid, namespace, ack_id))
        elif result is not self._server.not_handled:
            self._answer(eio_sid, namespace, ack_id, result)

    def _answer_when_done(
        self, eio_sid: str, namespace: str, ack_id: int | None, future: asyncio.Future[Any]
    ) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is not None:
            self._server.logger.error("event handler error", exc_info=error)
        else:
            self._answer(eio_sid, namespace, ack_id, future.result())

    def _answer(
        self, eio_sid: str, namespace: str, ack_id: int | None, result: Any, *, at_once: bool = True
    ) -> None:
        """Sends the ack, if the client asked for one: a tuple is several arguments, None is none. Else the namespace
        object's `unasked(sid, result)` is called."""
        if ack_id is None:
            self._unasked(eio_sid, namespace, result)
            return
        session = self._server.eio.sockets.get(eio_sid)
        if isinstance(session, Session):
            args = result if isinstance(result, tuple) else () if result is None else (result,)
            ack = session.dialect.ack(ack_id, args, namespace)
            if at_once:
                session.transmit(*ack)
            else:
                session.answer(ack)

    def _unasked(self, eio_sid: str, namespace: str, result: Any) -> None:
        handler, _ = find_namespace(self._server.namespace_handlers, namespace, ())
        unasked = getattr(handler, "unasked", None)
        if unasked is not None:
            unasked(self._registry.sid_from_eio_sid(eio_sid, namespace), result)

    # --- acks ----------------------------------------------------------------------------------------------------

    async def _ack_from_client(self, eio_sid: str, packet: Packet) -> None:
        if not packet.id:
            return  # ids begin at 1: under 0 python-socketio keeps the counter that makes them
        sid = self._registry.sid_from_eio_sid(eio_sid, packet.namespace)
        try:
            await self._server.manager.trigger_callback(sid, packet.id, packet.data)
        except Exception:
            self._server.logger.exception("callback error")
