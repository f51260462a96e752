"""What members are told of chats they have not joined: the newest message and how much is unread, now and then."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.models import ChatPreview
from handlers.live.clock import Clock
from handlers.live.connections import Connection, Connections
from handlers.live.directory import Directory, OpenChat
from handlers.live.hub import Hub
from handlers.wire import events
from storage.errors import Unavailable
from storage.ports import Store

TOLD_EVERY_S = 1.0
"""A chat is told at once when it changes, and then no more often than this."""

LOOKS_MAX = 4
"""So many chats are looked up at a time: what is left over waits, and costs one look however much happens meanwhile."""

EVENTS_PER_TURN = 100


@dataclass(slots=True)
class _Due:
    """What has changed since a chat was told last: the chat, or only how far some members have read."""

    chat: bool = False
    readers: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return self.chat or bool(self.readers)


class ChatUpdates:
    """Tells `chat_updated` to the connections of members that have not joined the chat.

    A message costs a look into a dict; the rest is done once a second and chat, for members who are connected: one
    query for all of them, one event for all with the same count and mark.
    """

    def __init__(
        self, store: Store, hub: Hub, clock: Clock, connections: Connections, directory: Directory
    ) -> None:
        self._store = store
        self._hub = hub
        self._clock = clock
        self._connections = connections
        self._directory = directory
        self._due: dict[int, _Due] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._looks = asyncio.Semaphore(LOOKS_MAX)

    def changed(self, chat_id: int) -> None:
        """A message of the chat came, changed or went."""
        self._note(chat_id).chat = True

    def read(self, chat_id: int, user_id: int) -> None:
        """A member has read on: his own other connections are to know."""
        self._note(chat_id).readers.add(user_id)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _note(self, chat_id: int) -> _Due:
        due = self._due.get(chat_id)
        if due is None:
            due = self._due[chat_id] = _Due()
            task = asyncio.ensure_future(self._go_on(chat_id, due))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return due

    async def _go_on(self, chat_id: int, due: _Due) -> None:
        """As long as the chat changes."""
        try:
            while due:
                await self._tell(chat_id, due)
                await self._clock.sleep(TOLD_EVERY_S)
        finally:
            del self._due[chat_id]

    async def _tell(self, chat_id: int, due: _Due) -> None:
        whole, readers = due.chat, due.readers
        due.chat, due.readers = False, set()
        try:
            chat = await self._directory.current(chat_id)
            if chat is None or not (users := self._outside(chat, None if whole else readers)):
                return
            async with self._looks:
                preview = await self._store.chats.preview(chat_id, users)
            if preview is not None:
                await self._send(chat_id, preview, due)
        except Unavailable:
            due.chat |= whole
            due.readers |= readers

    async def _send(self, chat_id: int, preview: ChatPreview, due: _Due) -> None:
        alike: dict[tuple[int, int], list[int]] = {}
        for user_id, count in preview.unread_counts.items():
            if user_id not in due.readers:  # they have read on since the look, and are told so next time
                alike.setdefault((count, preview.read_seqs[user_id]), []).append(user_id)
        for number, ((count, read_seq), user_ids) in enumerate(alike.items(), 1):
            # Who is in the chat and who has joined it is asked in the turn of telling.
            chat = await self._directory.current(chat_id)
            if chat is None:
                return
            rooms = [connection.id for user_id in user_ids for connection in self._apart(chat, user_id)]
            if rooms:
                name, payload = events.chat_updated(chat_id, preview, count, read_seq, self._clock.now())
                self._hub.emit_once(name, payload, rooms=rooms)
            if number % EVENTS_PER_TURN == 0:
                await asyncio.sleep(0)

    def _outside(self, chat: OpenChat, user_ids: Iterable[int] | None) -> list[int]:
        """Those of the users (None: of all) who are members with a connection that has not joined."""
        if user_ids is None:
            users, members = self._connections.users(), chat.members
            few, many = (users, members) if len(users) < len(members) else (members, users)
            user_ids = [user_id for user_id in few if user_id in many]
        return [user_id for user_id in user_ids if self._apart(chat, user_id)]

    def _apart(self, chat: OpenChat, user_id: int) -> list[Connection]:
        """A member's connections that have not joined the chat; none of anybody else."""
        if user_id not in chat.members:
            return []
        return [
            connection for connection in self._connections.of(user_id) if connection.id not in chat.joined
        ]
