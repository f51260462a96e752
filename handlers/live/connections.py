"""Who is connected: the live connections of every user, whichever gate they came through."""

import asyncio
from collections.abc import Collection, KeysView
from dataclasses import dataclass, field
from typing import Any, Protocol

from handlers.live.hub import Hub
from handlers.policy import UNFINISHED_MAX
from handlers.wire.endings import Ending, Refused
from storage.batching import when_settled


class JoinedChat(Protocol):
    """A chat, as far as the connections in its room need it: `handlers.live.directory.OpenChat`."""

    @property
    def id(self) -> int: ...

    @property
    def room(self) -> str: ...

    def join(self, connection: "Connection") -> None:
        """Notes a connection that enters the room; nothing happens if it is there."""

    def part(self, connection: "Connection") -> None:
        """Forgets a connection that leaves the room it is in."""


@dataclass(slots=True, eq=False)
class Connection:
    """One live connection. `session_id` is None for a token of another backend; `expires_at` is a Unix time.

    `follows_all`: it is in the room of every chat of its user; `entering` is what puts it there at first.
    """

    id: str
    user_id: int
    session_id: str | None
    expires_at: float
    joined: dict[int, JoinedChat] = field(default_factory=dict)
    follows_all: bool = False
    entering: "asyncio.Future[None] | None" = None
    unfinished: int = 0
    _calm: "asyncio.Future[None] | None" = None

    def begin(self, write: "asyncio.Future[Any]") -> None:
        """A command now waits for the disk."""
        self.unfinished += 1
        when_settled(write, self._finish)

    def _finish(self, _write: object) -> None:
        self.unfinished -= 1
        if self._calm is not None and self.unfinished < UNFINISHED_MAX:
            if not self._calm.done():
                self._calm.set_result(None)
            self._calm = None

    async def calm(self) -> None:
        """Returns when the connection is in the rooms it asked for at connect, and few enough commands wait for the
        disk; only one may wait for this at a time."""
        if self.entering is not None:
            await asyncio.wait((self.entering,))
            self.entering = None
        while self.unfinished >= UNFINISHED_MAX:
            self._calm = asyncio.get_running_loop().create_future()
            await self._calm


class Connections:
    """All live connections, by id and by user."""

    def __init__(self) -> None:
        self._by_id: dict[str, Connection] = {}
        self._by_user: dict[int, dict[str, Connection]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, connection: Connection) -> None:
        self._by_id[connection.id] = connection
        self._by_user.setdefault(connection.user_id, {})[connection.id] = connection

    def remove(self, connection: Connection) -> None:
        del self._by_id[connection.id]
        others = self._by_user[connection.user_id]
        del others[connection.id]
        if not others:
            del self._by_user[connection.user_id]

    def check(self, connection: Connection) -> None:
        """Raises: `Refused` (REVOKED) if the connection has ended, even if its last frames are still being read."""
        if self._by_id.get(connection.id) is not connection:
            raise Refused("unauthenticated", Ending.REVOKED, "the connection has ended")

    def get(self, connection_id: str) -> Connection | None:
        return self._by_id.get(connection_id)

    def of(self, user_id: int) -> Collection[Connection]:
        """The connections of a user; empty if there are none."""
        return self._by_user.get(user_id, {}).values()

    def users(self) -> KeysView[int]:
        """Who is connected."""
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
