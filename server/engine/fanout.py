"""One event to all members of a room at the price of one.

What costs in a broadcast is per member: a queue, a task switch, an encode, a system call. So an event is encoded once
per dialect; the events of a turn of the event loop gather in their room and go out joined, with one write per member;
and nothing is kept per connection but its transport's own buffer, whose size is the back-pressure.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Mapping
from typing import Any

from .deliveries import MEMBERS_PER_TURN, Cork, Deliveries
from .links import Dialect, Link, unsent_bytes
from .room_events import RoomEvent
from .rooms import Room, RoomName, Rooms

COMPARED_MAX = 32
"""How many later rooms are compared to find out whether an event may join the earlier ones of its room."""


class FanOut:
    """Writes events to the members of rooms, and replies to single connections.

    A connection sees what is sent to it in the order of the calls, whatever room each event was sent to. `links` are
    all connections by their Engine.IO sids.
    """

    def __init__(
        self,
        links: Mapping[str, Link],
        *,
        buffer_limit_bytes: int,
        volatile_limit_bytes: int,
        members_per_turn: int = MEMBERS_PER_TURN,
        logger: logging.Logger,
    ) -> None:
        self.rooms = Rooms(self._before_change)
        self._links = links
        self._deliveries = Deliveries(
            buffer_limit_bytes=buffer_limit_bytes,
            volatile_limit_bytes=volatile_limit_bytes,
            members_per_turn=members_per_turn,
            logger=logger,
        )
        self._pending: deque[Room] = deque()
        """The rooms that events of this turn wait for, in the order of their first event."""
        self._direct_rooms: dict[str, Room] = {}
        self.posted = 0
        """The number of events that wait for the end of the turn."""
        self._replies: dict[str, tuple[Link, list[bytes]]] = {}
        self._next_chunk: asyncio.Handle | None = None

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
        once), or None for all connections of the namespace. `skip_sid`: the members that do not get it. `volatile`:
        left out for members for which more than the volatile limit waits unsent. Does nothing if the room is empty.

        Raises: what the serializer raises for data it cannot encode.
        """
        target = self._target(namespace, room)
        if not target:
            return
        skipped: Collection[str] = ()
        if skip_sid:
            sids = (skip_sid,) if isinstance(skip_sid, str) else skip_sid
            skipped = {target[sid] for sid in sids if sid in target}
        args = data if type(data) is tuple else arguments(data)
        self._gather(target, RoomEvent(event, args, namespace, skipped, volatile))

    def has_members(self, room: RoomName, namespace: str = "/") -> bool:
        """Whether anybody is in a room that has a name, so that an event need not be made for nobody."""
        rooms = self.rooms.by_namespace.get(namespace)
        return rooms is not None and room in rooms

    def post_event(self, posted: RoomEvent, *, room: RoomName) -> None:
        """Sends an event that is made already to the members of one room, as `post` does.

        Raises: what encoding it for a dialect raises.
        """
        target = self._target(posted.namespace, room)
        if target:
            self._gather(target, posted)

    def _gather(self, target: Room, posted: RoomEvent) -> None:
        """Has the event wait for the end of the turn."""
        for dialect, _ in target.groups or self._groups(target):
            posted.encoded(dialect)
        if target.pending and self._overtaken(target):
            self.flush()
        if not self._pending and not self._replies:
            asyncio.get_running_loop().call_soon(self._end_turn)
        if not target.pending:
            self._pending.append(target)
        target.pending.append(posted)
        self.posted += 1

    def reply(self, link: Link, blob: bytes) -> None:
        """Writes complete frames to one connection at the end of the turn, in one write with what its rooms get in it:
        a system call less for each message a client sends."""
        if not self._pending and not self._replies:
            asyncio.get_running_loop().call_soon(self._end_turn)
        _, blobs = self._replies.setdefault(link.sid, (link, []))
        blobs.append(blob)

    def flush(self, eio_sid: str | None = None) -> None:
        """Writes all that is pending; with the Engine.IO sid of a connection, only if something is pending for it.

        To be called before anything is written to a connection's transport past this fan-out.
        """
        if eio_sid is None or self._awaited_by(eio_sid):
            self._deliver_pending(at_once=True)

    def unsent_bytes(self, sid: str, namespace: str = "/") -> int:
        """How many bytes wait unsent for a connection; 0 for one that is not there."""
        eio_sid = self.rooms.eio_sid_from_sid(sid, namespace)
        link = None if eio_sid is None else self._links.get(eio_sid)
        return 0 if link is None else unsent_bytes(link)

    def enter(self, sid: str, room: RoomName, namespace: str = "/") -> None:
        """Raises: as `Rooms.enter`."""
        self.rooms.enter(sid, namespace, room)

    def leave(self, sid: str, room: RoomName, namespace: str = "/") -> None:
        """As `Rooms.leave`."""
        self.rooms.leave(sid, namespace, room)

    # --- the end of a turn ---------------------------------------------------------------------------------------

    def _end_turn(self) -> None:
        """Writes the events and replies of this turn to each connection that gets a reply, and the events to a first
        chunk of the other connections. The turns that follow write to the rest."""
        if self._next_chunk is not None:
            self._next_chunk.cancel()
            self._next_chunk = None
        self._deliver_pending(at_once=False)
        if self._deliveries:
            self._deliver_chunk()

    def _deliver_pending(self, *, at_once: bool) -> None:
        deliveries = self._deliveries
        if deliveries:
            deliveries.to_all()  # what earlier turns have left
        acked: Collection[str] = ()
        corks: Collection[Cork] = ()
        if self._replies:
            replies, self._replies = self._replies, {}
            # What is written to these connections waits for their replies.
            corks = [
                Cork(link, link.wire, blobs) for link, blobs in replies.values() if link.wire is not None
            ]
            acked = {cork.sid for cork in corks}
        self._direct_rooms.clear()
        self.posted = 0
        while self._pending:
            room = self._pending.popleft()
            events, room.pending = room.pending, []
            deliveries.add(room, room.groups or self._groups(room), events, acked)
        if at_once or deliveries.are_few:
            deliveries.to_all()
        else:
            deliveries.to_acked()
        for cork in corks:
            cork.uncork()

    def _deliver_chunk(self) -> None:
        self._deliveries.to_some()
        self._next_chunk = (
            asyncio.get_running_loop().call_soon(self._deliver_chunk) if self._deliveries else None
        )

    # --- rooms ---------------------------------------------------------------------------------------------------

    def _target(self, namespace: str, room: Any) -> Room | None:
        rooms = self.rooms.by_namespace.get(namespace)
        if rooms is None:
            return None
        if not isinstance(room, str) and hasattr(room, "__len__"):
            return Room(namespace, self.rooms.members(namespace, room))
        return rooms.get(room) or self._direct_room(namespace, room)

    def _direct_room(self, namespace: str, sid: str) -> Room | None:
        """The room in which a connection is alone. It exists while something is pending for it."""
        eio_sid = self.rooms.by_namespace[namespace][None].get(sid)
        if eio_sid is None:
            return None
        room = self._direct_rooms.get(sid)
        if room is None:
            room = self._direct_rooms[sid] = Room(namespace, [(sid, eio_sid)])
        return room

    def _groups(self, room: Room) -> list[tuple[Dialect, list[Link]]]:
        if room.groups is None:
            links: dict[Dialect, list[Link]] = {}
            for eio_sid in room.values():
                if (link := self._links.get(eio_sid)) is not None:
                    links.setdefault(link.dialect, []).append(link)
            room.groups = list(links.items())
        return room.groups

    def _before_change(self, room: Room) -> None:
        """Writes what is pending for a room whose members are about to change."""
        if room.pending or any(room is waiting for waiting in self._deliveries.rooms()):
            self.flush()

    def _overtaken(self, room: Room) -> bool:
        """Whether a member of the room waits for an event posted, elsewhere, after the room's pending ones."""
        members = room.keys()
        for compared, later in enumerate(reversed(self._pending)):
            if later is room:
                return False
            if (
                later.namespace != room.namespace
                or compared >= COMPARED_MAX
                or not members.isdisjoint(later.keys())
            ):
                return True
        return False

    def _awaited_by(self, eio_sid: str) -> bool:
        return eio_sid in self._replies or any(
            self.rooms.sid_from_eio_sid(eio_sid, room.namespace) in room
            for room in (*self._pending, *self._deliveries.rooms())
        )


def arguments(data: Any) -> tuple[Any, ...]:
    """The arguments of an event: a tuple is several, None is none."""
    if isinstance(data, tuple):
        return data
    return () if data is None else (data,)
