"""The port `Hub` over the engine: rooms and events of namespace `/`."""

from collections import deque
from collections.abc import Callable, Collection

from client_compat.connection import RawConnection
from client_compat.raw_frames import RawDialect
from domain.frozen import frozen
from handlers.live.freshness import AlwaysFresh, Freshness
from handlers.live.hub import Blobs, Payload
from handlers.wire.endings import CLOSE_CODES, RETRY_SPREAD_MS, Ending, retry_in_ms
from handlers.wire.events import EVENT_NAMES
from server.engine import AsyncServer, ReadyEvent, RoomEvent, frames

RAW_DIALECT = RawDialect(frames.text)

FROM_BUS = "from_bus"
"""The name under which events are counted that another node has encoded: their names are not read."""


@frozen
class _Event:
    """An event that is held."""

    event: str
    payload: Payload
    room: str | list[str]
    skip: Collection[str]
    volatile: bool


@frozen
class _EncodedEvent:
    """An event that is encoded already, and is held."""

    posted: RoomEvent
    room: str


@frozen
class _Entry:
    """A connection that is to be in a room, after the events that were held before."""

    connection_id: str
    room: str


_Held = _Event | _EncodedEvent | _Entry


class EngineHub:
    """Implements `handlers.live.hub.Hub`. `events` counts what was emitted, by event."""

    def __init__(self, sio: AsyncServer) -> None:
        self._sio = sio
        self._fan_out = sio.fan_out
        self._on_end: Callable[[str, Ending], None] = lambda _connection_id, _ending: None
        self.events = dict.fromkeys((*EVENT_NAMES, FROM_BUS), 0)
        self._dialects = (RAW_DIALECT, sio.eio.dialect)
        """In the order of `Blobs`."""
        self._freshness: Freshness = AlwaysFresh()
        self._held: deque[_Held] = deque()
        """What waits, in order, until this node knows again what others did."""
        self._held_entries: set[_Entry] = set()
        """Those in `_held`: thousands of connections that end leave rooms, and few of them have just entered one."""
        self.retry_spread_ms = RETRY_SPREAD_MS
        """Over which time clients that are ended because the server goes away come back."""

    def emit(
        self, event: str, payload: Payload, *, room: str, skip: Collection[str] = (), volatile: bool = False
    ) -> None:
        self.events[event] += 1
        if self._holds():
            self._held.append(_Event(event, payload, room, skip, volatile))
            return
        self._fan_out.post(event, payload, "/", room=room, skip_sid=skip, volatile=volatile)

    def emit_once(
        self, event: str, payload: Payload, *, rooms: Collection[str], skip: Collection[str] = ()
    ) -> None:
        self.events[event] += 1
        if self._holds():
            self._held.append(_Event(event, payload, list(rooms), skip, False))
            return
        self._fan_out.post(event, payload, "/", room=list(rooms), skip_sid=skip)

    def emit_encoded(self, event: str, payload: Payload, *, room: str) -> Blobs:
        self.events[event] += 1
        posted = RoomEvent(event, (payload,), "/", (), False)
        blobs = [posted.encoded(dialect) for dialect in self._dialects]
        self._post(posted, room)
        return blobs

    def emit_blobs(self, blobs: Blobs, *, room: str) -> None:
        if not (self._fan_out.has_members(room) or self._held or self._freshness.stale):
            return
        self.events[FROM_BUS] += 1
        raw, socketio = self._dialects
        self._post(ReadyEvent("/", {raw: blobs[0], socketio: blobs[1]}, socketio), room)

    def _post(self, posted: RoomEvent, room: str) -> None:
        if self._holds():
            self._held.append(_EncodedEvent(posted, room))
            return
        self._fan_out.post_event(posted, room=room)

    def enter(self, connection_id: str, room: str) -> None:
        if self._held and self._holds():  # not before what was emitted to the room earlier
            entry = _Entry(connection_id, room)
            self._held_entries.add(entry)
            self._held.append(entry)
            return
        self._fan_out.enter(connection_id, room)

    def leave(self, connection_id: str, room: str) -> None:
        self._fan_out.leave(connection_id, room)
        if self._held_entries and (entry := _Entry(connection_id, room)) in self._held_entries:
            self._held_entries.discard(entry)
            self._held = deque(held for held in self._held if held != entry)

    @property
    def held(self) -> int:
        """How many events, and entries into rooms, wait for `release`."""
        return len(self._held)

    def hold_while(self, freshness: Freshness) -> None:
        """From now on, events are held while this node is stale. To be followed by `release` when it no longer is."""
        self._freshness = freshness

    def _holds(self) -> bool:
        """Whether an event has to wait. What was held before goes first as soon as nothing has to wait any more."""
        if self._freshness.stale:
            return True
        if self._held:
            self.release()
        return False

    def release(self) -> None:
        """Sends what was held, in order, to those who are in the rooms by now."""
        while self._held:
            held = self._held.popleft()
            if isinstance(held, _Entry):
                self._held_entries.discard(held)
                self._enter_if_there(held)
            elif isinstance(held, _EncodedEvent):
                self._fan_out.post_event(held.posted, room=held.room)
            else:
                self._fan_out.post(
                    held.event,
                    held.payload,
                    "/",
                    room=held.room,
                    skip_sid=held.skip,
                    volatile=held.volatile,
                )

    def _enter_if_there(self, entry: "_Entry") -> None:
        if self._fan_out.rooms.eio_sid_from_sid(entry.connection_id, "/") is not None:
            self._fan_out.enter(entry.connection_id, entry.room)

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

    def end_bad_links(self) -> None:
        """Says how a connection ends of which the engine does not like what it does."""
        eio = self._sio.eio
        eio.on_overflow = lambda eio_sid: self.end_link(eio_sid, Ending.TOO_SLOW)
        eio.on_violation = lambda eio_sid, code: self.end_link(
            eio_sid, Ending.FRAME_TOO_LARGE if code == 1009 else Ending.BROKEN
        )
        eio.on_flood = lambda eio_sid: self.end_link(eio_sid, Ending.FLOODED)
        eio.on_silence = lambda eio_sid: self.end_link(eio_sid, Ending.SILENT)

    def end_link(self, eio_sid: str, ending: Ending) -> None:
        """`end` for the engine, which knows connections by their Engine.IO ids."""
        connection_id = self._fan_out.rooms.sid_from_eio_sid(eio_sid, "/")
        if connection_id is not None:
            self.end(connection_id, ending)

    def end(self, connection_id: str, ending: Ending) -> None:
        link = self._sio.eio.sockets.get(self._fan_out.rooms.eio_sid_from_sid(connection_id, "/"))
        retry_ms = retry_in_ms(ending, self.retry_spread_ms)
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
