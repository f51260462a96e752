"""The live connections of every user, whichever gate they came through."""

import asyncio
from collections.abc import Collection, Iterable, KeysView
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

from handlers.live.hub import Hub
from handlers.policy import UNFINISHED_MAX
from handlers.wire.endings import Ending, Refused
from storage.promise import Promise

Wire = Literal["raw", "socketio"]
"""What a connection speaks."""


class JoinedChat(Protocol):
    """What a connection knows of a chat it has joined; `handlers.live.directory.LoadedChat` is one."""

    @property
    def id(self) -> int: ...

    @property
    def room(self) -> str: ...

    def join(self, connection: "Connection") -> None:
        """Adds a connection to the room; nothing happens if it is there."""

    def part(self, connection: "Connection") -> None:
        """Takes a connection out of the room, in which it has to be."""


@dataclass(slots=True, eq=False)
class Connection:
    """One live connection. `session_id` is None for a token of another backend; `expires_at` is a Unix time,
    `NEVER` for the token of a bot.

    `follows_all`: it is in the room of every chat of its user, once `joining` is done. `unfinished` counts its commands
    that wait for the disk.
    """

    id: str
    user_id: int
    session_id: str | None
    expires_at: float
    joined: dict[int, JoinedChat] = field(default_factory=dict)
    follows_all: bool = False
    joining: "asyncio.Future[None] | None" = None
    unfinished: int = 0
    wire: Wire = "raw"
    _drained: "asyncio.Future[None] | None" = None

    def begin(self, write: Promise[Any]) -> None:
        """Counts a command as unfinished until its write is done."""
        self.unfinished += 1
        write.then(self._finish)

    def _finish(self, _write: object) -> None:
        self.unfinished -= 1
        if self._drained is not None and self.unfinished < UNFINISHED_MAX:
            if not self._drained.done():
                self._drained.set_result(None)
            self._drained = None

    async def ready(self) -> None:
        """Returns when the next command may run: the connection is in the rooms it asked for at connect, and fewer than
        `UNFINISHED_MAX` commands wait for the disk. Only one caller may wait for this at a time."""
        if self.joining is not None:
            await asyncio.wait((self.joining,))
            self.joining = None
        while self.unfinished >= UNFINISHED_MAX:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained


class Connections:
    """All live connections, by id and by user. `opened` counts those that were added since the start, by wire, and
    `by_wire` those that are here."""

    def __init__(self) -> None:
        self.opened: dict[Wire, int] = dict.fromkeys(get_args(Wire), 0)
        self.by_wire: dict[Wire, int] = dict.fromkeys(get_args(Wire), 0)
        self._by_id: dict[str, Connection] = {}
        self._by_user: dict[int, dict[str, Connection]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, connection: Connection) -> None:
        self.opened[connection.wire] += 1
        self.by_wire[connection.wire] += 1
        self._by_id[connection.id] = connection
        self._by_user.setdefault(connection.user_id, {})[connection.id] = connection

    def remove(self, connection: Connection) -> None:
        del self._by_id[connection.id]
        self.by_wire[connection.wire] -= 1
        others = self._by_user[connection.user_id]
        del others[connection.id]
        if not others:
            del self._by_user[connection.user_id]

    def check(self, connection: Connection) -> None:
        """Raises: `Refused` (REVOKED) if the connection has ended, though its last frames may still be being read."""
        if self._by_id.get(connection.id) is not connection:
            raise Refused("unauthenticated", Ending.REVOKED, "the connection has ended")

    def get(self, connection_id: str) -> Connection | None:
        return self._by_id.get(connection_id)

    def of(self, user_id: int) -> Collection[Connection]:
        """The connections of a user; empty if there are none."""
        return self._by_user.get(user_id, {}).values()

    def any_of(self, user_ids: Iterable[int]) -> bool:
        """Whether any of these users is connected."""
        return any(user_id in self._by_user for user_id in user_ids)

    def users(self) -> KeysView[int]:
        """The ids of all users who are connected."""
        return self._by_user.keys()

    def ids_of(self, user_id: int) -> Collection[str]:
        """The ids of a user's connections; empty if there are none."""
        return self._by_user.get(user_id, {}).keys()

    def all(self) -> Collection[Connection]:
        return self._by_id.values()


def enter_room(hub: Hub, connection: Connection, chat: JoinedChat) -> None:
    """Puts a connection into the room of a chat; nothing happens if it is there."""
    hub.enter(connection.id, chat.room)
    chat.join(connection)
    connection.joined[chat.id] = chat


def leave_room(hub: Hub, connection: Connection, chat_id: int) -> bool:
    """Takes a connection out of the room of a chat; False if it was not there."""
    chat = connection.joined.pop(chat_id, None)
    if chat is None:
        return False
    chat.part(connection)
    hub.leave(connection.id, chat.room)
    return True
