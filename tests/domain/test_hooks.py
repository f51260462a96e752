"""Who manages the hooks of a chat, when one is paused, and what one writes."""

from dataclasses import replace

import pytest

from domain.changes import MessageCreated
from domain.decisions import chats, hooks, members, private_chats
from domain.decisions.bans import ban
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from domain.hooks import BEHIND_MAX, HOOKS_MAX, Delivery, Hook, HookState, HookUpdate
from domain.models import Appended, ChatType, Draft
from domain.refusals import BadContent, BadReference, Forbidden, HookPaused, NotFound, TooMany, UnknownUsers
from tests.domain.fake_view import (
    ADMIN,
    CHAT,
    MEMBER,
    OTHER_CHAT,
    OWNER,
    START,
    STRANGER,
    FakeView,
    at,
    view_of,
)
from tests.domain.outcomes import outcome

HOOK_USER = 41
HOOK = Hook(5, CHAT, "incoming", "Alerts", HOOK_USER, ADMIN, START)


def with_hook(hook: Hook = HOOK, chat_type: ChatType = "group") -> FakeView:
    view = view_of(chat_type)
    view.hooks_by_id[hook.id] = hook
    view.set_account(hook.user_id, is_bot=True, is_hook=True)
    return view


def draft(content: str = "on fire", **more: object) -> Draft:
    return Draft(CHAT, HOOK_USER, content, **({"created_at": at(10)} | more))  # type: ignore[arg-type]


MANAGERS = {
    ("group", OWNER): None,
    ("group", ADMIN): None,
    ("group", MEMBER): Forbidden,
    ("group", STRANGER): NotFound,
    ("channel", OWNER): None,
    ("channel", MEMBER): Forbidden,
    ("private", OWNER): Forbidden,
    ("private", STRANGER): NotFound,
}


@pytest.mark.parametrize(("chat_type", "user_id"), MANAGERS)
def test_who_manages_hooks(chat_type: ChatType, user_id: int) -> None:
    view, refusal = with_hook(HOOK, chat_type), MANAGERS[chat_type, user_id]
    made = replace(HOOK, id=6, created_by=user_id)
    outcomes = {
        HookAdded: outcome(lambda: hooks.add(view, made)),
        HookChanged: outcome(
            lambda: hooks.change(view, CHAT, HOOK.id, user_id, HookUpdate(name="New"), at(1))
        ),
        HookRemoved: outcome(lambda: hooks.remove(view, CHAT, HOOK.id, user_id, at(1))),
    }
    for kind, found in outcomes.items():
        assert found == refusal if refusal else isinstance(found, kind)
    renewed = outcome(lambda: hooks.renew_key(view, CHAT, HOOK.id, user_id, at(1)))
    assert renewed == (refusal or HookChanged(HOOK, ("key",), False, user_id, at(1)))


def test_a_hook_is_made_by_somebody_who_is_active() -> None:
    view = view_of()
    view.set_account(ADMIN, banned=True)
    assert outcome(lambda: hooks.add(view, HOOK)) == NotFound


def test_a_chat_has_twenty_hooks_at_most() -> None:
    view = view_of()
    for hook_id in range(HOOKS_MAX - 1):
        view.hooks_by_id[hook_id] = replace(HOOK, id=hook_id)
    view.hooks_by_id[99] = replace(HOOK, id=99, chat_id=OTHER_CHAT)
    assert hooks.add(view, HOOK) == HookAdded(HOOK)
    view.hooks_by_id[1000] = replace(HOOK, id=1000)
    assert len(view.hooks(CHAT)) == HOOKS_MAX == 20
    assert outcome(lambda: hooks.add(view, replace(HOOK, id=77))) == TooMany


def test_a_hook_of_another_chat_is_none_of_this() -> None:
    view = with_hook(replace(HOOK, chat_id=OTHER_CHAT))
    assert outcome(lambda: hooks.remove(view, CHAT, HOOK.id, OWNER, at(1))) == NotFound


def test_the_end_of_a_hook_does_not_say_where_it_delivered() -> None:
    view = with_hook(replace(HOOK, kind="outgoing", target_url="https://a.example/?token=secret"))
    removed = hooks.remove(view, CHAT, HOOK.id, OWNER, at(1))
    assert removed == HookRemoved(replace(HOOK, kind="outgoing"), OWNER, at(1))


def test_an_update_changes_what_it_names() -> None:
    hook = replace(HOOK, kind="outgoing", target_url="https://a.example/", events=("new_message",))
    view = with_hook(hook)
    update = HookUpdate(target_url="https://b.example/", include_bots=True, name="Alerts")
    after = replace(hook, target_url="https://b.example/", include_bots=True)
    found = hooks.change(view, CHAT, HOOK.id, OWNER, update, at(1))
    assert found == HookChanged(after, ("target_url", "include_bots"), False, OWNER, at(1))
    assert hooks.change(view, CHAT, HOOK.id, OWNER, HookUpdate(name="Alerts"), at(1)) == hook
    assert hooks.change(view, CHAT, HOOK.id, OWNER, HookUpdate(), at(1)) == hook


def test_pausing_and_resuming_leave_the_maker() -> None:
    view, paused = with_hook(), replace(HOOK, paused=True)
    found = hooks.change(view, CHAT, HOOK.id, OWNER, HookUpdate(paused=True), at(1))
    assert found == HookChanged(paused, ("paused",), False, OWNER, at(1))
    view.hooks_by_id[HOOK.id] = paused
    found = hooks.change(view, CHAT, HOOK.id, OWNER, HookUpdate(paused=False), at(2))
    assert found == HookChanged(HOOK, ("paused",), True, OWNER, at(2))
    view.hooks_by_id[HOOK.id] = HOOK
    assert hooks.change(view, CHAT, HOOK.id, OWNER, HookUpdate(paused=False), at(3)) == HOOK


