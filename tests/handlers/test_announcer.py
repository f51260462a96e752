"""Events for members, with their chats in memory or not: their order, and who gets them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from domain.changes import ChatDeleted, ChatRenamed, MemberRemoved, RoleChanged, UserChanged
from handlers.live.announcer import LEAVES_WITHIN_S, RETRY_EVERY_S
from handlers.policy import PRESENCE_MEMBERS_MAX
from storage.errors import Unavailable
from tests.handlers.scene import Scene

CHAT, LARGE = 1, 2
ANNA, BORIS, VERA = 1, 2, 3


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """Anna and Boris share a chat that is not in memory, Anna and Vera a large one."""
    scene = Scene()
    scene.chat(CHAT, ANNA, BORIS)
    scene.chat(LARGE, ANNA, VERA, *range(1000, 1000 + PRESENCE_MEMBERS_MAX))
    for user_id in (ANNA, BORIS, VERA):
        await scene.connect(user_id)
    scene.forget_events()
    yield scene
    await scene.close()


def renamed(scene: Scene, name: str) -> ChatRenamed:
    state = scene.store.states[CHAT]
    chat = replace(state.chat, name=name)
    scene.store.states[CHAT] = replace(state, chat=chat)
    return ChatRenamed(chat)


async def test_a_chat_in_memory_is_published_in_the_turn_of_the_change(scene: Scene) -> None:
    await scene.app.context.directory.current(CHAT)
    scene.store.publish([renamed(scene, "New")])
    assert scene.hub.names("c1") == scene.hub.names("c2") == ["chat_changed"]


async def test_a_chat_not_in_memory_is_loaded_first_and_its_order_stays(scene: Scene) -> None:
    scene.store.may_answer.clear()
    change = renamed(scene, "New")
    scene.chat(CHAT, ANNA)
    await scene.publish(change, MemberRemoved(CHAT, BORIS, None, ANNA, "New"))
    assert not scene.hub.events
    scene.store.may_answer.set()
    await scene.settle()
    # Boris is no longer a member when the chat is loaded.
    assert scene.hub.names("c2") == ["chat_removed"]
    assert scene.hub.names("c1") == ["chat_changed", "chat_changed"]


async def test_another_chat_does_not_wait(scene: Scene) -> None:
    await scene.app.context.directory.current(LARGE)
    scene.store.may_answer.clear()
    await scene.publish(renamed(scene, "New"), RoleChanged(LARGE, scene.member(VERA, owner=True)))
    assert scene.hub.names("c1") == scene.hub.names("c3") == ["chat_changed"]
    assert scene.hub.names("c2") == []
    scene.store.may_answer.set()


async def test_a_store_that_cannot_answer_is_asked_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(_chat_id: int) -> None:
        raise Unavailable("down")

    with monkeypatch.context() as broken:
        broken.setattr(scene.store, "load", down)
        await scene.publish(renamed(scene, "New"))
        scene.clock.advance(RETRY_EVERY_S)
        await scene.settle()
        assert not scene.hub.events
    scene.clock.advance(RETRY_EVERY_S)
    await scene.settle()
    assert scene.hub.names("c1") == ["chat_changed"]


async def test_a_chat_that_only_newer_servers_serve_holds_up_nobody(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def newer(_chat_id: int) -> None:
        raise Unavailable("a row of an unknown kind", "newer")

    with monkeypatch.context() as broken:
        broken.setattr(scene.store, "load", newer)
        await scene.publish(renamed(scene, "New"))
        await scene.settle()
    scene.clock.advance(RETRY_EVERY_S)
    await scene.settle()
    assert not scene.hub.events
    await scene.publish(renamed(scene, "Newer"))
    await scene.settle()
    assert scene.hub.names("c1") == ["chat_changed"]


async def test_a_chat_that_is_deleted_before_it_is_loaded_is_not_published(scene: Scene) -> None:
    scene.store.may_answer.clear()
    await scene.publish(renamed(scene, "New"))
    del scene.store.states[CHAT]
    await scene.publish(ChatDeleted(CHAT, [ANNA, BORIS], "New"))
    scene.store.may_answer.set()
    await scene.settle()
    assert scene.hub.names("c1") == scene.hub.names("c2") == ["chat_removed"]


async def test_a_changed_user_comes_before_what_follows_for_their_chats(scene: Scene) -> None:
    await scene.app.context.directory.current(CHAT)
    scene.store.may_answer.clear()
    await scene.publish(
        UserChanged(scene.rename_user(BORIS, "New"), shown=True),
        RoleChanged(CHAT, scene.member(ANNA, owner=True)),
    )
    assert not scene.hub.events
    scene.store.may_answer.set()
    await scene.settle()
    assert scene.hub.names("c1") == scene.hub.names("c2") == ["user_changed", "chat_changed"]


async def test_the_last_state_of_a_user_who_changes_twice_is_published_once(scene: Scene) -> None:
    scene.store.may_answer.clear()
    await scene.publish(UserChanged(scene.rename_user(BORIS, "One"), shown=True))
    await scene.publish(UserChanged(scene.rename_user(BORIS, "Two"), shown=True))
    scene.store.may_answer.set()
    await scene.settle()
    ((name, payload),) = scene.hub.events["c1"]
    assert (name, payload["user"]["display_name"]) == ("user_changed", "Two")


async def test_the_user_alone_sees_their_email(scene: Scene) -> None:
    await scene.publish(UserChanged(scene.rename_user(BORIS, "New"), shown=True))
    ((_, others),), ((_, own),) = scene.hub.events["c1"], scene.hub.events["c2"]
    assert "email" not in others["user"]
    assert own["user"]["email"] == "2@example.org"


async def test_in_a_large_chat_only_joined_members_get_a_change(scene: Scene) -> None:
    await scene.publish(UserChanged(scene.rename_user(ANNA, "New"), shown=True))
    assert (scene.hub.names("c2"), scene.hub.names("c3")) == (["user_changed"], [])
    scene.forget_events()
    await scene.connect(VERA, LARGE)
    scene.forget_events()
    await scene.publish(UserChanged(scene.rename_user(ANNA, "Newer"), shown=True))
    assert (scene.hub.names("c2"), scene.hub.names("c3")) == (["user_changed"], ["user_changed"])


async def test_a_chat_that_the_user_leaves_meanwhile_still_hears(scene: Scene) -> None:
    await scene.app.context.directory.current(CHAT)
    scene.store.may_answer.clear()
    await scene.publish(UserChanged(replace(scene.user(BORIS), deleted=True), shown=True))
    scene.chat(CHAT, ANNA)
    await scene.publish(MemberRemoved(CHAT, BORIS, None, BORIS, "Room"))
    scene.store.may_answer.set()
    await scene.settle()
    assert scene.hub.names("c1") == ["user_changed", "chat_changed"]


async def test_so_do_those_of_a_chat_that_is_deleted_meanwhile(scene: Scene) -> None:
    await scene.app.context.directory.current(CHAT)
    scene.store.may_answer.clear()
    await scene.publish(UserChanged(replace(scene.user(BORIS), deleted=True), shown=True))
    del scene.store.states[CHAT]
    await scene.publish(ChatDeleted(CHAT, [ANNA, BORIS], "Room", "group", BORIS))
    scene.store.may_answer.set()
    await scene.settle()
    assert "user_changed" in scene.hub.names("c1")


async def test_of_an_account_that_ends_at_another_server_members_hear_though_it_has_left_before(
    scene: Scene,
) -> None:
    """The account and the chats come in this order, and the store has both already when the first one comes."""
    scene.store.shared = True
    await scene.app.context.directory.current(CHAT)
    scene.chat(CHAT, ANNA)
    await scene.publish(UserChanged(replace(scene.user(BORIS), banned=True), shown=True))
    assert scene.hub.names("c1") == []
    assert scene.hub.names("c2") == ["user_changed"]
    await scene.publish(MemberRemoved(CHAT, BORIS, None, BORIS, "Room"))
    assert scene.hub.names("c1") == ["user_changed", "chat_changed"]
    assert scene.hub.names("c2") == ["user_changed", "chat_removed"]


async def test_who_has_heard_of_the_account_does_not_hear_it_again_when_it_leaves(scene: Scene) -> None:
    scene.store.shared = True
    await scene.publish(UserChanged(scene.rename_user(BORIS, "New"), shown=True))
    scene.chat(CHAT, ANNA)
    await scene.publish(MemberRemoved(CHAT, BORIS, None, BORIS, "Room"))
    assert scene.hub.names("c1") == ["user_changed", "chat_changed"]
    await scene.publish(UserChanged(scene.rename_user(ANNA, "New"), shown=True))
    await scene.publish(ChatDeleted(CHAT, [ANNA, BORIS], "Room", "group", ANNA))
    for name in ("c1", "c2"):
        assert scene.hub.names(name).count("user_changed") == 2, (
            "Anna and Boris shared that chat a moment ago"
        )


async def test_a_second_change_is_for_those_too_who_have_got_the_first(scene: Scene) -> None:
    scene.store.shared = True
    scene.chat(3, ANNA, BORIS, chat_type="private", name=None)
    await scene.publish(UserChanged(replace(scene.user(BORIS), banned=True), shown=True))
    scene.store.may_answer.clear()
    scene.chat(CHAT, ANNA)
    await scene.publish(MemberRemoved(CHAT, BORIS, None, BORIS, "Room"))
    await scene.publish(UserChanged(replace(scene.user(BORIS), deleted=True), shown=True))
    scene.store.may_answer.set()
    await scene.settle()
    changes = [payload["user"] for name, payload in scene.hub.events["c1"] if name == "user_changed"]
    assert [user["deleted"] for user in changes] == [False, True]


async def test_a_change_is_not_kept_for_those_who_leave_much_later(scene: Scene) -> None:
    scene.store.shared = True
    scene.chat(CHAT, ANNA)
    await scene.publish(UserChanged(scene.rename_user(BORIS, "New"), shown=True))
    scene.clock.advance(LEAVES_WITHIN_S)
    await scene.publish(MemberRemoved(CHAT, BORIS, None, BORIS, "Room"))
    assert scene.hub.names("c1") == ["chat_changed"]


async def test_one_can_wait_until_a_user_is_published_but_not_for_ever(scene: Scene) -> None:
    announcer = scene.app.context.announcer
    await announcer.published(BORIS, 60)
    scene.store.may_answer.clear()
    await scene.publish(UserChanged(scene.rename_user(BORIS, "New"), shown=True))
    await announcer.published(BORIS, 0.01)
    assert not scene.hub.events
    waiting = asyncio.create_task(announcer.published(BORIS, 60))
    scene.store.may_answer.set()
    await waiting
    assert scene.hub.names("c1") == ["user_changed"]


async def test_an_event_that_cannot_be_made_is_logged_and_the_next_is_published(scene: Scene) -> None:
    def broken(*_arguments: object) -> None:
        raise ValueError("a bug")

    scene.store.may_answer.clear()
    scene.app.context.announcer.announce(CHAT, broken)
    await scene.publish(renamed(scene, "New"))
    with capture_logs() as logs:
        scene.store.may_answer.set()
        await scene.settle()
    assert [line["event"] for line in logs] == ["an event for members could not be published"]
    assert scene.hub.names("c1") == ["chat_changed"]
