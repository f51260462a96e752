"""What is on its way to the members of rooms: in order, and where there are many, some of them a turn.

Writing to a room of thousands takes tens of milliseconds. In chunks, the event loop reads in between: no other
connection is held up, and what comes meanwhile is on its way to the disk while the rest of the room is written to.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from operator import length_hint

from .engineio_session import Session
from .links import Dialect, Link, unsent_bytes
from .room_events import RoomEvent
from .rooms import Room

MEMBERS_PER_TURN = 48


class _Delivery:
    """Events for the links of a room that speak one dialect.

    `rest` are the links that have not got them. It is an iterator, so that code that comes here again while one of them
    is written to goes on where this is. The first of them, `acked_first` in number, get them before all others.
    `due` is how often one of the events reaches one of the links.
    """

    __slots__ = ("acked_first", "blob", "due", "events", "excluded", "limit_bytes", "rest", "room")

    def __init__(
        self,
        room: Room,
        events: Sequence[RoomEvent],
        dialect: Dialect,
        links: Sequence[Link],
        acked_first: int,
        limit_bytes: int,
    ) -> None:
        self.room = room
        self.events = events
        if len(events) == 1:
            self.blob = events[0].encoded(dialect)
            self.excluded: Collection[str] = events[0].skip
        else:
            self.blob = b"".join([event.encoded(dialect) for event in events])
            self.excluded = {eio_sid for event in events for eio_sid in event.skip}
        self.rest = iter(links)
        self.due = len(links) * len(events)
        self.acked_first = acked_first
        self.limit_bytes = limit_bytes


class Deliveries:
    """First in, first out. A member may wait for several of them, and gets them in this order. `delivered` counts the
    events that each member got, once all members of the room have theirs."""

    def __init__(
        self,
        *,
        buffer_limit_bytes: int,
        volatile_limit_bytes: int,
        members_per_turn: int,
        logger: logging.Logger,
    ) -> None:
        self._buffer_limit_bytes = buffer_limit_bytes
        self._volatile_limit_bytes = volatile_limit_bytes
        self._members_per_turn = members_per_turn
        self._logger = logger
        self._queue: deque[_Delivery] = deque()
        self.delivered = 0

    def __bool__(self) -> bool:
        return bool(self._queue)

    @property
    def are_few(self) -> bool:
        """Whether all of them go in one turn."""
        left = self._members_per_turn
        for delivery in self._queue:
            left -= length_hint(delivery.rest)
        return left >= 0

    def add(
        self,
        room: Room,
        groups: Sequence[tuple[Dialect, Sequence[Link]]],
        events: Sequence[RoomEvent],
        acked: Collection[str],
    ) -> None:
        """`acked`: the Engine.IO sids of connections for which a reply waits."""
        limit_bytes = self._buffer_limit_bytes
        for event in events:
            if event.volatile:
                limit_bytes = self._volatile_limit_bytes
        for dialect, links in groups:
            first: Sequence[Link] = ()
            if acked:
                first = [link for link in links if link.sid in acked]
                if first:
                    links = [*first, *[link for link in links if link.sid not in acked]]
            self._queue.append(_Delivery(room, events, dialect, links, len(first), limit_bytes))

    def rooms(self) -> Iterator[Room]:
        """The rooms whose members are still to be written to."""
        return (delivery.room for delivery in self._queue)

    def to_acked(self) -> None:
        """Writes to the connections for which a reply waits."""
        for delivery in tuple(self._queue):
            self._write(delivery, delivery.acked_first)

    def to_some(self) -> None:
        """Writes to as many members as go in one turn."""
        left = self._members_per_turn
        while self._queue and left:
            delivery = self._queue[0]
            before = length_hint(delivery.rest)
            self._write(delivery, left)
            left = max(0, left - before)
            self._drop_done()

    def to_all(self) -> None:
        """Writes to all members."""
        while self._queue:
            self._write(self._queue[0], None)
            self._drop_done()

    def _drop_done(self) -> None:
        while self._queue and not length_hint(self._queue[0].rest):
            self.delivered += self._queue.popleft().due

    def _write(self, delivery: _Delivery, most: int | None) -> None:
        """Writes to the next members, at most `most`.

        The loop that all this is about: a few attribute reads and a write per member. It is `Link.write` written out,
        which would be a call more for each member.
        """
        limit_bytes, excluded, blob = delivery.limit_bytes, delivery.excluded, delivery.blob
        for link in islice(delivery.rest, most):
            try:
                wire = link.wire
                if wire is None or wire.get_write_buffer_size() > limit_bytes or link.sid in excluded:
                    delivery.due -= len(delivery.events) - self._write_to_one(link, delivery.events)
                else:
                    wire.write(blob)
            except Exception:  # an error with one member must not reach the others
                delivery.due -= len(delivery.events)
                self._logger.exception("cannot write to a member of a room")

    def _write_to_one(self, link: Link, events: Sequence[RoomEvent]) -> int:
        """Writes to a member that cannot be written to, is slow, or is excluded from some of the events. Returns how
        many of them it got: none if it has ended, or ends because too much waits unsent."""
        is_slow = unsent_bytes(link) > self._volatile_limit_bytes
        wanted = [
            event for event in events if link.sid not in event.skip and not (is_slow and event.volatile)
        ]
        if not wanted or link.closed:
            return 0
        if link.wire is not None:
            link.write(b"".join([event.encoded(link.dialect) for event in wanted]))
            return len(wanted) if link.wire is not None else 0
        got = 0
        for event in wanted:
            if isinstance(link, Session):
                got += link.push(event.packets)
            else:
                link.enqueue(*event.call, event.namespace)
                got += 1
        return got


class Cork(asyncio.WriteTransport):
    """Buffers a connection's writes until `uncork`, so that its replies and its events leave in one write. The replies
    go last. Until then it is the `wire` of the link."""

    __slots__ = ("_link", "_parts", "_replies", "_wire", "sid")

    def __init__(self, link: Link, wire: asyncio.WriteTransport, replies: Sequence[bytes]) -> None:
        self._link = link
        self.sid = link.sid
        self._wire = wire
        self._parts: list[bytes] = []
        self._replies = replies
        link.wire = self

    def write(self, data: bytes) -> None:  # type: ignore[override]
        """Keeps complete frames."""
        self._parts.append(data)

    def get_write_buffer_size(self) -> int:
        """What waits on the wire itself."""
        return self._wire.get_write_buffer_size()

    def uncork(self) -> None:
        """Writes everything, unless the link has ended."""
        if self._link.wire is not self:
            return
        self._link.wire = self._wire
        self._link.write(b"".join((*self._parts, *self._replies)))
