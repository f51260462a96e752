"""The events of each kind of change: for a user in the room, a member outside of it, an acquaintance and a stranger."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from domain import changes
from domain.changes import (
    Change,
    ChatCreated,
    ChatDeleted,
    ChatRenamed,
    ChatSettingsChanged,
    MemberAdded,
    MemberRemoved,
    MessageChange,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    ReadMoved,
    RoleChanged,
    SessionsRevoked,
    UndeclaredChange,
    UserChanged,
)
from domain.file_changes import ChatAvatarChanged, FilesRemoved
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from domain.hooks import Hook
from domain.invites import Invite, InviteMade, InviteRemoved
from domain.models import Ban, Message
from domain.moderation import MemberMuted, UserBanned, UserUnbanned
from domain.own_settings import OwnSettingsChanged
from domain.pins import MessagePinned, MessageUnpinned
from domain.private_chats import ChatOpened, MemberBlocked
from domain.reactions import ReactionAdded, ReactionRemoved
from handlers.live.connections import enter_room
from handlers.live.member_events import CHANGED_EACH_MEMBERS_MAX, CHANGED_EVERY_S
from handlers.live.publisher import Publisher
from handlers.wire.endings import Ending
from tests.handlers.scene import Scene
from tests.kinds import declared_kinds
from tests.storage.world import START

CHAT, NEW_CHAT, OTHER_CHAT = 1, 2, 3
JOINED, OUTSIDE, OTHER, STRANGER = 1, 2, 3, 4
"""In the chat's room; a member of the chat who has not joined; no member, but in another chat with the first one;
nobody to them."""


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    scene.chat(CHAT, JOINED, OUTSIDE)
    scene.chat(OTHER_CHAT, JOINED, OTHER)
    await scene.connect(JOINED, CHAT)
    for user_id in (OUTSIDE, OTHER, STRANGER):
        await scene.connect(user_id)
    scene.forget_events()
    yield scene
    await scene.close()


def message(seq: int, *, created_seq: int | None = None, **more: Any) -> Message:
    return Message(100 + seq, CHAT, created_seq or seq, seq, f"text {seq}", OUTSIDE, START, **more)


@dataclass
class Case:
    """A change, and the events that each of the four gets. `ended`: whose connections end."""

    change: Callable[[Scene], Change]
    joined: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    stranger: list[str] = field(default_factory=list)
    ended: tuple[int, ...] = ()


HOOK = Hook(1, CHAT, "incoming", "CI", 9, JOINED, START)

CASES: Mapping[str, Case] = {
    "created": Case(lambda _: MessageCreated(message(1)), ["new_message"], ["chat_updated"]),
    "edited": Case(
        lambda _: MessageEdited(message(1, edited_at=START)), ["message_updated"], ["chat_updated"]
    ),
    "deleted": Case(
        lambda _: MessageDeleted(message(1, deleted=True)), ["message_deleted"], ["chat_updated"]
    ),
    "reacted": Case(
        lambda _: ReactionAdded(message(2, created_seq=1), JOINED, "👍"), ["reaction_added"], ["chat_updated"]
    ),
    "no longer reacts": Case(
        lambda _: ReactionRemoved(message(2, created_seq=1), OUTSIDE, "👍"),
        ["reaction_removed"],
        ["chat_updated"],
    ),
    "pinned": Case(
        lambda _: MessagePinned(message(2, created_seq=1, pinned_seq=2), JOINED, START),
        ["message_pinned"],
        ["chat_updated"],
    ),
    "unpinned": Case(
        lambda _: MessageUnpinned(message(2, created_seq=1), OUTSIDE, START),
        ["message_unpinned"],
        ["chat_updated"],
    ),
    "the one in the room has read": Case(lambda _: ReadMoved(CHAT, JOINED, 5, 5), ["messages_read"]),
    "the one outside has read": Case(
        lambda _: ReadMoved(CHAT, OUTSIDE, 5, 5), ["messages_read"], ["chat_updated"]
    ),
    "chat created": Case(
        lambda scene: ChatCreated(scene.chat(NEW_CHAT, JOINED, OUTSIDE)), ["chat_added"], ["chat_added"]
    ),
    "private chat created": Case(
        lambda scene: ChatCreated(scene.chat(NEW_CHAT, JOINED, OUTSIDE, chat_type="private")), ["chat_added"]
    ),
    "private chat asked for": Case(
        lambda scene: ChatOpened(scene.chat(NEW_CHAT, JOINED, OUTSIDE, chat_type="private").chat, OUTSIDE),
        [],
        ["chat_added"],
    ),
    "private chat deleted unseen": Case(
        lambda _: ChatDeleted(NEW_CHAT, [JOINED, OUTSIDE], None, "private", None, OUTSIDE), ["chat_removed"]
    ),
    "blocked": Case(lambda _: MemberBlocked(OTHER_CHAT, OTHER, True)),
    "own settings": Case(
        lambda scene: OwnSettingsChanged(CHAT, scene.member(OUTSIDE)), [], ["chat_settings"]
    ),
    "chat renamed": Case(
        lambda scene: ChatRenamed(replace(scene.store.states[CHAT].chat, name="New")),
        ["chat_changed"],
        ["chat_changed"],
    ),
    "chat made public": Case(
        lambda scene: ChatSettingsChanged(
            replace(scene.store.states[CHAT].chat, is_public=True), ("is_public",), JOINED, START
        ),
        ["chat_changed"],
        ["chat_changed"],
    ),
    "chat avatar": Case(
        lambda scene: ChatAvatarChanged(
            replace(scene.store.states[CHAT].chat, avatar_id="a"), None, JOINED, START
        ),
        ["chat_changed"],
        ["chat_changed"],
    ),
    "files removed": Case(lambda _: FilesRemoved(["a"])),
    "invite made": Case(lambda _: InviteMade(Invite("code", CHAT, JOINED, START, None, 0))),
    "invite removed": Case(lambda _: InviteRemoved(CHAT, "code", JOINED, START)),
    "hook added": Case(lambda _: HookAdded(HOOK)),
    "hook changed": Case(
        lambda _: HookChanged(HOOK, ("name",), False, JOINED, START), ["user_changed"], ["user_changed"]
    ),
    "hook paused": Case(lambda _: HookChanged(HOOK, ("paused",), False, JOINED, START)),
    "hook removed": Case(lambda _: HookRemoved(HOOK, JOINED, START), ["user_changed"], ["user_changed"]),
    "chat deleted": Case(
        lambda _: ChatDeleted(CHAT, [JOINED, OUTSIDE], "Room"), ["chat_removed"], ["chat_removed"]
    ),
    "added": Case(
        lambda scene: MemberAdded(CHAT, scene.member(OTHER)),
        ["chat_changed"],
        ["chat_changed"],
        ["chat_added", "chat_changed"],
    ),
    "the one in the room is removed": Case(
        lambda scene: MemberRemoved(CHAT, JOINED, scene.member(OUTSIDE, owner=True), JOINED, "Room"),
        ["chat_removed"],
        ["chat_changed"],
    ),
    "the one outside is removed": Case(
        lambda _: MemberRemoved(CHAT, OUTSIDE, None, JOINED, "Room"), ["chat_changed"], ["chat_removed"]
    ),
    "role": Case(
        lambda scene: RoleChanged(CHAT, scene.member(OUTSIDE, owner=True)), ["chat_changed"], ["chat_changed"]
    ),
    "muted": Case(
        lambda scene: MemberMuted(CHAT, replace(scene.member(OUTSIDE), muted_until=START), JOINED, START),
        ["chat_changed"],
        ["chat_changed", "chat_settings"],
    ),
    "a member is banned": Case(
        lambda _: UserBanned(CHAT, Ban(OUTSIDE, None, JOINED, START), True, "Room"),
        ["chat_changed"],
        ["chat_removed"],
    ),
    "a stranger is banned": Case(
        lambda _: UserBanned(CHAT, Ban(STRANGER, None, JOINED, START), False, "Room")
    ),
    "unbanned": Case(lambda _: UserUnbanned(CHAT, STRANGER, JOINED, START)),
    "session": Case(lambda _: SessionsRevoked(JOINED, [f"s{JOINED}"]), ended=(JOINED,)),
    "another session": Case(lambda _: SessionsRevoked(JOINED, ["s99"])),
    "renamed": Case(
        lambda scene: UserChanged(scene.rename_user(JOINED, "New"), shown=True),
        ["user_changed"],
        ["user_changed"],
        ["user_changed"],
    ),
    "seen": Case(lambda scene: UserChanged(scene.user(JOINED))),
    "banned": Case(
        lambda scene: UserChanged(replace(scene.user(JOINED), banned=True), shown=True),
        ["user_offline", "user_changed"],
        ["user_changed"],
        ["user_changed"],
        ended=(JOINED,),
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_which_members_get_a_change(scene: Scene, name: str) -> None:
    case = CASES[name]
    await scene.publish(case.change(scene))
    received = {user_id: scene.hub.names(f"c{user_id}") for user_id in (JOINED, OUTSIDE, OTHER, STRANGER)}
    assert received == {
        JOINED: case.joined,
        OUTSIDE: case.outside,
        OTHER: case.other,
        STRANGER: case.stranger,
    }
    assert scene.hub.ended == {f"c{user_id}": Ending.REVOKED for user_id in case.ended}


async def test_the_table_has_every_kind(scene: Scene) -> None:
    shown = {type(case.change(scene)) for case in CASES.values()}
    assert shown == {kind.value for kind in changes.kinds()}


async def test_events_of_a_chat_keep_the_order_of_a_batch_and_chats_stand_together(scene: Scene) -> None:
    scene.chat(NEW_CHAT, JOINED)
    connection = scene.app.context.connections.get(f"c{JOINED}")
    assert connection is not None
    enter_room(scene.hub, connection, await scene.app.context.directory.for_member(JOINED, NEW_CHAT))
    here = [MessageCreated(message(seq)) for seq in (1, 2, 3)]
    there = [MessageCreated(replace(message(seq), chat_id=NEW_CHAT)) for seq in (1, 2, 3)]
    mixed = [one for pair in zip(there, here, strict=True) for one in pair]
    await scene.publish(*mixed, ReadMoved(CHAT, OUTSIDE, 103, 3))
    received = [
        (payload["chat_id"], payload.get("seq", name)) for name, payload in scene.hub.events[f"c{JOINED}"]
    ]
    assert received == [(1, 1), (1, 2), (1, 3), (1, "messages_read"), (2, 1), (2, 2), (2, 3)]


async def test_memory_is_current_before_the_room_hears(scene: Scene) -> None:
    context = scene.app.context
    chat = context.directory.peek(CHAT)
    assert chat is not None
    scene.store.publish([MessageCreated(message(7))])
    assert chat.head_seq == 7
    scene.store.publish([MemberAdded(CHAT, scene.member(OTHER))])
    assert OTHER in chat.members
    scene.store.publish([MemberRemoved(CHAT, OTHER)])
    assert OTHER not in chat.members
    scene.store.publish([ChatRenamed(replace(chat.chat, name="New"))])
    assert chat.snapshot().name == "New"
    scene.store.publish([ChatDeleted(CHAT, [JOINED, OUTSIDE])])
    assert context.directory.peek(CHAT) is None


async def test_who_is_removed_or_loses_the_chat_is_out_of_the_room_first(scene: Scene) -> None:
    scene.store.publish([MemberRemoved(CHAT, JOINED, None, OUTSIDE, "Room"), MessageCreated(message(1))])
    assert scene.hub.names(f"c{JOINED}") == ["chat_removed"]
    await scene.connect(OUTSIDE, CHAT)
    scene.store.publish([ChatDeleted(CHAT, [OUTSIDE], "Room"), MessageCreated(message(2))])
    assert scene.hub.names(f"c{OUTSIDE}").count("new_message") == 0
    assert scene.hub.rooms[f"chat:{CHAT}"] == []


async def test_chat_removed_has_the_reason_and_the_name(scene: Scene) -> None:
    def removed(user_id: int) -> tuple[str, str | None]:
        ((_, payload),) = scene.hub.events.pop(f"c{user_id}")
        return payload["reason"], payload["name"]

    await scene.publish(ChatDeleted(CHAT, [JOINED, OUTSIDE], "Room", "group", OUTSIDE))
    assert (removed(JOINED), removed(OUTSIDE)) == (("deleted", "Room"), ("left", "Room"))
    await scene.publish(ChatDeleted(OTHER_CHAT, [JOINED, OTHER], None, "private"))
    assert (removed(JOINED), removed(OTHER)) == (("deleted", "User 3"), ("deleted", "User 1"))


async def test_a_large_chat_publishes_new_members_once_a_second(scene: Scene) -> None:
    scene.chat(NEW_CHAT, JOINED, *range(1000, 1000 + CHANGED_EACH_MEMBERS_MAX))
    await scene.app.context.directory.current(NEW_CHAT)
    for user_id in range(2000, 2010):
        await scene.publish(MemberAdded(NEW_CHAT, scene.member(user_id)))
    assert scene.hub.names(f"c{JOINED}") == ["chat_changed"]
    scene.clock.advance(CHANGED_EVERY_S)
    await scene.settle()
    counts = [payload["chat"]["member_count"] for _, payload in scene.hub.events[f"c{JOINED}"]]
    assert counts == [CHANGED_EACH_MEMBERS_MAX + 2, CHANGED_EACH_MEMBERS_MAX + 11]


async def test_a_sender_is_no_longer_shown_as_typing_before_the_message_is(scene: Scene) -> None:
    await scene.connect(OUTSIDE, CHAT)
    connection = scene.app.context.connections.get(f"c{OUTSIDE}")
    assert connection is not None
    scene.app.context.typing.type(CHAT, connection)
    scene.forget_events()
    scene.store.publish([MessageCreated(message(1))])
    assert scene.hub.names(f"c{JOINED}") == ["typing", "new_message"]
    assert scene.hub.events[f"c{JOINED}"][0][1]["is_typing"] is False


async def test_a_kind_of_change_without_an_event_fails_at_start(scene: Scene) -> None:
    with declared_kinds() as declare:

        @declare("throwaway_pinned")
        class MessagePinned(MessageChange):
            by: int

        with pytest.raises(UndeclaredChange, match="no client hears of the change kind 'throwaway_pinned'"):
            Publisher(scene.app.context, lambda _connection, _ending: None)
