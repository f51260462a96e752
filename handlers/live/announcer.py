"""Events for the members of a chat and for those who know a user: what memory lacks for them is loaded first."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from domain.models import User
from handlers.live.clock import Clock
from handlers.live.connections import Connections
from handlers.live.directory import Directory, OpenChat
from handlers.live.hub import Hub
from handlers.live.identities import Identities
from handlers.live.presence import PresenceTracker
from handlers.policy import PRESENCE_MEMBERS_MAX
from handlers.wire import events
from handlers.wire.events import Event
from storage.errors import Unavailable
from storage.ports import Store

log = structlog.get_logger("vestnik")

RETRY_EVERY_S = 1.0
"""How long to wait before asking a store again that could not answer."""

CHATS_PER_TURN = 1_000

Publish = Callable[[OpenChat | None, Mapping[int, User]], None]


@dataclass(slots=True)
class _News:
    """A user who has changed, as they are now, until that is published. `left`: the chats they were taken out of
    meanwhile; `known_to`: the members of chats that were deleted meanwhile. These are to hear of it as well."""

    user: User
    left: set[int] = field(default_factory=set)
    known_to: set[int] = field(default_factory=set)
    task: "asyncio.Task[None] | None" = None


class Announcer:
    """Publishes to connections that need not have joined anything.

    An event whose chat is in memory is published in the turn of its change. Another one waits until the chat is
    loaded; the events of a chat keep their order meanwhile, and what follows from a change of a user, in the chats of
    that user, comes after it. Nothing of this delays the rooms.
    """

    def __init__(
        self,
        store: Store,
        hub: Hub,
        clock: Clock,
        connections: Connections,
        directory: Directory,
        identities: Identities,
        presence: PresenceTracker,
    ) -> None:
        self._store = store
        self._hub = hub
        self._clock = clock
        self._connections = connections
        self._directory = directory
        self._identities = identities
        self._presence = presence
        self._last: dict[int, asyncio.Task[None]] = {}
        """By chat, the last of its announcements that waits."""
        self._news: dict[int, _News] = {}
        """By user, what is still to be published of them."""

    def announce(
        self, chat_id: int, publish: Publish, *, chat: bool = True, users: Collection[int] = ()
    ) -> None:
        """Calls `publish`, after what was announced of the chat before, with the chat as it is in that turn and these
        users by id. The chat is None if it is gone, and without `chat`, which asks for none."""
        found = self._directory.peek(chat_id) if chat else None
        known = {user_id: self._identities.peek_user(user_id) for user_id in users}
        here = (found is not None or not chat) and None not in known.values()
        before = [self._last[chat_id]] if chat_id in self._last else []
        if chat and self._news:
            before += self._news_of(chat_id, found, users)
        if here and not before:
            publish(found, {user_id: user for user_id, user in known.items() if user is not None})
            return
        task = self._start(self._publish(chat_id, before, publish, chat, users))
        self._last[chat_id] = task
        task.add_done_callback(lambda done: self._settled(chat_id, done))

    def user_changed(self, user: User) -> None:
        """Publishes that a user is no longer what others knew: to the connections of all with whom they share a chat
        of at most 100 members, to those that have joined a larger one, and to their own."""
        news = self._news.get(user.id)
        if news is not None:
            news.user = user
            return
        news = self._news[user.id] = _News(user)
        news.task = self._start(self._publish_user(news))

    def left(self, user_id: int, chat_id: int) -> None:
        """A user is no longer in a chat: its members still hear what is to be published of the user."""
        if self._news and user_id in self._news:
            self._news[user_id].left.add(chat_id)

    def dissolved(self, user_ids: Collection[int]) -> None:
        """The chat of these users is gone: they still hear what is to be published of each other."""
        for user_id in self._news.keys() & set(user_ids):
            if len(user_ids) <= PRESENCE_MEMBERS_MAX:
                self._news[user_id].known_to.update(user_ids)

    async def published(self, user_id: int, within_s: float) -> None:
        """Returns when nothing of the user is left to be published, or after this time."""
        news = self._news.get(user_id)
        if news is not None and news.task is not None:
            await asyncio.wait((news.task,), timeout=within_s)

    def to_users(self, user_ids: Collection[int], event: Event) -> None:
        """To all connections of these users."""
        ids = self._connection_ids(user_ids)
        if ids:
            name, payload = event
            self._hub.emit_once(name, payload, rooms=ids)

    def stop(self) -> None:
        tasks = [*self._last.values(), *(news.task for news in self._news.values())]
        for task in tasks:
            if task is not None:
                task.cancel()

    def _news_of(
        self, chat_id: int, chat: OpenChat | None, users: Collection[int]
    ) -> "list[asyncio.Task[None]]":
        """What has to be published of users before an event of this chat: that of its members, and of those who have
        just left it; of a chat that is not in memory these may be all."""
        return [
            news.task
            for user_id, news in self._news.items()
            if news.task is not None
            and (chat is None or user_id in chat.members or user_id in users or chat_id in news.left)
        ]

    def _connection_ids(self, user_ids: Collection[int]) -> list[str]:
        connections = self._connections
        return [one for user_id in user_ids for one in connections.ids_of(user_id)]

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(_report)
        return task

    def _settled(self, chat_id: int, done: "asyncio.Task[None]") -> None:
        if self._last.get(chat_id) is done:
            del self._last[chat_id]

    async def _publish(
        self,
        chat_id: int,
        before: "Collection[asyncio.Task[None]]",
        publish: Publish,
        chat: bool,
        users: Collection[int],
    ) -> None:
        if before:
            await asyncio.wait(before)

        async def look() -> tuple[OpenChat | None, dict[int, User]]:
            known = {user_id: await self._identities.user(user_id) for user_id in users}
            # Last: nothing may happen between the look at the chat and the telling.
            found = await self._directory.current(chat_id) if chat else None
            return found, {user_id: user for user_id, user in known.items() if user is not None}

        publish(*await self._patiently(look))

    async def _publish_user(self, news: _News) -> None:
        user_id = news.user.id
        try:
            users, rooms = await self._patiently(partial(self._audience, user_id))
            while news.left:
                chat = await self._patiently(partial(self._directory.current, news.left.pop()))
                if chat is not None and len(chat.members) < PRESENCE_MEMBERS_MAX:
                    users.update(chat.members)
                elif chat is not None:
                    rooms.append(chat.room)
            users |= news.known_to
        finally:
            del self._news[user_id]
        user, status, now = news.user, self._presence.status_of(user_id), self._clock.now()
        own = self._connections.ids_of(user_id)
        others = [*self._connection_ids(users), *rooms]
        if others:
            name, payload = events.user_changed(user, status, now, own=False)
            self._hub.emit_once(name, payload, rooms=others, skip=list(own))
        if own:
            name, payload = events.user_changed(user, status, now, own=True)
            self._hub.emit_once(name, payload, rooms=list(own))

    async def _audience(self, user_id: int) -> tuple[set[int], list[str]]:
        """Who is connected and shares a small chat with the user, and the rooms of the user's large chats."""
        connected = list(self._connections.users())
        users = set(await self._store.chats.sharing(user_id, connected, members_max=PRESENCE_MEMBERS_MAX))
        rooms: list[str] = []
        for number, chat_id in enumerate(await self._store.chats.ids_of(user_id), 1):
            chat = self._directory.peek(chat_id)
            if chat is not None and chat.joined and not chat.carries_presence:
                rooms.append(chat.room)
            if number % CHATS_PER_TURN == 0:
                await asyncio.sleep(0)
        return users, rooms

    async def _patiently(self, look: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """What the store answers, as soon as it does."""
        while True:
            try:
                return await look()
            except Unavailable:
                await self._clock.sleep(RETRY_EVERY_S)


def _report(done: "asyncio.Task[None]") -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("an event for members could not be published", exc_info=error)
