"""Changes that another way than the log brings, and what that way gets to carry."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.changes import Change, MemberAdded, MessageCreated
from storage.node_ports import Hint
from tests.storage.mongo.nodes import Node
from tests.storage.world import START, at, draft


class Bus:
    """Carries the changes of messages of one node to another at once; the test hands them out there."""

    def __init__(self, here: Node, there: Node) -> None:
        self.carried: list[tuple[int, Change, int]] = []
        self.handed: list[Change] = []
        self._there = there
        here.store.nodes.on_published(self._published)

    def _published(self, rows: Sequence[tuple[int, Change]], hint: int) -> None:
        self.carried += [(n, change, hint) for n, change in rows]

    def hand_out(self, *indexes: int) -> list[str]:
        """Hands the carried changes of these positions to the other node; what it said to each."""
        said = []
        for index in indexes:
            n, change, _ = self.carried[index]
            said.append(self._there.store.nodes.received(change.chat_id, n, change.message.changed_seq))
            if said[-1] == "next":
                self.handed.append(change)
        return said


async def test_own_rows_come_with_their_numbers(here: Node, there: Node) -> None:
    """Before the subscribers and the waiters, and without what others wrote; the hint is there by then."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    bus = Bus(here, there)
    order: list[str] = []
    here.store.nodes.on_published(lambda rows, hint: (bus._published(rows, hint), order.append("listener")))
    here.store.subscribe(lambda _changes: order.append("subscriber"))
    await there.send(chat_id, anna, "there")
    sent = here.store.messages.append(draft(chat_id, anna, "here"))
    sent.then(lambda _sent: order.append("waiter"))
    message = (await sent).message
    await here.store.messages.mark_read(chat_id, anna, None)
    assert order == ["listener", "subscriber", "waiter", "subscriber"]
    ((n, change, hint),) = bus.carried
    assert (n, change) == (3, MessageCreated(message))
    found = await there.store.nodes.hints({here.store.nodes.incarnation: hint - 1})
    assert found[here.store.nodes.incarnation][0].rows == {
        chat_id: (2, 3)
    }  # the other's row, found on the way


async def test_what_was_received_is_not_published_again(here: Node, there: Node) -> None:
    """Not by a look, and not by a write that finds the rows in the log; an edit there is based on them."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    there.take()
    bus = Bus(here, there)
    messages = [await here.send(chat_id, anna, f"{number}") for number in range(3)]
    assert bus.hand_out(1, 0, 2, 1, 2) == ["ahead", "next", "ahead", "next", "next"]
    assert bus.hand_out(0, 1, 2) == ["old", "old", "old"]
    assert there.store.published_head(chat_id, 99) == 3
    await there.look()
    assert there.take() == []
    await there.send(chat_id, boris, "there")
    edited = await there.store.messages.edit(messages[0].id, anna, "edited", at(1))
    assert edited.changed_seq == 5
    assert [message.changed_seq for message in there.message_changes(chat_id)] == [4, 5]
    await here.look()
    await here.check_published(chat_id)


async def test_what_is_received_while_a_batch_is_written(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch finds the row by an insert that fails. It publishes its own row alone, with the next number."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    there.take()
    bus = Bus(here, there)
    log, original = there.store._writer.replicas.log, there.store._writer.replicas.log.insert

    async def insert(rows: Sequence[object], hint: object) -> int:
        monkeypatch.setattr(log, "insert", original)
        await here.send(chat_id, anna, "here")
        assert bus.hand_out(0) == ["next"]
        return await original(rows, hint)

    monkeypatch.setattr(log, "insert", insert)
    assert (await there.send(chat_id, boris, "there")).seq == 2
    assert [message.changed_seq for message in there.message_changes(chat_id)] == [2]
    await there.look()
    assert [message.changed_seq for message in there.message_changes(chat_id)] == [2]


async def test_a_row_ahead_waits_for_the_log(here: Node, there: Node) -> None:
    """The bus has lost a row, or a row is none of a message: a hint that names the row ahead reads the log up to it."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna)
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    there.take()
    bus = Bus(here, there)
    await here.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    await here.send(chat_id, anna)
    assert bus.hand_out(1) == ["ahead"]
    n = bus.carried[1][0]
    await there.store.nodes.apply([Hint(0, {chat_id: (n, n)}, {}, [], [], [])])
    assert [type(one) for one in there.take()] == [MemberAdded, MessageCreated]
    assert bus.hand_out(1) == ["old"]
    await there.look()
    assert there.take() == []


async def test_replicas_keep_up_with_what_is_received(here: Node, there: Node) -> None:
    """So the next write there succeeds at once: its first try has the right number."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    await there.send(chat_id, boris)
    await here.look()
    bus = Bus(here, there)
    for number in range(5):
        await here.send(chat_id, anna, f"{number}")
    bus.hand_out(*range(5))
    await here.store.chats.change(chat_id, anna, START, name="Hall")
    await there.look()
    tries: list[int] = []
    log, original = there.store._writer.replicas.log, there.store._writer.replicas.log.insert

    async def insert(rows: Sequence[object], hint: object) -> int:
        tries.append(await original(rows, hint))
        return tries[-1]

    log.insert = insert
    await there.send(chat_id, boris, "there")
    assert tries == [1]
    assert there.store._writer.replicas.peek(chat_id).chat.name == "Hall"


async def test_two_busy_nodes_with_a_bus(here: Node, there: Node) -> None:
    """Both write to one chat, the bus carries one way, looks the other: nothing is doubled, lost or out of order."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    bus, seen = Bus(here, there), list[int]()
    there.store.subscribe(
        lambda changes: seen.extend(
            change.message.changed_seq for change in changes if isinstance(change, MessageCreated)
        )
    )
    handed = 0

    def hand_out_new() -> None:
        nonlocal handed
        waiting = list(range(handed, len(bus.carried)))
        handed = len(bus.carried)
        for index in waiting:
            if bus.hand_out(index) == ["next"]:
                seen.append(bus.carried[index][1].message.changed_seq)

    async def write(node: Node, user_id: int) -> None:
        for number in range(10):
            await asyncio.gather(*(node.send(chat_id, user_id, f"{number}") for _ in range(3)))
            hand_out_new()
            await node.look()

    await asyncio.gather(write(here, anna), write(there, boris))
    for node in (here, there):
        await node.look()
    await here.check_published(chat_id)
    assert seen == list(range(1, 61))
