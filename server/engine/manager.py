"""`FanOut` as a client manager of python-socketio."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from typing import Any

import socketio

from . import internals
from .deliveries import MEMBERS_PER_TURN
from .engineio_session import Session
from .fanout import FanOut, arguments
from .rooms import RoomName, Rooms

EVENTS_PER_TURN = 256
"""After this many events in one turn, an emit lets the loop write before it goes on."""


class FanOutManager(socketio.AsyncManager):
    """The client manager of `AsyncServer`: python-socketio's methods over `fan_out` and its `rooms`.

    It knows this process only. A manager that reaches other processes can have it for its members here: with
    `class RedisFanOut(socketio.AsyncRedisManager, FanOutManager)`, `emit` reaches all processes. What is posted to
    `fan_out` itself stays in this one.
    """

    fan_out: FanOut

    def __init__(self, *, members_per_turn: int = MEMBERS_PER_TURN) -> None:
        super().__init__()
        self._members_per_turn = members_per_turn

    def set_server(self, server: Any) -> None:
        """Called by the server that this is the manager of."""
        super().set_server(server)
        self.fan_out = FanOut(
            server.eio.sockets,
            buffer_limit_bytes=server.eio.buffer_limit_bytes,
            volatile_limit_bytes=server.volatile_limit_bytes,
            members_per_turn=self._members_per_turn,
            logger=server.logger,
        )
        self.rooms = self.registry.by_namespace  # where python-socketio looks itself

    @property
    def registry(self) -> Rooms:
        """Who is connected, and in which rooms."""
        return self.fan_out.rooms

    # --- sending -------------------------------------------------------------------------------------------------

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
        """As `FanOut.post`, and may suspend; a callback gets the answer of each member that is a Socket.IO client."""
        room = to or room
        if callback is None:
            self.fan_out.post(event, data, namespace, room=room, skip_sid=skip_sid)
            if self.fan_out.posted >= EVENTS_PER_TURN:
                await asyncio.sleep(0)
            return
        skipped = (skip_sid,) if isinstance(skip_sid, str) else skip_sid or ()
        for sid, eio_sid in self.get_participants(namespace, room):
            if sid not in skipped:
                self._ask(event, data, namespace, sid, eio_sid, callback)

    def _ask(
        self,
        event: str,
        data: Any,
        namespace: str,
        sid: str,
        eio_sid: str,
        callback: Callable[..., Any],
    ) -> None:
        session = self.server.eio.sockets.get(eio_sid)
        if not isinstance(session, Session):
            self.fan_out.post(event, data, namespace, room=sid)  # there are no acks in other dialects
            return
        ack_id = internals.next_ack_id(self, sid, callback)
        packet = self.server.packet_class(data=[event, *arguments(data)], namespace=namespace, id=ack_id)
        session.transmit(*session.dialect.wrap(packet))

    # --- rooms ---------------------------------------------------------------------------------------------------

    def basic_enter_room(self, sid: str, namespace: str, room: RoomName, eio_sid: str | None = None) -> None:
        """Raises: as `Rooms.enter`."""
        self.registry.enter(sid, namespace, room, eio_sid)

    def basic_leave_room(self, sid: str, namespace: str, room: RoomName) -> None:
        """As `Rooms.leave`."""
        self.registry.leave(sid, namespace, room)

    def get_rooms(self, sid: str, namespace: str) -> list[RoomName]:
        """The rooms of a connection, with the one that has its sid as name."""
        if not self.is_sid_room(namespace, sid):
            return []
        return [sid, *self.registry.rooms_of(sid, namespace)]

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """As `Rooms.members`."""
        return self.registry.members(namespace, room)

    # --- connections ---------------------------------------------------------------------------------------------

    def admit(self, eio_sid: str, namespace: str) -> str | None:
        """Registers a connection that is not connected yet; its sid, or None if it is there already."""
        sid: str = self.server.eio.generate_id()
        return sid if self.registry.admit(sid, eio_sid, namespace) else None

    async def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """As `admit`."""
        return self.admit(eio_sid, namespace)

    async def connect(self, sid: str, namespace: str) -> str | None:
        """The connection is connected now. An Engine.IO sid, of one that was not registered, registers it too; its sid,
        or None if it is there already."""
        admitted: str | None = sid
        if not self.is_pre_connected(sid, namespace):
            admitted = self.admit(sid, namespace)
        if admitted is not None:
            self.registry.welcome(admitted, namespace)
        return admitted

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        """As `Rooms.is_connecting`."""
        return self.registry.is_connecting(sid, namespace)

    def is_connected(self, sid: str | None, namespace: str) -> bool:
        """As `Rooms.is_connected`."""
        return self.registry.is_connected(sid, namespace)

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """As `Rooms.sid_from_eio_sid`."""
        return self.registry.sid_from_eio_sid(eio_sid, namespace)

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        """The connection is about to go; its Engine.IO sid."""
        self.registry.part(sid, namespace)
        return self.registry.eio_sid_from_sid(sid, namespace)

    def basic_disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        """The connection is gone."""
        eio_sid = self.registry.eio_sid_from_sid(sid, namespace)
        for room in list(self.registry.rooms_of(sid, namespace)):
            self.basic_leave_room(sid, namespace, room)
        self.registry.remove(sid, eio_sid, namespace)
        self.callbacks.pop(sid, None)
