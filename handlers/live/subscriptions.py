"""The option `subscribe=all`: a connection joins all chats of its user, present and future ones."""

import asyncio

from handlers.live.connections import Connection, Connections, enter_room
from handlers.live.directory import Directory
from handlers.live.hub import Hub
from handlers.live.loaded_chat import LoadedChat
from handlers.live.streams import StreamTracker
from handlers.wire.endings import Ending, Refused
from handlers.wire.errors import ChatError
from storage.errors import Unavailable
from storage.ports import Store

LOADS_AT_ONCE = 16
"""How many chats are loaded at the same time for a connection. Before a load a server looks at the others on its store,
and one look serves all loads that wait for it."""


class Subscriptions:
    """Puts such connections into their rooms. One for which the store cannot answer is ended: it would miss events and
    not know it."""

    def __init__(
        self, store: Store, hub: Hub, connections: Connections, directory: Directory, streams: StreamTracker
    ) -> None:
        self._store = store
        self._hub = hub
        self._connections = connections
        self._directory = directory
        self._streams = streams
        self._entering: set[asyncio.Task[None]] = set()

    def begin(self, connection: Connection) -> None:
        """Begins to put the connection into the rooms of its user's chats. The connection's commands wait until that is
        done: the client knows it by the answer to the first one."""
        connection.follows_all = True
        connection.joining = self._start(connection)

    def added(self, user_id: int, chat: LoadedChat) -> None:
        """Called when a user becomes a member of a chat: puts those of their connections that follow all into its
        room."""
        for connection in self._connections.of(user_id):
            if connection.follows_all:
                self._put(connection, chat)

    def stop(self) -> None:
        for task in self._entering:
            task.cancel()

    def _start(self, connection: Connection) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(self._enter(connection))
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)
        return task

    async def _enter(self, connection: Connection) -> None:
        """Joins all chats. Lets the loop go on after each, for there may be thousands."""
        try:
            chat_ids = await self._store.chats.ids_of(connection.user_id)
            for start in range(0, len(chat_ids), LOADS_AT_ONCE):
                some = chat_ids[start : start + LOADS_AT_ONCE]
                # `_enter_one` meets the failures of these loads again.
                await asyncio.gather(*map(self._directory.current, some), return_exceptions=True)
                for chat_id in some:
                    await self._enter_one(connection, chat_id)
                    await asyncio.sleep(0)
        except Refused:
            pass  # the connection has ended meanwhile
        except Unavailable:
            self._hub.end(connection.id, Ending.OVERLOADED)

    async def _enter_one(self, connection: Connection, chat_id: int) -> None:
        try:
            chat = await self._directory.for_member(connection.user_id, chat_id)
        except ChatError:
            return  # removed meanwhile
        except Unavailable as error:
            if error.trouble == "newer":
                return  # only newer nodes serve this chat; the connection's commands on it are refused
            raise
        self._connections.check(connection)
        self._put(connection, chat)

    def _put(self, connection: Connection, chat: LoadedChat) -> None:
        enter_room(self._hub, connection, chat)
        self._streams.show(chat.id, connection)
