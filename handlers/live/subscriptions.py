"""Connections that asked at connect to be in the rooms of all chats of their user, now and as they come."""

import asyncio
from collections.abc import Callable

from handlers.live.connections import Connection, Connections, enter_room
from handlers.live.directory import Directory, OpenChat
from handlers.live.hub import Hub
from handlers.wire.endings import Ending, Refused
from handlers.wire.errors import ChatError
from storage.errors import Unavailable
from storage.ports import Store


class Subscriptions:
    """`ended` is called with a connection that cannot be put into its rooms: it would miss events unknowingly."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        connections: Connections,
        directory: Directory,
        ended: Callable[[Connection, Ending], None],
    ) -> None:
        self._store = store
        self._hub = hub
        self._connections = connections
        self._directory = directory
        self._ended = ended
        self._entering: set[asyncio.Task[None]] = set()

    def begin(self, connection: Connection) -> None:
        """Puts the connection into all its user's rooms. Its commands wait for that, so the answer to the first one
        says that it is done."""
        connection.follows_all = True
        connection.entering = self._start(connection)

    def added(self, user_id: int, chat: OpenChat) -> None:
        """A user came into a chat: those of their connections that follow all are in its room at once."""
        for connection in self._connections.of(user_id):
            if connection.follows_all:
                enter_room(self._hub, connection, chat)

    def stop(self) -> None:
        for task in self._entering:
            task.cancel()

    def _start(self, connection: Connection) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(self._enter(connection))
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)
        return task

    async def _enter(self, connection: Connection) -> None:
        """Into all chats. Lets the loop go on after each, for they may be thousands."""
        try:
            for chat_id in await self._store.chats.ids_of(connection.user_id):
                await self._enter_one(connection, chat_id)
                await asyncio.sleep(0)
        except Refused:
            pass  # the connection has ended meanwhile
        except Unavailable:
            self._ended(connection, Ending.OVERLOADED)

    async def _enter_one(self, connection: Connection, chat_id: int) -> None:
        try:
            chat = await self._directory.entered_by(connection.user_id, chat_id)
        except ChatError:
            return  # removed meanwhile
        self._connections.check(connection)
        enter_room(self._hub, connection, chat)
