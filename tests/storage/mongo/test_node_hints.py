"""What one node writes is published by the others once they have looked."""

import asyncio
from dataclasses import replace

import pytest

from domain.changes import (
    ChatCreated,
    ChatDeleted,
    ChatRenamed,
    MemberAdded,
    MemberRemoved,
    MessageCreated,
    ReadMoved,
    RoleChanged,
    SessionsRevoked,
    UserChanged,
)
from domain.decisions.settings import SettingsRequest
from domain.models import OwnSettings
from domain.own_settings import OwnSettingsChanged
from domain.private_chats import ChatOpened, MemberBlocked
from domain.refusals import Forbidden
from storage.node_ports import TELL_WITHIN_S, Hint
from tests.storage.mongo.nodes import Node
from tests.storage.world import START, at


async def test_messages_of_a_followed_chat(here: Node, there: Node) -> None:
    """In order, each once, whichever node writes; and a node publishes its own messages once, too."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    first = await here.send(chat_id, anna, "one")
    await here.store.messages.edit(first.id, anna, "edited", at(1))
    await there.look()
    assert [message.content for message in there.message_changes(chat_id)] == ["one", "edited"]
    await there.send(chat_id, boris, "two")
    await here.send(chat_id, anna, "three")
    await here.store.messages.delete(first.id, anna, at(2))
    for node in (here, there, here, there):
        await node.look()
    for node in (here, there):
        await node.check_published(chat_id)
        assert len(node.message_changes(chat_id)) == 5


async def test_members_get_events_of_a_chat_that_is_not_in_memory(here: Node, there: Node) -> None:
    """Nobody has loaded the chat there; its members are connected and are to hear of it."""
    anna, boris, vera = await here.users(3)
    chat, _ = await here.make_chat(anna, boris)
    await there.look()
    (created,) = there.take(ChatCreated)
    assert created.state.members.keys() == {anna, boris}
    await here.send(chat.id, anna)
    await there.look()
    await here.store.chats.add_member(chat.id, anna, vera, "member", at(1))
    await here.store.chats.change(chat.id, anna, START, name="Hall")
    await here.store.chats.set_role(chat.id, anna, boris, "admin", START)
    await here.store.chats.remove_member(chat.id, anna, vera, START)
    await there.look()
    await there.look()
    await here.store.chats.delete(chat.id, anna)
    await there.look()
    taken, made = there.take(), here.take()[1:]
    assert [type(change) for change in taken] == [
        MessageCreated,
        MemberAdded,
        ChatRenamed,
        RoleChanged,
        MemberRemoved,
        ChatDeleted,
    ]
    renamed = taken.pop(2), made.pop(2)
    assert taken == made
    assert [change.chat.name for change in renamed] == ["Hall", "Hall"]
    assert taken[-1].name == "Hall"
    assert chat.id not in there.store._writer.replicas._replicas


async def test_accounts_sessions_and_marks(here: Node, there: Node) -> None:
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    message = await here.send(chat_id, anna)
    await there.look()
    there.take()
    await here.store.sessions.create(
        session_id="s", user_id=boris, token_hash="t", expires_at=at(9), created_at=START
    )
    user = await here.store.users.rename(boris, "Boris")
    await here.store.users.seen(boris, at(5))
    await here.store.sessions.revoke("s")
    await there.look()
    named, revoked = there.take(UserChanged), [SessionsRevoked(boris, ["s"])]
    assert named == [UserChanged(replace(user, last_seen_at=at(5)))]
    assert named[0].shown
    await here.store.users.seen(boris, at(6))
    await here.store.sessions.create(
        session_id="s2", user_id=boris, token_hash="t2", expires_at=at(9), created_at=START
    )
    await here.store.users.set_banned(boris, True)
    await there.look()
    taken = there.take()
    assert [change for change in taken if type(change) is SessionsRevoked] == [SessionsRevoked(boris, ["s2"])]
    assert [change.user.banned for change in taken if type(change) is UserChanged] == [True]
    assert revoked
    await here.store.messages.mark_read(chat_id, anna, message.id)
    await asyncio.sleep(0.4)
    await there.look()
    assert there.take(ReadMoved) == [ReadMoved(chat_id, anna, message.id, 1)]


async def test_a_presence_is_known_to_the_others_and_its_number_grows(here: Node, there: Node) -> None:
    anna, boris = await here.users(2)
    await there.look()
    there.take()
    user = await here.store.users.set_presence(anna, "offline")
    await here.store.users.rename(boris, "Boris")
    await there.look()
    taken = {change.user.id: change for change in there.take() if isinstance(change, UserChanged)}
    assert (taken[anna].user, taken[anna].shown, taken[anna].own) == (user, False, True)
    assert (taken[boris].shown, taken[boris].own) == (True, False)
    later = await there.store.users.set_presence(anna, "busy")
    assert (user.presence_n, later.presence_n) == (1, 2)
    await there.store.users.set_presence(anna, "busy")  # as a client does that got no answer
    await here.look()
    assert here.take(UserChanged)[-1:] == [UserChanged(later)]


async def test_who_hides_at_one_node_is_not_noted_as_seen_by_another(here: Node, there: Node) -> None:
    anna = await here.user()
    await here.store.users.set_presence(anna, "offline")
    await there.store.users.seen(anna, at(5))
    user = await there.store.users.get(anna)
    assert user is not None
    assert user.last_seen_at is None


async def test_a_mark_comes_after_its_message(here: Node, there: Node) -> None:
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    await there.look()
    there.take()
    message = await here.send(chat_id, anna)
    await here.store.messages.mark_read(chat_id, boris, None)
    await asyncio.sleep(0.4)
    await there.look()
    assert there.take() == [MessageCreated(message), ReadMoved(chat_id, boris, message.id, 1)]


async def test_marks_go_forward_only(here: Node, there: Node) -> None:
    anna = await here.user()
    chat_id = await here.chat(anna)
    messages = [await here.send(chat_id, anna) for _ in range(3)]
    marks = [ReadMoved(chat_id, anna, message.id, message.seq) for message in messages]
    await there.look()
    there.take()
    for order in ((1, 0), (1, 2)):
        await there.store.nodes.apply([Hint(1, {}, {}, [], [marks[index] for index in order], [])])
    assert there.take() == [marks[1], marks[2]]


async def test_what_is_told(here: Node, there: Node) -> None:
    """In order; and a node that starts later finds the record of it all."""
    value = {"a.b": ["$c", 1.5, None], "": {"d": True}}
    for number in range(3):
        here.store.nodes.tell("presence", [number, value])
    await asyncio.sleep(0.4)
    await there.look()
    assert there.told == [("presence", [number, value]) for number in range(3)]
    await here.store.nodes.keep_record("presence", value)
    assert await there.store.nodes.records("presence") == {here.store.nodes.incarnation: (1, value)}
    assert await there.store.nodes.records("typing") == {}


async def test_a_page_has_all_up_to_its_head(here: Node, there: Node) -> None:
    """Another node writes meanwhile. The head is read before the page, as a command does."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    await there.store.chats.load(chat_id)
    done = asyncio.Event()

    async def write() -> None:
        for number in range(12):
            sent = await asyncio.gather(*(here.send(chat_id, anna, f"{number}") for _ in range(3)))
            await here.store.messages.edit(sent[0].id, anna, "edited", at(1))
            await here.store.messages.delete(sent[1].id, anna, at(1))
        done.set()

    async def look() -> None:
        while not done.is_set():
            await there.look()

    writing, looking = asyncio.create_task(write()), asyncio.create_task(look())
    heads: set[int] = set()
    while not done.is_set():
        head = there.store.published_head(chat_id, 10**6)
        heads.add(head)
        page = await there.store.messages.history(chat_id, limit=100)
        shown = {message.id: message.changed_seq for message in page.messages}
        expected = {message.id: message for message in there.message_changes(chat_id)[:head]}
        for message in expected.values():
            if message.id in shown:
                assert not message.deleted
                assert shown[message.id] >= message.changed_seq
            else:  # it is deleted, perhaps since the head was read
                found = await there.store.messages.get(message.id)
                assert found is not None
                assert found.deleted
    await asyncio.gather(writing, looking)
    assert len(heads) > 3


