"""What is on its way to the members of rooms: in order, and where there are many, some of them a turn.

A room of thousands takes tens of milliseconds to be told. In slices, the event loop reads in between: nobody else is
held up, and what comes meanwhile is on its way to the disk while the rest of the room is still being told.
"""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from operator import length_hint
from typing import Any

from .links import Dialect, Link
from .rooms import Frame, Room
from .sockets import Socket

MEMBERS_PER_TURN = 48


class _Delivery:
    """Frames for the links of a room that speak one dialect. `rest` are those that have not got them; as an iterator,
    so that whoever comes here again while one of them is written to goes on where this is. The first so many of them
    go `ahead` of everybody."""

    __slots__ = ("ahead", "apart", "blob", "frames", "limit_bytes", "rest", "room")

    def __init__(
        self,
        room: Room,
        frames: Sequence[Frame],
        dialect: Dialect,
        links: Sequence[Link],
        ahead: int,
        limit_bytes: int,
    ) -> None:
        self.room = room
        self.frames = frames
        self.blob = b"".join([frame.encoded(dialect) for frame in frames])
        self.apart = {eio_sid for frame in frames for eio_sid in frame.skip}
        self.rest = iter(links)
        self.ahead = ahead
        self.limit_bytes = limit_bytes


class Deliveries:
    """First in, first out. A member may wait for several of them, and gets them in this order."""

    def __init__(self, server: Any) -> None:
        self._logger = server.logger
        self._buffer_limit_bytes: int = server.eio.buffer_limit_bytes
        self._volatile_limit_bytes: int = server.volatile_limit_bytes
        self._queue: deque[_Delivery] = deque()

    def __len__(self) -> int:
        """How many members are still to be written to."""
        return sum(length_hint(delivery.rest) for delivery in self._queue)

    @property
    def are_few(self) -> bool:
        """Whether all of them go in one turn."""
        return len(self) <= MEMBERS_PER_TURN

    def add(
        self,
        room: Room,
        groups: Sequence[tuple[Dialect, Sequence[Link]]],
        frames: Sequence[Frame],
        replied: Collection[str],
    ) -> None:
        """`replied`: the Engine.IO sids of those for whom a reply waits."""
        limit_bytes = self._buffer_limit_bytes
        if any(frame.volatile for frame in frames):
            limit_bytes = self._volatile_limit_bytes
        for dialect, links in groups:
            ahead = [link for link in links if link.sid in replied] if replied else []
            if ahead:
                links = [*ahead, *(link for link in links if link.sid not in replied)]
            self._queue.append(_Delivery(room, frames, dialect, links, len(ahead), limit_bytes))

    def rooms(self) -> Iterator[Room]:
        """Whose members are still to be written to."""
        return (delivery.room for delivery in self._queue)

    def to_replied(self) -> None:
        """Writes to those for whom a reply waits."""
        for delivery in tuple(self._queue):
            self._write(delivery, delivery.ahead)

    def to_some(self) -> None:
        """Writes to so many members as go in one turn."""
        left = MEMBERS_PER_TURN
        while self._queue and left:
            delivery = self._queue[0]
            before = length_hint(delivery.rest)
            self._write(delivery, left)
            left = max(0, left - before)
            self._drop_done()

    def to_all(self) -> None:
        """Writes to everybody."""
        while self._queue:
            self._write(self._queue[0], None)
            self._drop_done()

    def _drop_done(self) -> None:
        while self._queue and not length_hint(self._queue[0].rest):
            self._queue.popleft()

    def _write(self, delivery: _Delivery, most: int | None) -> None:
        """The loop everything here is about: a few attribute reads and a write per member. It is `Link.write` written
        out, which would be a call more for each member."""
        limit_bytes, apart, blob = delivery.limit_bytes, delivery.apart, delivery.blob
        for link in islice(delivery.rest, most):
            try:
                wire = link.wire
                if wire is None or wire.get_write_buffer_size() > limit_bytes or link.sid in apart:
                    self._write_apart(link, delivery.frames)
                else:
                    wire.write(blob)
            except Exception:  # whatever is wrong with one member, the others are not to notice
                self._logger.exception("cannot write to a member of a room")

    def _write_apart(self, link: Link, frames: Sequence[Frame]) -> None:
        """To a member that cannot be written to, is slow, or is to be left out of something."""
        unsent = unsent_bytes(link)
        late = unsent > self._volatile_limit_bytes
        wanted = [frame for frame in frames if link.sid not in frame.skip and not (late and frame.volatile)]
        if not wanted:
            return
        if link.wire is None:
            for frame in wanted:
                if isinstance(link, Socket):
                    link.push(frame.packets)
                else:
                    link.enqueue(frame.event, frame.args, frame.namespace)
        else:
            link.write(b"".join([frame.encoded(link.dialect) for frame in wanted]))


def unsent_bytes(link: Link) -> int:
    """How much waits unsent for a connection."""
    if link.wire is None:
        return getattr(link, "queued_bytes", 0)
    return link.wire.get_write_buffer_size()
