"""Connections that asked at connect to be in the rooms of all chats of their user, now and as they come."""

import asyncio
from collections.abc import Callable

from handlers.connections import Connection, Connections
from handlers.directory import Directory
from handlers.endings import Ending, Refused
from handlers.errors import ChatError
from handlers.hub import Hub
from handlers.rooms import put_in
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
        connection.entering = self._start(connection, None)

    def added(self, user_id: int, chat_id: int) -> None:
        """A user came into a chat: those of his connections that follow all are in its room at once."""
        chat = self._directory.peek(chat_id)
        for connection in self._connections.of(user_id):
            if not connection.follows_all:
                continue
            if chat is not None:
                put_in(self._hub, connection, chat)
            else:
                self._start(connection, chat_id)

    def stop(self) -> None:
        for task in self._entering:
            task.cancel()

    def _start(self, connection: Connection, chat_id: int | None) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(self._enter(connection, chat_id))
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)
        return task

    async def _enter(self, connection: Connection, chat_id: int | None) -> None:
        """Into one chat, or into all. Lets the loop go on after each, for they may be thousands."""
        try:
            chat_ids = await self._store.chats.ids_of(connection.user_id) if chat_id is None else [chat_id]
            for each in chat_ids:
                await self._enter_one(connection, each)
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
        put_in(self._hub, connection, chat)
