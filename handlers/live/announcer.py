"""Events for the members of a chat, and for those who know a user: what memory lacks for them is loaded first."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from domain.models import User
from handlers.live.clock import Clock
from handlers.live.connections import Connections
from handlers.live.directory import Directory
from handlers.live.hub import Hub
from handlers.live.identities import Identities
from handlers.live.loaded_chat import LoadedChat
from handlers.live.presence import PresenceTracker
from handlers.policy import PRESENCE_MEMBERS_MAX
from handlers.wire import events
from handlers.wire.events import Event
from storage.errors import Unavailable
from storage.ports import Store

log = structlog.get_logger("vestnik")

RETRY_EVERY_S = 1.0
"""The pause before a store that could not answer is asked again."""

CHATS_PER_TURN = 1_000

LEAVES_WITHIN_S = 10.0
"""A user who is banned or deleted at another node leaves chats there. This node hears of the account first and of
the chats later, but finds them left already: within this time, members of a left chat get the `user_changed` that they
were not sent."""

Publish = Callable[[LoadedChat | None, Mapping[int, User]], None]
"""Publishes an event, given a chat and users as they are in that turn."""


@dataclass(slots=True)
class _ChangedUser:
    """A user who has changed, as they are now, until `user_changed` is published.

    Members of the chats in `left`, which the user left meanwhile, get the event too, and so do the users in `known_to`,
    who shared a chat with the user that was deleted meanwhile. Connections in `sent` have got it.
    """

    user: User
    sent: set[str] = field(default_factory=set)
    left: set[int] = field(default_factory=set)
    known_to: set[int] = field(default_factory=set)
    task: "asyncio.Task[None] | None" = None


class Announcer:
    """Publishes events to connections that need not have joined a chat.

    An event about a chat that is in memory is published in the turn of its change. Any other event waits until the chat
    is loaded. The events about a chat keep their order, and those that follow from a change of a user, about the user's
    chats, come after the event about the user. The events of rooms wait for nothing of this.
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
        self._changed_users: dict[int, _ChangedUser] = {}
        """By user, those whose `user_changed` is not yet published."""
        self._published_users: dict[int, _ChangedUser] = {}
        """By user, those whose `user_changed` was published a moment ago, on a store that other nodes write to."""
        self._missed: dict[int, list[_ChangedUser]] = {}
        """By chat, those of them who have left it since: the next event about the chat comes after theirs."""

    def announce(
        self, chat_id: int, publish: Publish, *, chat: bool = True, users: Collection[int] = ()
    ) -> None:
        """Calls `publish` with the chat and with those of the users that exist, by id: in this turn if they are in
        memory and no earlier event has to come first, else when that is so. The chat is None if it is gone, and if
        `chat` is False, which says that the event needs none. Nothing happens if nobody is connected."""
        if not self._connections.users():
            return
        found = self._directory.peek(chat_id) if chat else None
        known = {user_id: self._identities.peek_user(user_id) for user_id in users}
        in_memory = (found is not None or not chat) and None not in known.values()
        before = [self._last[chat_id]] if chat_id in self._last else []
        if chat and self._changed_users:
            before += self._tasks_before(chat_id, found, users)
        if in_memory and not before:
            if chat and self._missed:
                self._publish_missed(chat_id, found)
            publish(found, {user_id: user for user_id, user in known.items() if user is not None})
            return
        task = self._start(self._publish_later(chat_id, before, publish, chat, users))
        self._last[chat_id] = task
        task.add_done_callback(lambda done: self._settled(chat_id, done))

    def user_changed(self, user: User) -> None:
        """Publishes `user_changed` to all connections of those who share a chat of at most 100 members with the user,
        to the connections that have joined a larger chat of the user, and to the user's own connections."""
        changed = self._changed_users.get(user.id)
        if changed is not None:
            changed.user = user
            return
        changed = self._changed_users[user.id] = _ChangedUser(user)
        changed.task = self._start(self._publish_user(changed))

    def own_changed(self, user: User) -> None:
        """Publishes `user_changed` to the user's own connections, for a change that nobody else sees."""
        waiting = self._changed_users.get(user.id)
        if waiting is not None:
            waiting.user = user
            return
        own = self._connections.ids_of(user.id)
        if own:
            name, payload = events.user_changed(
                user, self._presence.status_of(user.id), self._clock.now(), own=True
            )
            self._hub.emit_once(name, payload, rooms=list(own))

    def left(self, user_id: int, chat_id: int) -> None:
        """Notes that a user is no longer in a chat: its members still get the user's `user_changed`."""
        if self._changed_users and user_id in self._changed_users:
            self._changed_users[user_id].left.add(chat_id)
        elif self._published_users and user_id in self._published_users:
            self._missed.setdefault(chat_id, []).append(self._published_users[user_id])

    def dissolved(self, user_ids: Collection[int]) -> None:
        """Notes that the chat of these users is gone: they still get the `user_changed` of one another."""
        if len(user_ids) > PRESENCE_MEMBERS_MAX:
            return
        for user_id in self._changed_users.keys() & set(user_ids):
            self._changed_users[user_id].known_to.update(user_ids)
        for user_id in self._published_users.keys() & set(user_ids):
            self._send(self._published_users[user_id], user_ids)

    async def published(self, user_id: int, within_s: float) -> None:
        """Returns when no `user_changed` of the user waits to be published, or after this time."""
        changed = self._changed_users.get(user_id)
        if changed is not None and changed.task is not None:
            await asyncio.wait((changed.task,), timeout=within_s)

    def to_users(self, user_ids: Collection[int], event: Event) -> None:
        """Publishes an event to all connections of these users."""
        ids = self._connection_ids(user_ids)
        if ids:
            name, payload = event
            self._hub.emit_once(name, payload, rooms=ids)

    def stop(self) -> None:
        """Gives up what still waits."""
        tasks = [*self._last.values(), *(changed.task for changed in self._changed_users.values())]
        for task in tasks:
            if task is not None:
                task.cancel()

    def _send(
        self, changed: _ChangedUser, user_ids: Collection[int], large: Sequence[LoadedChat] = ()
    ) -> None:
        """Publishes `user_changed` to these users, to those who have joined the large chats, and to the user's own
        connections: to all those that have not got it."""
        user, now = changed.user, self._clock.now()
        status = self._presence.status_of(user.id)
        own, direct = self._connections.ids_of(user.id), self._connection_ids(user_ids)
        others = [*direct, *(chat.room for chat in large)]
        if others:
            name, payload = events.user_changed(user, status, now, own=False)
            self._hub.emit_once(name, payload, rooms=others, skip=[*own, *changed.sent])
        if own:
            name, payload = events.user_changed(user, status, now, own=True)
            self._hub.emit_once(name, payload, rooms=list(own), skip=list(changed.sent))
        if self._store.shared:
            changed.sent.update(own, direct, *(chat.joined for chat in large))

    def _publish_missed(self, chat_id: int, chat: LoadedChat | None) -> None:
        """Publishes the `user_changed` of users who have left the chat to the members who have not got it."""
        for changed in self._missed.pop(chat_id, ()):
            if chat is not None:
                is_small = len(chat.members) < PRESENCE_MEMBERS_MAX
                self._send(changed, chat.members if is_small else (), () if is_small else (chat,))

    def _keep_published(self, changed: _ChangedUser) -> None:
        """Keeps a published change for a while."""
        user_id = changed.user.id
        self._published_users[user_id] = changed

        def forget() -> None:
            if self._published_users.get(user_id) is changed:
                del self._published_users[user_id]

        self._clock.call_later(LEAVES_WITHIN_S, forget)

    def _tasks_before(
        self, chat_id: int, chat: LoadedChat | None, users: Collection[int]
    ) -> "list[asyncio.Task[None]]":
        """What publishes the `user_changed` that come before an event about this chat: those of its members, and of
        users who have just left it. Of a chat that is not in memory, these may be all there are."""
        return [
            changed.task
            for user_id, changed in self._changed_users.items()
            if changed.task is not None
            and (chat is None or user_id in chat.members or user_id in users or chat_id in changed.left)
        ]

    def _connection_ids(self, user_ids: Collection[int]) -> list[str]:
        connections = self._connections
        return [one for user_id in user_ids for one in connections.ids_of(user_id)]

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(_log_failure)
        return task

    def _settled(self, chat_id: int, done: "asyncio.Task[None]") -> None:
        if self._last.get(chat_id) is done:
            del self._last[chat_id]

    async def _publish_later(
        self,
        chat_id: int,
        before: "Collection[asyncio.Task[None]]",
        publish: Publish,
        chat: bool,
        users: Collection[int],
    ) -> None:
        if before:
            await asyncio.wait(before)

        async def load() -> tuple[LoadedChat | None, dict[int, User]]:
            known = {user_id: await self._identities.user(user_id) for user_id in users}
            # Last: nothing may happen between the load of the chat and the call of `publish`.
            found = await self._directory.current(chat_id) if chat else None
            return found, {user_id: user for user_id, user in known.items() if user is not None}

        loaded = await self._with_retry(load)
        if loaded is not None:
            if chat:
                self._publish_missed(chat_id, loaded[0])
            publish(*loaded)

    async def _publish_user(self, changed: _ChangedUser) -> None:
        user_id = changed.user.id
        try:
            users, large = await self._with_retry(partial(self._audience, user_id))
            while changed.left:
                chat = await self._with_retry(partial(self._directory.current, changed.left.pop()))
                if chat is not None and len(chat.members) < PRESENCE_MEMBERS_MAX:
                    users.update(chat.members)
                elif chat is not None:
                    large.append(chat)
            users |= changed.known_to
        finally:
            del self._changed_users[user_id]
        self._send(changed, users, large)
        if self._store.shared:
            self._keep_published(changed)

    async def _audience(self, user_id: int) -> tuple[set[int], list[LoadedChat]]:
        """The connected users who share a small chat with the user, and the user's large chats that somebody joined."""
        connected = list(self._connections.users())
        users = set(await self._store.chats.sharing(user_id, connected, members_max=PRESENCE_MEMBERS_MAX))
        large: list[LoadedChat] = []
        for number, chat_id in enumerate(await self._store.chats.ids_of(user_id), 1):
            chat = self._directory.peek(chat_id)
            if chat is not None and chat.joined and not chat.carries_presence:
                large.append(chat)
            if number % CHATS_PER_TURN == 0:
                await asyncio.sleep(0)
        return users, large

    async def _with_retry(self, load: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """What `load` returns once the store can answer; None if this node will never be able to."""
        while True:
            try:
                return await load()
            except Unavailable as error:
                if error.trouble == "newer":
                    return None
                await self._clock.sleep(RETRY_EVERY_S)


def _log_failure(done: "asyncio.Task[None]") -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("an event for members could not be published", exc_info=error)
