"""Several nodes with one store in memory, a user who comes and goes, and a watcher at each node."""

import asyncio
from datetime import datetime
from typing import Any, cast

from domain.models import User
from handlers.live.connections import Connection, enter_room
from handlers.live.directory import Directory
from handlers.live.last_seen import LastSeen
from handlers.live.presence import HEARD_WITHIN_S, PresenceTracker
from handlers.live.presence_outbox import GATHERED_S
from handlers.live.presence_record import NO_CHOICE, Choice
from handlers.wire.endings import RETRY_SPREAD_MS
from storage.ports import Users
from tests.clients.clock import ManualClock
from tests.clients.hub import MemoryHub
from tests.clients.memory_store import NOW, MemoryChats, store_of
from tests.clients.peers import PeerNet

GRACE_S = 2.0
KEPT_S = RETRY_SPREAD_MS / 1000 + GRACE_S + HEARD_WITHIN_S
"""How long the users of a node that is gone are kept."""
HEARD_S = 0.7
"""What a node tells is heard after this time."""
ANN, BOB = 1, 2


class MemoryUsers:
    """The little of the store's users that is needed: `seen` has each note, by user."""

    def __init__(self) -> None:
        self.seen_at: dict[int, list[datetime]] = {}

    async def seen(self, user_id: int, at: datetime) -> None:
        self.seen_at.setdefault(user_id, []).append(at)

    async def get_many(self, user_ids: Any) -> dict[int, User]:
        return {user_id: self._user(user_id) for user_id in user_ids}

    def _user(self, user_id: int) -> User:
        at = max(self.seen_at.get(user_id, ()), default=None)
        return User(user_id, f"user{user_id}", "User", None, "hash", created_at=NOW, last_seen_at=at)


class Node:
    """A node of the scene. A watcher is connected to it, as Bob, in the room of chat 7."""

    def __init__(self, name: str, scene: "Scene") -> None:
        self.name, self.scene = name, scene
        self.watcher = f"watcher of {name}"
        self.hub = MemoryHub(self.watcher)
        self.directory = Directory(store_of(scene.chats))
        self.last_seen = LastSeen(cast(Users, scene.users), scene.clock)
        self.tracker = PresenceTracker(
            self.hub,
            scene.clock,
            self.directory,
            scene.net.join(name),
            grace_s=GRACE_S,
            last_seen=self.last_seen,
        )
        scene.net.load(name)
        self.connections: dict[str, Connection] = {}

    async def watch(self) -> None:
        """Joins the chat, as a client does: who is there is shown at once."""
        bob = Connection(self.watcher, BOB, None, 0)
        chat = await self.directory.for_member(BOB, 7)
        enter_room(self.hub, bob, chat)
        self.tracker.show(chat, bob)

    def open(self, user_id: int = ANN, name: str = "") -> Connection:
        """A connection of a user, whose account the node has looked at."""
        connection = Connection(f"{user_id} at {self.name} {name}", user_id, None, 0)
        self.tracker.opened(connection, self.scene.choice if user_id == ANN else NO_CHOICE)
        return connection

    def learn(self) -> None:
        """The node reads Ann's account anew."""
        self.tracker.chosen(ANN, self.scene.choice)

    def seen(self, *, of: int = ANN) -> list[str]:
        """The statuses of a user that the watcher was sent since the last call."""
        received = self.hub.take(self.watcher)
        return [payload.get("status", "offline") for _, payload in received if payload["user_id"] == of]


class Scene:
    """Three nodes with one store; all of Ann's chats are shared with Bob, who watches on each node."""

    def __init__(self, delay_s: float = HEARD_S) -> None:
        self.clock, self.users = ManualClock(), MemoryUsers()
        self.chats = MemoryChats({7: [ANN, BOB, *range(3, 51)]})
        self.net = PeerNet(self.clock, delay_s=delay_s)
        self.nodes: list[Node] = []
        self.choice: Choice = NO_CHOICE
        """What the store has as Ann's choice."""

    def choose(self, node: Node, status: str, *, delay_s: float = HEARD_S) -> None:
        """Ann chooses at a node what others see; the other nodes learn it after this time."""
        self.choice = self.choice[0] + 1, status
        node.learn()
        for other in self.nodes:
            if other is not node:
                self.clock.call_later(delay_s, other.learn)

    async def start(self, name: str) -> Node:
        node = Node(name, self)
        self.clock.advance(0)
        await node.watch()
        self.nodes.append(node)
        return node

    def stop(self, node: Node) -> None:
        """Ends a node as SIGTERM does; `node` may have connections."""
        node.tracker.going_away()
        node.tracker.stop()
        self.nodes.remove(node)
        self.net.leave(node.name)

    def kill(self, node: Node) -> None:
        """Ends a node without a word; the others find it dead at once."""
        node.tracker._elsewhere.stop()
        self.nodes.remove(node)
        self.net.die(node.name)

    def hear(self) -> None:
        """Lets all that was told arrive."""
        self.clock.advance(HEARD_S + GATHERED_S)

    def seen(self, *, of: int = ANN) -> list[list[str]]:
        return [node.seen(of=of) for node in self.nodes]

    def shown(self) -> set[str]:
        """What the nodes say of Ann: one status, if they agree."""
        return {node.tracker.status_of(ANN) for node in self.nodes}

    async def notes(self, user_id: int = ANN) -> int:
        """How often it was noted when a user was last seen."""
        for _ in range(10):
            await asyncio.sleep(0)
        return len(self.users.seen_at.get(user_id, ()))
