"""One event to all members of a room at the price of one.

What costs in a broadcast is per member: a queue, a task switch, an encode, a system call. So an event is encoded once
per dialect; the events of a turn of the event loop gather in their room and go out joined, with one write per member;
and nothing is kept per connection but its transport's own buffer, whose size is the back-pressure.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from typing import Any

from .cork import Cork
from .deliveries import Deliveries, unsent_bytes
from .links import Dialect, Link
from .rooms import Frame, Room, RoomManager
from .sockets import Socket

# How many rooms are looked at to find out whether an event may join the earlier ones of its room.
LOOK_BACK = 32
# After this many events in one turn, an emit lets the loop write before it goes on.
EVENTS_PER_TURN = 256


class FanOutManager(RoomManager):
    """A client manager for `AsyncServer`. It knows this process only; under a manager that reaches others, it serves
    the local members: `class RedisFanOut(socketio.AsyncRedisManager, FanOutManager)`.

    A connection sees what is sent to it in the order of the calls, whatever room each was sent to.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pending: deque[Room] = deque()
        self._solos: dict[str, Room] = {}
        self._posted = 0
        self._replies: dict[str, tuple[Link, list[bytes]]] = {}
        self._next_slice: asyncio.Handle | None = None

    def set_server(self, server: Any) -> None:
        super().set_server(server)
        self._deliveries = Deliveries(server)

    def post(
        self,
        event: str,
        data: Any,
        namespace: str = "/",
        *,
        room: Any,
        skip_sid: str | Collection[str] | None = (),
        volatile: bool = False,
    ) -> None:
        """Sends an event to the members of a room of this process, at the end of the turn. Does not suspend.

        `data`: a tuple is several arguments, None is none. `room`: a room, a sid, several rooms (their members get it
        once), or None for everybody in the namespace. `skip_sid`: who does not get it. `volatile`: left out for members
        for whom more than the volatile limit waits unsent. Does nothing if nobody is there.

        Raises: what the serializer raises for data it cannot encode.
        """
        target = self._target(namespace, room)
        if not target:
            return
        skipped: Collection[str] = ()
        if skip_sid:
            sids = (skip_sid,) if isinstance(skip_sid, str) else skip_sid
            skipped = {target[sid] for sid in sids if sid in target}
        frame = Frame(event, _arguments(data), namespace, skipped, volatile)
        for dialect, _ in self._groups(target):
            frame.encoded(dialect)
        if target.pending and self._overtaken(target):
            self.flush()
        if not self._pending and not self._replies:
            asyncio.get_running_loop().call_soon(self._end_turn)
        if not target.pending:
            self._pending.append(target)
        target.pending.append(frame)
        self._posted += 1

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: str | Collection[str] | None = None,
        callback: Callable[..., Any] | None = None,
        to: Any = None,
        **kwargs: Any,
    ) -> None:
        """As `post`, and may suspend; a callback gets the answer of each member that is a Socket.IO client."""
        room = to or room
        if callback is None:
            self.post(event, data, namespace, room=room, skip_sid=skip_sid)
            if self._posted >= EVENTS_PER_TURN:
                await asyncio.sleep(0)
            return
        skipped = (skip_sid,) if isinstance(skip_sid, str) else skip_sid or ()
        for sid, eio_sid in self.get_participants(namespace, room):
            if sid in skipped:
                continue
            if not isinstance(self.server.eio.sockets.get(eio_sid), Socket):
                self.post(event, data, namespace, room=sid)  # there are no acks in other dialects
                continue
            ack_id = self._generate_ack_id(sid, callback)
            packet = self.server.packet_class(data=[event, *_arguments(data)], namespace=namespace, id=ack_id)
            await self.server._send_packet(eio_sid, packet)

    def flush(self, eio_sid: str | None = None) -> None:
        """Writes all that is pending; with the Engine.IO sid of a connection, only if something is pending for it.

        To be called before anything is written to a connection's transport past this manager.
        """
        if eio_sid is None or self._awaited_by(eio_sid):
            self._deliver_pending(at_once=True)

    def _end_turn(self) -> None:
        """Writes what the turn has brought: to those who are replied to, and to some of the others; to the rest of
        them in the turns that follow."""
        if self._next_slice is not None:
            self._next_slice.cancel()
        self._deliver_pending(at_once=False)
        self._deliver_slice()

    def _deliver_pending(self, *, at_once: bool) -> None:
        self._deliveries.to_all()  # what earlier turns have left
        corks = self._corked() if self._replies else ()
        replied = {cork.sid for cork in corks}
        self._solos.clear()
        self._posted = 0
        while self._pending:
            room = self._pending.popleft()
            frames, room.pending = room.pending, []
            self._deliveries.add(room, self._groups(room), frames, replied)
        if at_once or self._deliveries.are_few:
            self._deliveries.to_all()
        else:
            self._deliveries.to_replied()
        for cork in corks:
            cork.draw()

    def _deliver_slice(self) -> None:
        self._deliveries.to_some()
        self._next_slice = (
            asyncio.get_running_loop().call_soon(self._deliver_slice) if self._deliveries else None
        )

    def reply(self, link: Link, blob: bytes) -> None:
        """Writes complete frames to one connection at the end of the turn, in one write with what its rooms get in it:
        a system call less for each message a client sends."""
        if not self._pending and not self._replies:
            asyncio.get_running_loop().call_soon(self._end_turn)
        _, blobs = self._replies.setdefault(link.sid, (link, []))
        blobs.append(blob)

    def _corked(self) -> list[Cork]:
        """Makes what is written to those who are replied to wait for their replies."""
        replies, self._replies = self._replies, {}
        return [Cork(link, link.wire, blobs) for link, blobs in replies.values() if link.wire is not None]

    def buffered_bytes(self, sid: str, namespace: str = "/") -> int:
        """How much waits unsent for a connection; 0 for one that is not there."""
        eio_sid = self.eio_sid_from_sid(sid, namespace)
        link = self.server.eio.sockets.get(eio_sid)
        return 0 if link is None else unsent_bytes(link)

    def _target(self, namespace: str, room: Any) -> Room | None:
        rooms = self.rooms.get(namespace)
        if rooms is None:
            return None
        if not isinstance(room, str) and hasattr(room, "__len__"):
            return Room(namespace, self.get_participants(namespace, room))
        return rooms.get(room) or self._solo(namespace, room)

    def _solo(self, namespace: str, sid: str) -> Room | None:
        """The room in which a connection is alone. It exists while something is pending for it."""
        eio_sid = self.rooms[namespace][None].get(sid)
        if eio_sid is None:
            return None
        solo = self._solos.get(sid)
        if solo is None:
            solo = self._solos[sid] = Room(namespace, [(sid, eio_sid)])
        return solo

    def _overtaken(self, room: Room) -> bool:
        """Whether somebody in the room waits for an event posted, elsewhere, after the room's pending ones."""
        members = room.keys()
        for looked_at, later in enumerate(reversed(self._pending)):
            if later is room:
                return False
            if (
                later.namespace != room.namespace
                or looked_at >= LOOK_BACK
                or not members.isdisjoint(later.keys())
            ):
                return True
        return False

    def _awaited_by(self, eio_sid: str) -> bool:
        return eio_sid in self._replies or any(
            self.sid_from_eio_sid(eio_sid, room.namespace) in room
            for room in (*self._pending, *self._deliveries.rooms())
        )

    def unwritten(self, room: Room) -> bool:
        return super().unwritten(room) or any(room is waiting for waiting in self._deliveries.rooms())

    def _groups(self, room: Room) -> list[tuple[Dialect, list[Link]]]:
        if room.groups is None:
            sockets = self.server.eio.sockets
            links: dict[Dialect, list[Link]] = {}
            for eio_sid in room.values():
                if (link := sockets.get(eio_sid)) is not None:
                    links.setdefault(link.dialect, []).append(link)
            room.groups = list(links.items())
        return room.groups


def _arguments(data: Any) -> tuple[Any, ...]:
    if isinstance(data, tuple):
        return data
    return () if data is None else (data,)
