"""A whole `ChatApp` without sockets: a hub that records who is sent what, and a store in memory."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from domain.changes import Change, Subscriber
from domain.models import Chat, ChatPreview, ChatState, ChatType, Member, Session, User
from handlers.chat_app import ChatApp
from handlers.live.connections import Connection, enter_room
from handlers.live.passwords import Passwords
from handlers.live.tokens import Tokens
from handlers.policy import Policy
from handlers.wire.endings import Ending
from handlers.wire.json import dumps, loads
from storage.ports import Store
from tests.clients.clock import ManualClock
from tests.storage.world import START


class RecordingHub:
    """Implements `handlers.live.hub.Hub`: keeps the events that each connection would get, and how it ended."""

    def __init__(self) -> None:
        self.rooms: dict[str, list[str]] = defaultdict(list)
        self.events: dict[str, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
        self.ended: dict[str, Ending] = {}

    def emit(
        self,
        event: str,
        payload: Mapping[str, Any],
        *,
        room: str,
        skip: Collection[str] = (),
        volatile: bool = False,
    ) -> None:
        self.emit_once(event, payload, rooms=(room,), skip=skip)

    def emit_once(
        self, event: str, payload: Mapping[str, Any], *, rooms: Collection[str], skip: Collection[str] = ()
    ) -> None:
        reached = {one for room in rooms for one in self.rooms.get(room) or (room,)}
        for connection_id in reached - set(skip):
            self.events[connection_id].append((event, payload))

    def emit_encoded(self, event: str, payload: Mapping[str, Any], *, room: str) -> Sequence[bytes]:
        self.emit(event, payload, room=room)
        return [dumps([event, payload])]

    def emit_blobs(self, blobs: Sequence[bytes], *, room: str) -> None:
        self.emit(*loads(blobs[0]), room=room)

    def enter(self, connection_id: str, room: str) -> None:
        self.rooms[room].append(connection_id)

    def leave(self, connection_id: str, room: str) -> None:
        self.rooms[room].remove(connection_id)

    def unsent_bytes(self, connection_id: str) -> int:
        return 0

    def unread_bytes(self, connection_id: str) -> int:
        return 0

    async def turn(self, connection_id: str, size: int) -> None:
        """Comes at once."""

    def end(self, connection_id: str, ending: Ending) -> None:
        self.ended[connection_id] = ending

    def on_end(self, listener: object) -> None:
        """Keeps the connections: the tests compare what was sent to them."""

    def names(self, connection_id: str) -> list[str]:
        """The events of a connection."""
        return [name for name, _ in self.events[connection_id]]


class MemoryStore:
    """What a `ChatApp` reads of a store that nobody writes; a test publishes the changes itself."""

    shared = False
    nodes = None
    epoch = "epoch"
    id = "store"

    def __init__(self) -> None:
        self.accounts: dict[int, User] = {}
        self.states: dict[int, ChatState] = {}
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.publish: Subscriber = lambda _changes: None

    @property
    def users(self) -> "MemoryStore":
        return self

    @property
    def chats(self) -> "MemoryStore":
        return self

    @property
    def sessions(self) -> Any:
        return _Sessions()

    def subscribe(self, subscriber: Subscriber) -> None:
        self.publish = subscriber

    async def get(self, user_id: int) -> User | None:
        return self.accounts.get(user_id)

    async def load(self, chat_id: int) -> ChatState | None:
        await self.may_answer.wait()
        return self.states.get(chat_id)

    async def begin(self, chat_id: int) -> None: ...

    def follow(self, chat_id: int) -> None: ...

    def follows(self, chat_id: int) -> bool:
        return True

    def unfollow(self, chat_id: int) -> None: ...

    async def ids_of(self, user_id: int) -> Sequence[int]:
        return [chat_id for chat_id, state in self.states.items() if user_id in state.members]

    async def sharing(self, user_id: int, among: Collection[int], *, members_max: int) -> Collection[int]:
        await self.may_answer.wait()
        return {
            other
            for state in self.states.values()
            if user_id in state.members and len(state.members) <= members_max
            for other in state.members.keys() & set(among)
        }

    async def member(self, chat_id: int, user_id: int) -> Member | None:
        state = self.states.get(chat_id)
        return None if state is None else state.members.get(user_id)

    async def preview(self, chat_id: int, user_ids: Collection[int]) -> ChatPreview:
        return ChatPreview(1, None, dict.fromkeys(user_ids, 1), dict.fromkeys(user_ids, 0))


class _Sessions:
    """Every session exists: session `s7` is of user 7."""

    async def get(self, session_id: str) -> Session:
        return Session(session_id, int(session_id.removeprefix("s")), START)


class Scene:
    """A `ChatApp` over a `MemoryStore` and a `RecordingHub`. The connection of user 7 has the id `c7`."""

    def __init__(self, hub: RecordingHub | None = None) -> None:
        self.hub = hub or RecordingHub()
        self.store = MemoryStore()
        self.clock = ManualClock()
        self.tokens = Tokens("x" * 32, "HS256", self.clock, issuer=self.store.id, access_ttl_s=900)
        self.passwords = Passwords(4)
        self.app = ChatApp(
            policy=Policy(),
            store=cast(Store, self.store),
            hub=self.hub,
            clock=self.clock,
            tokens=self.tokens,
            passwords=self.passwords,
        )

    def chat(
        self, chat_id: int, *user_ids: int, chat_type: ChatType = "group", name: str | None = "Room"
    ) -> ChatState:
        """A chat in the store; the first of the members owns it."""
        chat = Chat(chat_id, name, chat_type, START, user_ids[0], 0, len(user_ids))
        members = {user_id: self.member(user_id, owner=user_id == user_ids[0]) for user_id in user_ids}
        self.store.states[chat_id] = ChatState(chat, members)
        return self.store.states[chat_id]

    def member(self, user_id: int, *, owner: bool = False) -> Member:
        return Member(user_id, "owner" if owner else "member", START)

    def user(self, user_id: int) -> User:
        """An account in the store."""
        made = User(
            user_id, f"user{user_id}", f"User {user_id}", f"{user_id}@example.org", "hash", created_at=START
        )
        return self.store.accounts.setdefault(user_id, made)

    def rename_user(self, user_id: int, display_name: str) -> User:
        """The account as it is after a change of name."""
        self.store.accounts[user_id] = replace(self.user(user_id), display_name=display_name)
        return self.store.accounts[user_id]

    async def connect(self, user_id: int, *joined: int) -> Connection:
        """A connection of the user, in the rooms of these chats."""
        self.user(user_id)
        identity = await self.app.authenticate(self.tokens.mint(user_id, f"s{user_id}"))
        connection = self.app.connect(identity, f"c{user_id}", "raw")
        for chat_id in joined:
            chat = await self.app.context.directory.for_member(user_id, chat_id)
            enter_room(self.hub, connection, chat)
        return connection

    async def settle(self) -> None:
        """Returns when no task of the app can go on without the clock or the store."""
        for _ in range(50):
            await asyncio.sleep(0)

    def forget_events(self) -> None:
        self.hub.events.clear()

    async def publish(self, *changes: Change) -> None:
        """Publishes the changes as a store does, and lets everything that follows happen."""
        self.store.publish(changes)
        await self.settle()

    async def close(self) -> None:
        await self.app.close()
