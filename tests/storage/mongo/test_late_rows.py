"""A chat is loaded here while the hints of its first rows are on their way: each row is published once, in order."""

from collections.abc import Sequence
from typing import Any

import pytest

from domain.changes import Change, ChatCreated, MemberAdded, MemberRemoved, MessageCreated, UserChanged
from domain.models import Ban
from domain.moderation import UserBanned
from storage.errors import Unavailable
from storage.mongo import positions
from storage.mongo.late_changes import still_true
from storage.mongo.log import Row
from storage.node_ports import Hint
from tests.storage.mongo.nodes import Node
from tests.storage.world import START, at


async def load(node: Node, chat_id: int) -> None:
    """Loads and follows a chat as live state does: a look comes between."""
    await node.store.chats.begin(chat_id)
    await node.look()
    await node.store.chats.load(chat_id)
    node.store.chats.follow(chat_id)


def of_chats(node: Node) -> list[Change]:
    """What was published of chats since the last call."""
    return [change for change in node.take() if not isinstance(change, UserChanged)]


def kinds(changes: Sequence[Change]) -> list[type[Change]]:
    return [type(change) for change in changes]


async def test_a_chat_that_is_loaded_while_its_rows_are_read(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look there has read the hint, and reads the rows, when somebody there joins the chat."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna)
    await here.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    await here.send(chat_id, anna)
    log = there.store._writer.replicas.log
    span, loaded = log.span, []

    async def load_meanwhile(*args: Any) -> Sequence[Row]:
        rows = await span(*args)
        if not loaded:
            loaded.append(chat_id)
            await there.store.chats.begin(chat_id)
        return rows

    monkeypatch.setattr(log, "span", load_meanwhile)
    await there.look()
    assert loaded
    await load(there, chat_id)
    await there.look()
    assert kinds(of_chats(there)) == [ChatCreated, MemberAdded, MessageCreated]
    assert there.store.nodes._rows._awaited == {}


async def test_a_chat_whose_rows_are_left_to_the_writer(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the look gives up to wait for the projection of the rows, they are projected, and so the writer loads a chat
    that lacks nothing."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna)
    await here.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    rows = there.store.nodes._rows
    monkeypatch.setattr("storage.mongo.foreign_rows._noted", lambda _chat, _rows: 0)
    monkeypatch.setattr("storage.mongo.foreign_rows._PAUSES_S", (0,))
    await there.look()
    monkeypatch.undo()
    await load(there, chat_id)
    await there.look()
    assert kinds(of_chats(there)) == [ChatCreated, MemberAdded]
    assert rows._awaited == {}


async def test_a_chat_that_is_loaded_before_its_hints_are_read(here: Node, there: Node) -> None:
    """Somebody there knows the chat from its list, or was told its id."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna)
    await here.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    await load(there, chat_id)
    assert kinds(of_chats(there)) == [ChatCreated, MemberAdded]
    await here.store.chats.remove_member(chat_id, anna, boris, at(2))
    for _ in range(2):
        await there.look()
    assert kinds(of_chats(there)) == [MemberRemoved]


async def test_late_rows_that_are_projected_and_not_noted(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note that rows are projected is missing, as it may be after a failure: this node has projected them."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna)
    await here.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    await there.store.chats.begin(chat_id)
    monkeypatch.setattr("storage.mongo.foreign_rows._noted", lambda _chat, _rows: 0)
    await load(there, chat_id)
    assert kinds(of_chats(there)) == [ChatCreated, MemberAdded]


async def test_late_rows_that_are_more_than_a_query_returns(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.mongo.log.ROWS_MAX", 3)
    anna = await here.user()
    chat_id = await here.chat(anna)
    for _ in range(7):
        await here.send(chat_id, anna)
    await there.store.chats.begin(chat_id)
    not_noted = of_chats(there)
    await load(there, chat_id)
    assert kinds([*of_chats(there), *not_noted]) == [ChatCreated, *[MessageCreated] * 7]


async def test_late_rows_that_later_ones_have_undone(here: Node, there: Node) -> None:
    """Before a look there, members are removed there, and one who had been removed is back: nobody hears that they are
    in the chat, or out of it, if that is no longer so."""
    anna, boris, clara, dora = await here.users(4)
    chat_id = await here.chat(anna, dora)
    for user_id in (boris, clara):
        await here.store.chats.add_member(chat_id, anna, user_id, "member", at(1))
    await here.store.chats.remove_member(chat_id, anna, clara, at(2))
    await there.store.chats.begin(chat_id)
    for user_id in (boris, dora):
        await there.store.chats.remove_member(chat_id, anna, user_id, at(3))
    await there.store.chats.add_member(chat_id, anna, clara, "member", at(4))
    assert kinds(of_chats(there)) == [MemberRemoved, MemberRemoved, MemberAdded]
    await load(there, chat_id)
    (created,) = of_chats(there)
    assert isinstance(created, ChatCreated)
    assert created.state.members.keys() == {anna}


async def test_a_chat_that_is_deleted_before_its_creation_is_known(here: Node, there: Node) -> None:
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    await there.store.chats.begin(chat_id)
    await there.store.chats.delete(chat_id, anna)
    there.take()
    await there.look()
    assert of_chats(there) == []


async def test_hints_of_one_look_are_published_in_the_order_of_their_rows(here: Node, there: Node) -> None:
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna)
    await here.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    await here.send(chat_id, anna)
    hints = [Hint(1, {chat_id: (n, n)}, {}, [], [], []) for n in (3, 1, 2)]
    await there.store.nodes.apply(hints)
    assert kinds(of_chats(there)) == [ChatCreated, MemberAdded, MessageCreated]


async def test_rows_of_more_chats_than_positions_are_kept(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A position that is forgotten before the rows after it are read costs none of them."""
    monkeypatch.setattr(positions, "POSITIONS_KEPT", 1)
    anna, boris = await here.users(2)
    chats = [await here.chat(anna) for _ in range(3)]
    for chat_id in chats:
        await here.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    await there.look()
    published = of_chats(there)
    for chat_id in chats:
        of_chat = [change for change in published if change.chat_id == chat_id]  # type: ignore[attr-defined]
        assert kinds(of_chat) == [ChatCreated, MemberAdded]


async def test_a_position_that_is_forgotten_though_the_replica_is_not(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hint that comes late names rows that this node has published."""
    monkeypatch.setattr(positions, "POSITIONS_KEPT", 1)
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna)
    await there.look()
    await there.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    there.store.chats.unfollow(chat_id)
    there.store.chats.unfollow(await there.chat(anna))
    kept = there.store.nodes._publication.positions
    assert kept.get(chat_id) is None
    there.take()
    await there.store.nodes.apply([Hint(1, {chat_id: (1, 2)}, {}, [], [], [])])
    assert of_chats(there) == []


async def test_a_load_that_fails_leaves_the_rows_to_the_next_look(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await here.user()
    chat_id = await here.chat(anna)
    database = there.store._database

    async def unavailable(*_args: Any) -> Any:
        raise Unavailable("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(database, "get_each", unavailable)
        with pytest.raises(Unavailable):
            await there.store.nodes.apply([Hint(1, {chat_id: (1, 1)}, {}, [], [], [])])
    await load(there, chat_id)
    assert kinds(of_chats(there)) == [ChatCreated]


def test_a_ban_of_somebody_who_was_no_member_undoes_nothing() -> None:
    ban = Ban(2, None, 1, START)
    late = [MemberRemoved(5, 2)]
    assert still_true(late, [UserBanned(5, ban, was_member=False)]) == late
    assert still_true(late, [UserBanned(5, ban, was_member=True)]) == []
