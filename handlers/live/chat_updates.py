"""`chat_updated`, for members who have not joined the chat: its newest message, and how much they have not read."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.models import ChatPreview
from handlers.live.clock import Clock
from handlers.live.connections import Connection, Connections
from handlers.live.directory import Directory
from handlers.live.hub import Hub
from handlers.live.loaded_chat import LoadedChat
from handlers.wire import events
from handlers.wire.file_links import FileLinks
from storage.errors import Unavailable
from storage.ports import Store

PUBLISHED_EVERY_S = 1.0
"""A change of a chat is published at once, and further changes no more often than this."""

QUERIES_MAX = 4
"""How many chats are loaded or queried at a time. The others wait, and each costs one query whatever happens
meanwhile."""

EVENTS_PER_TURN = 100


@dataclass(slots=True)
class _Due:
    """What has changed since a chat was published last: the chat, or only how far some members have read."""

    chat: bool = False
    readers: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return self.chat or bool(self.readers)


class ChatUpdates:
    """Publishes `chat_updated` to the members' connections that have not joined the chat.

    A message costs one look-up in a dict. Everything else is done once a second for each chat that changes, for those
    members who are connected: one query for all of them, one event for all who have the same counts and mark.
    """

    def __init__(
        self,
        store: Store,
        hub: Hub,
        clock: Clock,
        connections: Connections,
        directory: Directory,
        links: FileLinks,
    ) -> None:
        self._store = store
        self._links = links
        self._hub = hub
        self._clock = clock
        self._connections = connections
        self._directory = directory
        self._due: dict[int, _Due] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._queries = asyncio.Semaphore(QUERIES_MAX)

    def changed(self, chat_id: int) -> None:
        """Called when a message of the chat is created or changes. Nothing happens if nobody is connected."""
        due = self._due.get(chat_id)
        if due is not None:
            due.chat = True
        elif self._connections.users():
            self._begin(chat_id).chat = True

    def read(self, chat_id: int, user_id: int) -> None:
        """Called when a member has read on: their other connections get to know it. Nothing happens for a member who is
        connected to other nodes only."""
        if not self._connections.of(user_id):
            return
        due = self._due.get(chat_id)
        (self._begin(chat_id) if due is None else due).readers.add(user_id)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _begin(self, chat_id: int) -> _Due:
        due = self._due[chat_id] = _Due()
        task = asyncio.ensure_future(self._go_on(chat_id, due))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return due

    async def _go_on(self, chat_id: int, due: _Due) -> None:
        """Publishes until a second has passed without a change."""
        try:
            while due:
                await self._publish(chat_id, due)
                await self._clock.sleep(PUBLISHED_EVERY_S)
        finally:
            del self._due[chat_id]

    async def _publish(self, chat_id: int, due: _Due) -> None:
        whole, readers = due.chat, due.readers
        due.chat, due.readers = False, set()
        try:
            chat = await self._chat(chat_id)
            if chat is None or not (users := self._unjoined_members(chat, None if whole else readers)):
                return
            async with self._queries:
                preview = await self._store.chats.preview(chat_id, users)
            if preview is not None:
                await self._send(chat_id, preview, due)
        except Unavailable as error:
            if error.trouble == "newer":
                return
            due.chat |= whole
            due.readers |= readers

    async def _chat(self, chat_id: int) -> LoadedChat | None:
        """The chat. Messages of chats that are not in memory come from other nodes: of all their chats."""
        if self._directory.peek(chat_id) is not None:
            return await self._directory.current(chat_id)
        async with self._queries:
            return await self._directory.current(chat_id)

    async def _send(self, chat_id: int, preview: ChatPreview, due: _Due) -> None:
        alike: dict[tuple[int, int, int], list[int]] = {}
        for user_id, count in preview.unread_counts.items():
            if user_id not in due.readers:  # they have read on since the query: the next one counts
                counts = count, preview.unread_mentions.get(user_id, 0), preview.read_seqs[user_id]
                alike.setdefault(counts, []).append(user_id)
        for number, (counts, user_ids) in enumerate(alike.items(), 1):
            # Members and joined connections are those of the turn in which the event is sent.
            chat = await self._directory.current(chat_id)
            if chat is None:
                return
            rooms = [connection.id for user_id in user_ids for connection in self._unjoined(chat, user_id)]
            if rooms:
                name, payload = events.chat_updated(chat_id, preview, *counts, self._clock.now(), self._links)
                self._hub.emit_once(name, payload, rooms=rooms)
            if number % EVENTS_PER_TURN == 0:
                await asyncio.sleep(0)

    def _unjoined_members(self, chat: LoadedChat, user_ids: Iterable[int] | None) -> list[int]:
        """Those of the users (None: of all) who are members and have a connection that has not joined."""
        if user_ids is None:
            users, members = self._connections.users(), chat.members
            few, many = (users, members) if len(users) < len(members) else (members, users)
            user_ids = [user_id for user_id in few if user_id in many]
        return [user_id for user_id in user_ids if self._unjoined(chat, user_id)]

    def _unjoined(self, chat: LoadedChat, user_id: int) -> list[Connection]:
        """The connections of a member that have not joined the chat; none for a user who is no member."""
        if user_id not in chat.members:
            return []
        return [
            connection for connection in self._connections.of(user_id) if connection.id not in chat.joined
        ]
