"""Who is connected, in which rooms, and what waits there: python-socketio's books, kept so that nothing one
connection does costs what all rooms cost."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from typing import Any

import socketio

from .links import Dialect, Link
from .packets import EnginePacket, SocketIODialect, to_frames

RoomName = Hashable


class Frame:
    """An event on its way to a room. It is encoded when it is posted: the caller may change the data afterwards."""

    __slots__ = ("_blobs", "args", "event", "namespace", "packets", "skip", "volatile")

    def __init__(
        self, event: str, args: Sequence[Any], namespace: str, skip: Collection[str], volatile: bool
    ) -> None:
        self.event = event
        self.args = args
        self.namespace = namespace
        self.skip = skip
        """The Engine.IO sids of members that do not get it."""
        self.volatile = volatile
        self.packets: list[EnginePacket] = []
        self._blobs: dict[Dialect, bytes] = {}

    def encoded(self, dialect: Dialect) -> bytes:
        blob = self._blobs.get(dialect)
        if blob is None:
            if isinstance(dialect, SocketIODialect):
                self.packets = dialect.packets(self.event, self.args, self.namespace)
                blob = to_frames(self.packets)
            else:
                blob = dialect.encode(self.event, self.args, self.namespace)
            self._blobs[dialect] = blob
        return blob


class Room(dict[str, str]):
    """Members, as Socket.IO sid → Engine.IO sid, and what waits for them."""

    __slots__ = ("groups", "namespace", "pending")

    def __init__(self, namespace: str, members: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(members)
        self.namespace = namespace
        self.pending: list[Frame] = []
        self.groups: list[tuple[Dialect, list[Link]]] | None = None
        """The members' links by dialect, as the flush needs them; None when it has to be made again."""


class RoomManager(socketio.AsyncManager):
    """A client manager that can say in which rooms one connection is, without looking into all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms: dict[str, dict[RoomName, Room]] = {}
        self.eio_to_sid: dict[str, dict[str, str]] = {}
        self.pending_connect: dict[str, set[str]] = {}
        self.pending_disconnect: dict[str, set[str]] = {}
        self._rooms_of: dict[tuple[str, str], set[RoomName]] = {}

    def flush(self, eio_sid: str | None = None) -> None:
        """Writes what is pending for the members of rooms."""
        raise NotImplementedError

    def unwritten(self, room: Room) -> bool:
        """Whether something is pending for members of the room."""
        return bool(room.pending)

    # --- rooms ---------------------------------------------------------------------------------------------------

    def enter(self, sid: str, room: RoomName, namespace: str = "/") -> None:
        """Raises: ValueError, KeyError if the sid is not connected, ValueError if the room is another's sid."""
        self.basic_enter_room(sid, namespace, room)

    def leave(self, sid: str, room: RoomName, namespace: str = "/") -> None:
        """Does nothing for one who is not in the room."""
        self.basic_leave_room(sid, namespace, room)

    def basic_enter_room(self, sid: str, namespace: str, room: RoomName, eio_sid: str | None = None) -> None:
        rooms = self.rooms.get(namespace)
        if rooms is None:
            if eio_sid is None:
                raise ValueError("sid is not connected to requested namespace")
            rooms = self.rooms[namespace] = {None: Room(namespace)}
        if room == sid:
            return
        if self.is_sid_room(namespace, room):
            raise ValueError("cannot enter a sid room")
        if eio_sid is None:
            eio_sid = rooms[None][sid]
        members = rooms.get(room)
        if members is None:
            members = rooms[room] = Room(namespace)
        if sid not in members:
            self._before_change(members)
            members[sid] = eio_sid
            if room is not None:
                self._rooms_of.setdefault((namespace, sid), set()).add(room)

    def basic_leave_room(self, sid: str, namespace: str, room: RoomName) -> None:
        rooms = self.rooms.get(namespace, {})
        members = rooms.get(room)
        if members is None or sid not in members:
            return
        self._before_change(members)
        del members[sid]
        if not members:
            del rooms[room]
        if not rooms:
            del self.rooms[namespace]
        if (joined := self._rooms_of.get((namespace, sid))) is not None:
            joined.discard(room)

    def _before_change(self, room: Room) -> None:
        """What was sent to the members so far is for them, and only for them."""
        if self.unwritten(room):
            self.flush()
        room.groups = None

    def get_rooms(self, sid: str, namespace: str) -> list[RoomName]:
        if not self.is_sid_room(namespace, sid):
            return []
        return [sid, *self._rooms_of.get((namespace, sid), ())]

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        rooms = self.rooms.get(namespace, {})
        names = room if hasattr(room, "__len__") and not isinstance(room, str) else (room,)
        found: dict[str, str] = {}
        for name in names:
            found.update(rooms.get(name) or self._alone(namespace, name))
        yield from found.items()

    def _alone(self, namespace: str, sid: RoomName) -> dict[str, str]:
        eio_sid = self.rooms.get(namespace, {}).get(None, {}).get(sid)  # type: ignore[call-overload]
        return {sid: eio_sid} if eio_sid is not None else {}  # type: ignore[dict-item]

    # --- connections ---------------------------------------------------------------------------------------------

    def admit(self, eio_sid: str, namespace: str) -> str | None:
        """Registers a connection that is not connected yet; its sid, or None if it is there already."""
        known = self.eio_to_sid.setdefault(namespace, {})
        if eio_sid in known:
            return None
        sid: str = self.server.eio.generate_id()
        known[eio_sid] = sid
        self.pending_connect.setdefault(namespace, set()).add(sid)
        self.basic_enter_room(sid, namespace, None, eio_sid=eio_sid)
        return sid

    async def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        return self.admit(eio_sid, namespace)

    def welcome(self, sid: str, namespace: str) -> None:
        """The connection is connected now."""
        self.pending_connect.get(namespace, set()).discard(sid)

    async def connect(self, sid: str, namespace: str) -> str | None:
        if not self.is_pre_connected(sid, namespace):
            admitted = self.admit(sid, namespace)  # then it is an Engine.IO sid
            if admitted is None:
                return None
            sid = admitted
        self.welcome(sid, namespace)
        return sid

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        return sid in self.pending_connect.get(namespace, ())

    def is_connected(self, sid: str, namespace: str) -> bool:
        return (
            self.is_sid_room(namespace, sid)
            and sid not in self.pending_connect.get(namespace, ())
            and sid not in self.pending_disconnect.get(namespace, ())
        )

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        return self.eio_to_sid.get(namespace, {}).get(eio_sid)

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        self.pending_disconnect.setdefault(namespace, set()).add(sid)
        return self.eio_sid_from_sid(sid, namespace)  # type: ignore[no-any-return]

    def basic_disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        """Costs what the connection's own rooms cost, not all rooms."""
        eio_sid = self.eio_sid_from_sid(sid, namespace)
        for room in self._rooms_of.pop((namespace, sid), ()):
            self.basic_leave_room(sid, namespace, room)
        self.basic_leave_room(sid, namespace, None)
        self.eio_to_sid.get(namespace, {}).pop(eio_sid, None)
        self.callbacks.pop(sid, None)
        self.pending_connect.get(namespace, set()).discard(sid)
        self.pending_disconnect.get(namespace, set()).discard(sid)
