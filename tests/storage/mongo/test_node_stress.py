"""Three nodes do everything at once; what each of them published is what the log says."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from domain.changes import Change, MessageChange
from domain.refusals import Refusal
from storage.mongo.chat_replica import ChatReplica
from tests.storage.conftest import MongoPlace
from tests.storage.mongo.nodes import Node
from tests.storage.world import START, at

ACTIONS = (
    "send",
    "send",
    "send",
    "send",
    "edit",
    "delete",
    "add",
    "remove",
    "rename",
    "role",
    "read",
    "load",
)


class Player:
    """Does things at one node, by a script that a seed makes."""

    def __init__(self, node: Node, chats: Sequence[int], users: Sequence[int], seed: int) -> None:
        self.node = node
        self._chats, self._users = chats, users
        self._random = random.Random(seed)
        self._sent: list[tuple[int, int]] = []

    async def play(self, steps: int) -> None:
        for step in range(steps):
            some = [self._act(step) for _ in range(self._random.randrange(1, 4))]
            for outcome in await asyncio.gather(*some, return_exceptions=True):
                if outcome is not None and not isinstance(outcome, Refusal):
                    raise outcome
            if self._random.random() < 0.3:
                self.node.store.chats.unfollow(self._random.choice(self._chats))

    async def _act(self, step: int) -> None:
        choose, store = self._random.choice, self.node.store
        chat_id, user_id, owner_id, action = choose(self._chats), choose(self._users), 1, choose(ACTIONS)
        if action == "send":
            message = await self.node.send(chat_id, choose((user_id, owner_id)), f"{step}")
            self._sent.append((message.id, message.sender_id))
        elif action == "edit" and self._sent:
            await store.messages.edit(*choose(self._sent), f"edited {step}", at(step))
        elif action == "delete" and self._sent:
            await store.messages.delete(*choose(self._sent), at(step))
        elif action == "add":
            await store.chats.add_member(chat_id, owner_id, user_id, "member", at(step))
        elif action == "remove" and user_id != owner_id:
            await store.chats.remove_member(chat_id, owner_id, user_id, START)
        elif action == "rename":
            await store.chats.change(chat_id, owner_id, START, name=f"name {step}")
        elif action == "role" and user_id != owner_id:
            await store.chats.set_role(chat_id, owner_id, user_id, choose(("admin", "member")), START)
        elif action == "read":
            await store.messages.mark_read(chat_id, owner_id, None)
        elif action == "load":
            await store.chats.load(chat_id)
            store.chats.follow(chat_id)


def told(change: Change) -> object:
    """What a change says that both its row and its event have: a row of a deleted message has lost its content."""
    if isinstance(change, MessageChange):
        return type(change), change.message.id, change.message.changed_seq
    return type(change), getattr(change, "user_id", None) or getattr(change, "member", None)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
async def test_everything_at_once(
    mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Replicas are forgotten all the time, and nodes follow chats and do not. There are 100 to 200 rows."""
    monkeypatch.setattr("storage.mongo.chat_replicas._MAX_CHATS", 2)
    monkeypatch.setattr("storage.mongo.foreign_rows._UNPROJECTED_S", 0.2)
    nodes = [Node(await mongo_place.open()) for _ in range(3)]
    users = await nodes[0].users(4)
    assert users[0] == 1
    chats = [await nodes[0].chat(*users[:2]) for _ in range(4)]
    done = asyncio.Event()

    async def look(node: Node) -> None:
        while not done.is_set():
            await node.look()
            await asyncio.sleep(0.02)

    for node in nodes:
        await node.look()
    looking = [asyncio.create_task(look(node)) for node in nodes]
    players = [Player(node, chats, users, 10 * seed + place) for place, node in enumerate(nodes)]
    await asyncio.gather(*(player.play(14) for player in players))
    done.set()
    await asyncio.gather(*looking)
    for _ in range(3):
        await asyncio.sleep(0.25)
        for node in nodes:
            await node.look()
    for chat_id in chats:
        replica, log = ChatReplica(chat_id), nodes[0].store._writer.replicas.log
        expected = [told(replica.apply(row)) for row in await log.after(chat_id, 0)]
        for place, node in enumerate(nodes):
            changes = [
                change for change in node.published if change.chat_id == chat_id and change.kind.logged
            ]
            assert [told(change) for change in changes] == expected, (chat_id, place)
    for node in nodes:
        await node.store.close()
