"""The port `Hub` over the engine: rooms and events of namespace `/`."""

from collections.abc import Callable, Collection

from client_compat.connection import RawConnection
from handlers.live.hub import Payload
from handlers.wire.endings import CLOSE_CODES, Ending, retry_in_ms
from handlers.wire.events import EVENT_NAMES
from server.engine import AsyncServer

RETRY_SPREAD_MS = 5_000
"""Clients come back after a restart spread over this time."""


class EngineHub:
    """Implements `handlers.live.hub.Hub`. `events` counts what was emitted, by event."""

    def __init__(self, sio: AsyncServer) -> None:
        self._sio = sio
        self._fan_out = sio.fan_out
        self._on_end: Callable[[str, Ending], None] = lambda _connection_id, _ending: None
        self.events = dict.fromkeys(EVENT_NAMES, 0)

    def emit(
        self, event: str, payload: Payload, *, room: str, skip: Collection[str] = (), volatile: bool = False
    ) -> None:
        self.events[event] += 1
        self._fan_out.post(event, payload, "/", room=room, skip_sid=skip, volatile=volatile)

    def emit_once(
        self, event: str, payload: Payload, *, rooms: Collection[str], skip: Collection[str] = ()
    ) -> None:
        self.events[event] += 1
        self._fan_out.post(event, payload, "/", room=list(rooms), skip_sid=skip)

    def enter(self, connection_id: str, room: str) -> None:
        self._fan_out.enter(connection_id, room)

    def leave(self, connection_id: str, room: str) -> None:
        self._fan_out.leave(connection_id, room)

    def unsent_bytes(self, connection_id: str) -> int:
        return self._fan_out.unsent_bytes(connection_id)

    def unread_bytes(self, connection_id: str) -> int:
        eio_sid = self._fan_out.rooms.eio_sid_from_sid(connection_id, "/")
        if eio_sid is not None:
            self._fan_out.flush(eio_sid)  # so that what is gathered counts
        return self.unsent_bytes(connection_id)

    async def turn(self, connection_id: str, size: int) -> None:
        link = self._sio.eio.sockets.get(self._fan_out.rooms.eio_sid_from_sid(connection_id, "/"))
        if link is not None:
            await link.pace.serve(size)

    def end_link(self, eio_sid: str, ending: Ending) -> None:
        """`end` for the engine, which knows connections by their Engine.IO ids."""
        connection_id = self._fan_out.rooms.sid_from_eio_sid(eio_sid, "/")
        if connection_id is not None:
            self.end(connection_id, ending)

    def end(self, connection_id: str, ending: Ending) -> None:
        link = self._sio.eio.sockets.get(self._fan_out.rooms.eio_sid_from_sid(connection_id, "/"))
        retry_ms = retry_in_ms(ending, RETRY_SPREAD_MS)
        if isinstance(link, RawConnection):
            link.end(ending, retry_ms)
        else:
            self._end_client(connection_id, ending, retry_ms)
        self._on_end(connection_id, ending)

    def on_end(self, listener: Callable[[str, Ending], None]) -> None:
        self._on_end = listener

    def _end_client(self, connection_id: str, ending: Ending, retry_ms: int | None) -> None:
        close = CLOSE_CODES[ending]
        closing: dict[str, object] = {"code": close.code, "reason": ending.value}
        if retry_ms is not None:
            closing["retry_in_ms"] = retry_ms
        self._sio.end(
            connection_id, event="closing", data=closing, reconnect=close.reconnect, code=close.code
        )
