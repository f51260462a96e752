"""Rows of others are published once and in order, whatever this node has in memory of the chat."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from domain.changes import (
    ChatCreated,
    ChatRenamed,
    MemberAdded,
    MessageCreated,
    ReadMoved,
    SessionsRevoked,
    UserChanged,
)
from domain.models import ChatState
from storage.errors import Unavailable
from storage.mongo import positions
from storage.mongo.database import Document, UnknownOutcome
from storage.mongo.log import Row
from storage.node_ports import Hint
from tests.patience import within
from tests.storage.mongo.nodes import Node, write_hints_apart
from tests.storage.world import START, at


async def evict(node: Node, user_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the store forget all replicas but that of a chat that is created for this."""
    with monkeypatch.context() as patch:
        patch.setattr("storage.mongo.chat_replicas._MAX_CHATS", 1)
        for _ in range(3):
            await node.chat(user_id)
    assert len(node.store._writer.replicas._replicas) <= 2


async def read_hints(node: Node) -> list[Hint]:
    """The hints of the others that are new."""
    nodes = node.store.nodes
    others = {lease.incarnation for lease in await nodes.leases()} - {nodes.incarnation}
    found = await nodes.hints({one: node.known.get(one, 0) for one in others})
    node.known |= {one: hints[-1].number for one, hints in found.items() if hints}
    return [hint for hints in found.values() for hint in hints]


