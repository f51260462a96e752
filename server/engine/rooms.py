"""Who is connected, and in which rooms. What one connection does costs time by the number of its own rooms, not of all
rooms."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from typing import Any

from .links import Dialect, Link
from .room_events import RoomEvent

RoomName = Hashable


class Room(dict[str, str]):
    """Members, as Socket.IO sid → Engine.IO sid, and what waits for them."""

    __slots__ = ("groups", "namespace", "pending")

    def __init__(self, namespace: str, members: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(members)
        self.namespace = namespace
        self.pending: list[RoomEvent] = []
        self.groups: list[tuple[Dialect, list[Link]]] | None = None
        """The members' links by dialect, as the fan-out needs them; None when it has to be made again."""


class Rooms:
    """The members of all rooms, and the rooms of each member.

    `before_change` is called with a room before its members change, whether events are pending for the room or not: an
    event goes to those who were members when it was posted, and to nobody else.
    """

    def __init__(self, before_change: Callable[[Room], None]) -> None:
        self._before_change = before_change
        self.by_namespace: dict[str, dict[RoomName, Room]] = {}
        """The rooms of each namespace by name; None is the name of the room of all its connections."""
        self.sids: dict[str, dict[str, str]] = {}
        """By namespace: Engine.IO sid → Socket.IO sid."""
        self.connecting: dict[str, set[str]] = {}
        """By namespace: the sids of connections whose connect handlers have not let them in yet."""
        self.disconnecting: dict[str, set[str]] = {}
        """By namespace: the sids of connections whose disconnect handlers are being called."""
        self._rooms_of: dict[tuple[str, str], set[RoomName]] = {}

    # --- members -------------------------------------------------------------------------------------------------

    def enter(self, sid: str, namespace: str, room: RoomName, eio_sid: str | None = None) -> None:
        """Raises: ValueError, KeyError if the sid is not connected, ValueError if the room is another's sid."""
        rooms = self.by_namespace.get(namespace)
        if rooms is None:
            if eio_sid is None:
                raise ValueError("sid is not connected to requested namespace")
            rooms = self.by_namespace[namespace] = {None: Room(namespace)}
        if room == sid:
            return
        if room in rooms[None]:
            raise ValueError("cannot enter a sid room")
        if eio_sid is None:
            eio_sid = rooms[None][sid]
        members = rooms.get(room)
        if members is None:
            members = rooms[room] = Room(namespace)
        if sid not in members:
            self._change(members)
            members[sid] = eio_sid
            if room is not None:
                self._rooms_of.setdefault((namespace, sid), set()).add(room)

    def leave(self, sid: str, namespace: str, room: RoomName) -> None:
        """Does nothing for a connection that is not in the room."""
        rooms = self.by_namespace.get(namespace, {})
        members = rooms.get(room)
        if members is None or sid not in members:
            return
        self._change(members)
        del members[sid]
        if not members:
            del rooms[room]
        if not rooms:
            del self.by_namespace[namespace]
        if (joined := self._rooms_of.get((namespace, sid))) is not None:
            joined.discard(room)

    def _change(self, room: Room) -> None:
        self._before_change(room)
        room.groups = None

    def rooms_of(self, sid: str, namespace: str) -> Collection[RoomName]:
        """The rooms that the connection has entered."""
        return self._rooms_of.get((namespace, sid), ())

    def members(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """(sid, Engine.IO sid) of each member of a room, of several rooms, or of all connections (None). A sid is the
        name of a room in which its connection is alone."""
        rooms = self.by_namespace.get(namespace, {})
        names = room if hasattr(room, "__len__") and not isinstance(room, str) else (room,)
        found: dict[str, str] = {}
        for name in names:
            found.update(rooms.get(name) or self._alone(namespace, name))
        yield from found.items()

    def _alone(self, namespace: str, sid: RoomName) -> dict[str, str]:
        eio_sid = self.by_namespace.get(namespace, {}).get(None, {}).get(sid)  # type: ignore[call-overload]
        return {sid: eio_sid} if eio_sid is not None else {}  # type: ignore[dict-item]

    # --- connections ---------------------------------------------------------------------------------------------

    def admit(self, sid: str, eio_sid: str, namespace: str) -> bool:
        """Registers a connection that is not connected yet. False if it is there already."""
        known = self.sids.setdefault(namespace, {})  # which is not empty when this returns
        if eio_sid in known:
            return False
        known[eio_sid] = sid
        self.connecting.setdefault(namespace, set()).add(sid)
        self.enter(sid, namespace, None, eio_sid)
        return True

    def welcome(self, sid: str, namespace: str) -> None:
        """The connection is connected now."""
        _discard(self.connecting, namespace, sid)

    def part(self, sid: str, namespace: str) -> None:
        """The connection is about to go: it is not connected any more, but still there."""
        self.disconnecting.setdefault(namespace, set()).add(sid)

    def remove(self, sid: str, eio_sid: str | None, namespace: str) -> None:
        """The connection is gone. This takes time by the number of its own rooms."""
        for room in self._rooms_of.pop((namespace, sid), ()):
            self.leave(sid, namespace, room)
        self.leave(sid, namespace, None)
        known = self.sids.get(namespace)
        if known is not None and eio_sid is not None:
            known.pop(eio_sid, None)
            if not known:
                del self.sids[namespace]
        _discard(self.connecting, namespace, sid)
        _discard(self.disconnecting, namespace, sid)

    def is_connecting(self, sid: str, namespace: str) -> bool:
        """Whether the connect handler has not let the connection in yet."""
        return sid in self.connecting.get(namespace, ())

    def is_connected(self, sid: str | None, namespace: str) -> bool:
        """Whether the connection has been let in, and is not about to go."""
        rooms = self.by_namespace.get(namespace)
        return (
            rooms is not None
            and sid in rooms[None]
            and sid not in self.connecting.get(namespace, ())
            and sid not in self.disconnecting.get(namespace, ())
        )

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """The sid of a connection in a namespace; None if it is not in it."""
        return self.sids.get(namespace, {}).get(eio_sid)

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        """The Engine.IO sid of a connection; None if it is not in the namespace."""
        rooms = self.by_namespace.get(namespace)
        return None if rooms is None else rooms[None].get(sid)


def _discard(sids: dict[str, set[str]], namespace: str, sid: str) -> None:
    """Takes a sid out of its namespace's set. No empty set is kept: clients may name any number of namespaces."""
    if (members := sids.get(namespace)) is not None:
        members.discard(sid)
        if not members:
            del sids[namespace]