def test_a_hook_whose_delivery_was_given_up_is_resumed() -> None:
    view = with_hook()
    view.stopped.add(HOOK.id)
    found = hooks.change(view, CHAT, HOOK.id, OWNER, HookUpdate(paused=False), at(1))
    assert found == HookChanged(HOOK, (), True, OWNER, at(1))


def demoted(view: FakeView) -> None:
    view.members[CHAT][ADMIN] = replace(view.members[CHAT][ADMIN], role="member")


def left(view: FakeView) -> None:
    del view.members[CHAT][ADMIN]


def banned(view: FakeView) -> None:
    view.set_account(ADMIN, banned=True)


@pytest.mark.parametrize("happened", [demoted, left, banned])
def test_who_resumes_a_hook_without_a_maker_becomes_its_maker(happened: object) -> None:
    view = with_hook()
    assert hooks.has_maker(view, HOOK)
    happened(view)  # type: ignore[operator]
    assert not hooks.has_maker(view, HOOK)
    mine = replace(HOOK, created_by=OWNER)
    found = hooks.change(view, CHAT, HOOK.id, OWNER, HookUpdate(paused=False), at(1))
    assert found == HookChanged(mine, ("created_by",), True, OWNER, at(1))
    renamed = hooks.change(view, CHAT, HOOK.id, OWNER, HookUpdate(name="New"), at(1))
    assert isinstance(renamed, HookChanged)
    assert renamed.hook.created_by == ADMIN


def test_a_hook_is_paused_in_three_ways() -> None:
    states = [
        HookState(HOOK, Delivery(), True),
        HookState(replace(HOOK, paused=True), Delivery(), True),
        HookState(HOOK, Delivery(stopped=True), True),
        HookState(HOOK, Delivery(), False),
    ]
    assert [state.paused for state in states] == [False, True, True, True]


def test_a_resumed_hook_goes_on_unless_it_is_too_far_behind() -> None:
    failed = Delivery(7, 3, START, "status 500", at(9), stopped=True)
    assert hooks.resumed(failed, 7 + BEHIND_MAX) == Delivery(7)
    assert hooks.resumed(failed, 8 + BEHIND_MAX) == Delivery(8 + BEHIND_MAX)


@pytest.mark.parametrize("chat_type", ["group", "channel"])
def test_a_hook_writes_without_being_a_member_and_mentions_members_but_not_all(chat_type: ChatType) -> None:
    view = with_hook(HOOK, chat_type)
    view.chats[CHAT] = replace(view.chats[CHAT], slow_mode_s=60)
    view.sent_at[CHAT, HOOK_USER] = at(9)
    found = hooks.post(view, HOOK.id, draft("@all @carl @dora down", client_id="a"))
    assert isinstance(found, MessageCreated)
    message = found.message
    assert (message.chat_id, message.sender_id, message.client_id) == (CHAT, HOOK_USER, "a")
    assert (message.content, message.mentions, message.mentions_all) == (
        "@all @carl @dora down",
        (MEMBER,),
        False,
    )


def test_a_repeat_is_the_first_message_or_its_tombstone_even_of_a_paused_hook() -> None:
    view = with_hook(replace(HOOK, paused=True))
    first = view.add_message(CHAT, HOOK_USER, client_id="a")
    gone = view.add_message(CHAT, HOOK_USER, client_id="b", deleted=True)
    for message, client_id in ((first, "a"), (gone, "b")):
        assert hooks.post(view, HOOK.id, draft(client_id=client_id)) == Appended(message, duplicate=True)


def test_what_a_hook_may_not_write() -> None:
    view = with_hook()
    elsewhere = view.add_message(OTHER_CHAT, OWNER)
    here = view.add_message(CHAT, OWNER, deleted=True)
    cases: list[tuple[Draft, object]] = [
        (replace(draft(), chat_id=OTHER_CHAT), NotFound),
        (replace(draft(), sender_id=OWNER), NotFound),
        (draft(content_fault="is empty"), BadContent),
        (draft(reply_to=elsewhere.id), BadReference),
    ]
    for wrong, refusal in cases:
        assert outcome(lambda wrong=wrong: hooks.post(view, HOOK.id, wrong)) == refusal  # type: ignore[misc]
    assert outcome(lambda: hooks.post(view, 77, draft())) == NotFound
    assert isinstance(hooks.post(view, HOOK.id, draft(reply_to=here.id)), MessageCreated)


@pytest.mark.parametrize("happened", [demoted, left])
def test_a_paused_hook_writes_nothing(happened: object) -> None:
    paused = with_hook(replace(HOOK, paused=True))
    assert outcome(lambda: hooks.post(paused, HOOK.id, draft())) == HookPaused
    view = with_hook()
    happened(view)  # type: ignore[operator]
    assert outcome(lambda: hooks.post(view, HOOK.id, draft())) == HookPaused


def test_the_user_of_a_hook_is_nobody_with_whom_to_do_something() -> None:
    view = with_hook()
    for act in (
        lambda: members.add(view, CHAT, OWNER, HOOK_USER, "member", at(1)),
        lambda: chats.create(view, "New", "group", OWNER, [HOOK_USER], at(1)),
        lambda: private_chats.open_private(view, OWNER, HOOK_USER, at(1)),
        lambda: ban(view, CHAT, OWNER, HOOK_USER, None, at(1)),
    ):
        assert outcome(act) == UnknownUsers