async def test_a_replica_that_is_gone_leaves_no_hole(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others write to a chat that somebody has joined here is published by the next load, though by then the
    projection has it all."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await here.store.chats.load(chat_id)
    here.store.chats.follow(chat_id)
    await here.send(chat_id, anna, "here")
    await evict(here, anna, monkeypatch)
    assert here.store._writer.replicas.peek(chat_id) is None
    for number in range(3):
        await there.send(chat_id, anna, f"there {number}")
    await here.store.chats.load(chat_id)
    here.store.chats.follow(chat_id)
    await here.check_published(chat_id)
    assert len(here.message_changes(chat_id)) == 4


async def test_a_replica_that_is_gone_is_not_needed(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await here.user()
    chat_id = await here.chat(anna)
    await here.store.chats.load(chat_id)
    here.store.chats.follow(chat_id)
    await evict(here, anna, monkeypatch)
    await there.send(chat_id, anna, "there")
    await here.look()
    assert [message.content for message in here.message_changes(chat_id)] == ["there"]
    assert here.store._writer.replicas.peek(chat_id) is None
    await here.send(chat_id, anna, "here")
    await there.send(chat_id, anna, "there again")
    await here.look()
    await here.check_published(chat_id)


async def test_positions_of_followed_chats_stay(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the others, those used last do; and a chat that nobody follows is one of the others."""
    monkeypatch.setattr(positions, "POSITIONS_KEPT", 3)
    anna = await here.user()
    followed, dropped = await here.chat(anna), await here.chat(anna)
    for chat_id in (followed, dropped):
        await here.store.chats.load(chat_id)
        here.store.chats.follow(chat_id)
    here.store.chats.unfollow(dropped)
    for _ in range(4):
        here.store.chats.unfollow(await here.chat(anna))
    kept = here.store.nodes._publication.positions
    assert kept.followed() == [followed]
    assert kept.get(followed) is not None
    assert kept.get(dropped) is None
    await here.store.chats.load(dropped)  # its replica is still in memory
    here.store.chats.follow(dropped)
    assert kept.followed() == [followed, dropped]
    await there.send(followed, anna)
    await there.send(dropped, anna)
    await here.look()
    assert len(here.message_changes(followed)) == len(here.message_changes(dropped)) == 1


async def test_two_nodes_write_to_one_chat_at_once(here: Node, there: Node, third: Node) -> None:
    """All three publish the same rows, in order and each once, though two write and look at the same time, and one
    only looks."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    for node in (here, there, third):
        await node.store.chats.load(chat_id)
        node.store.chats.follow(chat_id)
    done = asyncio.Event()

    async def write(node: Node, user_id: int) -> None:
        for number in range(12):
            await asyncio.gather(*(node.send(chat_id, user_id, f"{number}") for _ in range(4)))

    async def look(node: Node) -> None:
        while not done.is_set():
            await node.look()
            await asyncio.sleep(0.01)

    looking = [asyncio.create_task(look(node)) for node in (here, there, third)]
    await asyncio.gather(write(here, anna), write(there, boris))
    done.set()
    await asyncio.gather(*looking)
    for node in (here, there, third):
        await node.look()
    published = [[message.id for message in node.message_changes(chat_id)] for node in (here, there, third)]
    assert published[0] == published[1] == published[2]
    assert len(published[0]) == 96
    await third.check_published(chat_id)


async def test_rows_that_come_to_the_log_after_their_hint(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch, gate: asyncio.Event
) -> None:
    """The hint is written while the rows are inserted, and its readers look for them until they are there."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    write_hints_apart(here.store, monkeypatch)
    log, inserting = here.store._writer.replicas.log, asyncio.Event()
    original = log.insert

    async def insert(rows: Sequence[object], _hint: object) -> int:
        inserting.set()
        await gate.wait()
        return await original(rows)

    monkeypatch.setattr(log, "insert", insert)
    sending = asyncio.create_task(here.send(chat_id, anna, "slow"))
    await inserting.wait()
    while not any(hint.rows == {chat_id: (2, 2)} for hint in await there.look()):
        await asyncio.sleep(0.01)
    assert there.message_changes(chat_id) == []
    gate.set()
    await sending
    assert await there.look() == []
    assert [message.content for message in there.message_changes(chat_id)] == ["slow"]


async def test_a_send_is_not_acked_before_its_hint(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch, gate: asyncio.Event
) -> None:
    anna = await here.user()
    chat_id = await here.chat(anna)
    write_hints_apart(here.store, monkeypatch)
    hints = here.store._database.hints
    original = hints.insert_one

    async def insert_one(document: object) -> object:
        await gate.wait()
        return await original(document)

    monkeypatch.setattr(hints, "insert_one", insert_one)
    sending = asyncio.create_task(here.send(chat_id, anna))
    while not await here.store._database.messages.find_one({"chat_id": chat_id}):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert not sending.done()
    assert here.message_changes(chat_id) == []
    gate.set()
    await sending
    await there.look()
    assert len(there.message_changes(chat_id)) == 1


async def test_a_write_that_failed_though_it_was_made(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender got an error, and nobody writes to the chat any more: both nodes publish it all the same."""
    monkeypatch.setattr("storage.mongo.retry_budget.RETRY_S", 0.1)
    anna = await here.user()
    chat_id = await here.chat(anna)
    for node in (here, there):
        await node.store.chats.load(chat_id)
        node.store.chats.follow(chat_id)
    log = here.store._writer.replicas.log
    original = log.insert

    async def insert(rows: Sequence[Row], hint: Document | None) -> int:
        await original(rows, hint)
        raise UnknownOutcome("the connection broke")

    async def unreachable(_chat_id: int, _n: int) -> Sequence[Row]:
        raise UnknownOutcome("the connection broke")

    with monkeypatch.context() as patch:
        patch.setattr(log, "insert", insert)
        patch.setattr(log, "after", unreachable)
        with pytest.raises(Unavailable):
            await here.send(chat_id, anna, "made")
    assert here.message_changes(chat_id) == []
    for node in (here, there):
        await node.look()
    await there.look()
    for node in (here, there):
        assert [message.content for message in node.message_changes(chat_id)] == ["made"]


async def test_a_look_does_not_wait_for_a_write_of_this_server(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch, gate: asyncio.Event
) -> None:
    """What others inserted before the own row is published meanwhile; what they inserted after it, and marks of the
    chat, come after it."""
    anna, boris = await here.users(2)
    chat_id, other = await here.chat(anna, boris), await here.chat(anna, boris)
    await there.look()
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    projection, projects = there.store._writer.replicas._projection, asyncio.Event()
    project = projection.project

    async def wait(*args: Any, **more: Any) -> None:
        projects.set()
        await gate.wait()
        await project(*args, **more)

    monkeypatch.setattr(projection, "project", wait)
    await here.send(chat_id, anna, "before")
    there.take()
    sending = asyncio.ensure_future(there.send(chat_id, anna, "own"))
    await projects.wait()
    last = await here.send(chat_id, anna, "after")
    await here.store.messages.mark_read(chat_id, boris, last.id)
    await here.send(other, anna, "elsewhere")
    async with within(5):
        while len(there.published) < 2:
            await asyncio.sleep(0.05)  # marks are hinted a moment later
            hints = await read_hints(there)
            await there.store.nodes.apply(hints)
    found = [one.message for one in there.take() if isinstance(one, MessageCreated)]
    assert {one.chat_id: one.content for one in found} == {chat_id: "before", other: "elsewhere"}
    assert len(found) == 2
    await asyncio.sleep(0.3)
    await there.store.nodes.apply(await read_hints(there))
    published = asyncio.ensure_future(there.store.nodes.published())
    await asyncio.sleep(0.05)
    assert not published.done()
    assert there.published == []
    gate.set()
    await published
    await sending
    assert [type(change) for change in there.published] == [MessageCreated, MessageCreated, ReadMoved]
    assert [message.content for message in there.message_changes(chat_id)] == ["own", "after"]
    await there.look()
    assert there.store.nodes._rows._awaited == {}


async def test_an_earlier_row_whose_hint_comes_later(here: Node, there: Node, third: Node) -> None:
    """Nobody there follows the chat. Of two nodes that wrote to it at once, the hint of the later row is read first:
    what the earlier row says is not lost, as it may have added a member who is connected there."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna)
    await here.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    await there.send(chat_id, anna, "later")
    third.known[here.store.nodes.incarnation] = 1
    late = Hint(1, {chat_id: (2, 2)}, {}, [], [], [])
    await third.store.nodes.apply([Hint(1, {chat_id: (3, 3)}, {}, [], [], [])])
    for _ in range(2):
        await third.store.nodes.apply([late])
    assert [type(change) for change in third.published] == [MessageCreated, MemberAdded]


async def test_a_creation_whose_hint_comes_last(here: Node, there: Node, third: Node) -> None:
    """A message of another node becomes known before the creation of its chat: the state of the creation lacks the
    message, so nobody may take it for the chat, and the chat is not followed while the creation is published."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await there.send(chat_id, anna, "first")
    followed: list[bool] = []
    third.store.subscribe(
        lambda changes: followed.extend(
            third.store.chats.follows(chat_id) for change in changes if isinstance(change, ChatCreated)
        )
    )
    await third.store.nodes.apply([Hint(1, {chat_id: (2, 2)}, {}, [], [], [])])
    await third.store.nodes.apply([Hint(1, {chat_id: (1, 1)}, {}, [], [], [])])
    assert [type(change) for change in third.published] == [MessageCreated, ChatCreated]
    assert followed == [False]


async def test_a_position_that_begins_while_later_rows_are_read(
    here: Node, there: Node, third: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows between the position and the later rows are published first."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna)
    await here.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    await there.send(chat_id, anna, "later")
    rows = third.store.nodes._rows
    projected = rows._projected

    async def begin_meanwhile(*args: Any) -> Any:
        third.store.nodes._publication.positions.begin(chat_id, 1, 0)
        return await projected(*args)

    monkeypatch.setattr(rows, "_projected", begin_meanwhile)
    hint = Hint(1, {chat_id: (3, 3)}, {}, [], [], [])
    for _ in range(2):
        await third.store.nodes.apply([hint])
    assert [type(change) for change in third.published] == [MemberAdded, MessageCreated]


async def test_a_node_that_has_missed_hints_compares(here: Node, there: Node, third: Node) -> None:
    anna, boris = await here.users(2)
    followed, other = await here.chat(anna), await here.chat(anna)
    await there.store.chats.load(followed)
    there.store.chats.follow(followed)
    await here.store.sessions.create(
        session_id="s", user_id=boris, token_hash="t", expires_at=at(9), created_at=START
    )
    await here.store.users.set_banned(boris, True)
    for chat_id in (followed, other):
        for _ in range(12):
            await here.send(chat_id, anna)
    await there.store.nodes.compare([boris, anna])
    assert len(there.message_changes(followed)) == 12
    assert there.message_changes(other) == []
    accounts = [change for change in there.published if isinstance(change, UserChanged | SessionsRevoked)]
    assert {change.user.id: change.user.banned for change in accounts if type(change) is UserChanged} == {
        anna: False,
        boris: True,
    }
    assert [change for change in accounts if type(change) is SessionsRevoked] == [
        SessionsRevoked(boris, ["s"])
    ]
    assert await there.store.messages.mark_read(followed, anna, None)


async def test_a_row_that_never_comes_is_not_awaited_for_ever(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.mongo.foreign_rows.ROWS_AWAITED_S", 0.1)
    anna = await here.user()
    chat_id = await here.chat(anna)
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    await there.store.nodes.apply([Hint(1, {chat_id: (2, 9)}, {}, [], [], [])])
    assert there.store.nodes._rows._awaited.keys() == {chat_id}
    await asyncio.sleep(0.15)
    await there.store.nodes.apply([])
    assert there.store.nodes._rows._awaited == {}


async def test_the_head_is_that_of_the_log_while_a_write_loads_the_chat(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node starts after another was killed: its first write to a chat and its first page of it come together, and
    the head of the page is not below what the other has acked."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await here.send(chat_id, anna)
    await here.send(chat_id, anna)
    projection = there.store._writer.replicas._projection
    original = projection.project
    loading: asyncio.Task[ChatState | None] | None = None

    async def project(*args: object, **options: object) -> None:
        nonlocal loading
        if loading is None:
            loading = asyncio.create_task(there.store.chats.load(chat_id))
            await asyncio.sleep(0.05)
        await original(*args, **options)

    monkeypatch.setattr(projection, "project", project)
    await there.send(chat_id, anna)
    assert loading is not None
    state = await loading
    assert state is not None
    assert state.chat.head_seq >= 2


async def test_acked_rows_do_not_wait_for_the_next(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch, gate: asyncio.Event
) -> None:
    """The row after them is in the log and not projected yet: that one alone is published later."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    await here.send(chat_id, anna, "acked")
    projection, projecting = here.store._writer.replicas._projection, asyncio.Event()
    original = projection.project

    async def project(*args: object, **options: object) -> None:
        projecting.set()
        await gate.wait()
        await original(*args, **options)

    monkeypatch.setattr(projection, "project", project)
    sending = asyncio.create_task(here.send(chat_id, anna, "next"))
    await projecting.wait()
    while not any(hint.rows == {chat_id: (3, 3)} for hint in await there.look()):
        await asyncio.sleep(0.01)
    assert [message.content for message in there.message_changes(chat_id)] == ["acked"]
    gate.set()
    await sending
    await there.look()
    assert [message.content for message in there.message_changes(chat_id)] == ["acked", "next"]


async def test_rows_before_a_load_are_published_until_the_chat_is_followed(here: Node, there: Node) -> None:
    """A member here loads a chat that another node has just made: the other members here have not heard of it."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna)
    await here.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    await there.store.chats.begin(chat_id)
    assert there.take() == []
    await there.look()
    assert [type(one) for one in there.take() if not isinstance(one, UserChanged)] == [
        ChatCreated,
        MemberAdded,
    ]
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    await here.store.chats.change(chat_id, anna, START, name="Another name")
    for _ in range(2):
        await there.look()
    assert [type(one) for one in there.take()] == [ChatRenamed]