async def test_what_becomes_of_a_private_chat(here: Node, there: Node) -> None:
    """A node that has nothing of the chat in memory publishes who asks for it, and who is blocked in it."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris, chat_type="private")
    await there.look()
    there.take()
    chat, _ = await there.make_chat(boris, anna, chat_type="private")
    assert chat.id == chat_id
    assert there.take() == [ChatOpened(chat, boris)]
    await here.look()
    assert here.take()[1:] == [ChatOpened(chat, boris)]
    await here.store.blocks.block(anna, boris, START)
    with pytest.raises(Forbidden):
        await there.send(chat_id, boris)
    await there.look()
    assert there.take(MemberBlocked) == [MemberBlocked(chat_id, boris, True)]
    await there.store.blocks.unblock(anna, boris)
    await here.send(chat_id, boris)


async def settings_at(node: Node) -> OwnSettingsChanged:
    """The one change of own settings that the node learns of, as soon as its hint is written."""
    async with asyncio.timeout(10 * TELL_WITHIN_S):
        while not (taken := node.take(OwnSettingsChanged)):
            await asyncio.sleep(0.02)
            await node.look()
    (changed,) = taken
    assert isinstance(changed, OwnSettingsChanged)
    return changed


async def test_own_settings(here: Node, there: Node) -> None:
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    await there.look()
    there.take()
    await here.store.chats.change_settings(chat_id, anna, SettingsRequest(favorite=True, marked_unread=True))
    here.take()
    changed = await settings_at(there)
    assert changed == OwnSettingsChanged(chat_id, changed.member)
    assert (changed.member.user_id, changed.member.settings) == (anna, OwnSettings("all", True, None, True))
    await there.store.messages.mark_read(chat_id, anna, None)
    assert len(there.take(OwnSettingsChanged)) == 1
    changed = await settings_at(here)
    assert changed.member.settings == OwnSettings("all", True)


async def test_a_block_at_one_node_and_a_new_chat_at_another(here: Node, there: Node) -> None:
    """Whichever is first, and whatever each node has seen, the chat says in the end what the block says."""
    for number in range(10):
        anna, boris = await here.users(2)
        made, *_ = await asyncio.gather(
            there.make_chat(anna, boris, chat_type="private"),
            here.store.blocks.block(anna, boris, START),
            return_exceptions=True,
        )
        assert not isinstance(made, BaseException)
        if number % 2:
            await asyncio.gather(
                here.store.blocks.unblock(anna, boris), there.store.blocks.block(anna, boris, START)
            )
        holds = list(await here.store.blocks.blocked_by(anna, after_id=0, limit=9)) == [boris]
        state = await here.store.chats.load(made[0].id)
        assert state is not None
        assert state.members[boris].blocked is holds
