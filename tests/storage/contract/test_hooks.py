"""Hooks: who manages them, what they write, and how far the delivery of an outgoing one is."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from domain.acts import AccountUpdate, Act
from domain.changes import UserChanged
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from domain.hooks import HOOKS_MAX, Delivery, Hook, HookKind, HookUpdate
from domain.hooks import user_of as user_of_hook
from domain.models import User
from domain.refusals import (
    BadReference,
    Forbidden,
    HookPaused,
    NotFound,
    TooMany,
    UnknownUsers,
)
from tests.patience import within
from tests.storage.conftest import Place, close
from tests.storage.world import START, World, at, draft

URL = "https://example.org/hook"


async def hook(
    world: World,
    chat_id: int,
    maker: int,
    kind: HookKind = "incoming",
    key: str = "hash",
    name: str = "Alerts",
) -> Hook:
    made = Hook(0, chat_id, kind, name, 0, maker, START)
    if kind == "incoming":
        return await world.store.hooks.create(made, key_hash=key)
    outgoing = replace(made, target_url=URL, events=("new_message", "message_deleted"), include_bots=True)
    return await world.store.hooks.create(outgoing, secret=key)


async def refused(*calls: Awaitable[object]) -> list[type]:
    return [type(one) for one in await asyncio.gather(*calls, return_exceptions=True)]


async def post(world: World, one: Hook, content: str = "on fire", **more: object) -> object:
    return await world.store.hooks.post(one.id, draft(one.chat_id, one.user_id, content, **more))


async def user_of(world: World, one: Hook) -> User:
    user = await world.store.users.get(one.user_id)
    assert user is not None
    return user


async def test_hooks_are_kept_as_made(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    await world.send(chat_id, anna)
    incoming = await hook(world, chat_id, anna)
    outgoing = await hook(world, chat_id, anna, "outgoing", "secret", "CI")
    assert incoming == Hook(incoming.id, chat_id, "incoming", "Alerts", incoming.user_id, anna, START)
    states = await world.store.hooks.of_chat(chat_id, anna)
    assert [state.hook for state in states] == [incoming, outgoing]
    assert [state.paused for state in states] == [False, False]
    assert [state.delivery for state in states] == [Delivery(), Delivery(1)]
    assert await world.store.hooks.get(outgoing.id) == states[1]
    assert await world.store.hooks.get(outgoing.id + 1000) is None
    assert await world.store.hooks.by_key("hash") == states[0]
    assert await world.store.hooks.by_key("another") is None
    assert await world.store.hooks.by_key("secret") is None
    found = await world.store.hooks.outgoing_hook(outgoing.id)
    assert found is not None
    assert (found.state, found.secret) == (states[1], "secret")
    assert "secret" not in repr(found)
    assert await world.store.hooks.outgoing_hook(incoming.id) is None
    assert world.published[-2:] == [HookAdded(incoming), HookAdded(outgoing)]


async def test_the_user_of_a_hook_is_in_no_list_and_cannot_be_found(world: World) -> None:
    anna = await world.user("anna")
    chat_id = await world.chat(anna)
    one = await hook(world, chat_id, anna)
    user = await user_of(world, one)
    assert user == user_of_hook(one)
    assert (user.display_name, user.is_bot, user.is_hook, user.active) == ("Alerts", True, True, True)
    assert user.username.startswith("hook:")
    users = world.store.users
    for prefix in ("", "alerts", user.username):
        found = [
            *await users.search(prefix, after_id=0, limit=10),
            *await users.search_all(prefix, after_id=0, limit=10),
        ]
        assert {each.id for each in found} <= {anna}
    assert await users.find(user.username) is None
    assert (await world.store.counts()).users == 1
    assert [
        member.user_id for member in (await world.store.chats.members(chat_id, cursor=None, limit=9))[0]
    ] == [anna]
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert (state.chat.member_count, set(state.members)) == (1, {anna})
    act = Act(None, START)
    assert (
        await refused(
            users.update(one.user_id, AccountUpdate(banned=True), act),
            users.delete(one.user_id, act),
            users.rename(one.user_id, "Somebody"),
            users.change_password(one.user_id, "hash", keep_session=None),
            world.store.sessions.create(
                session_id="s", user_id=one.user_id, token_hash="t", expires_at=at(9), created_at=START
            ),
            world.store.chats.add_member(chat_id, anna, one.user_id, "member", START),
            world.chat(anna, one.user_id, chat_type="private"),
        )
        == [NotFound] * 5 + [UnknownUsers] * 2
    )


async def test_who_manages_hooks(world: World) -> None:
    owner, admin, member, stranger = await world.users(4)
    for chat_type in ("group", "channel"):
        chat_id = await world.chat(owner, admin, member, chat_type=chat_type)
        await world.store.chats.set_role(chat_id, owner, admin, "admin", START)
        one = await hook(world, chat_id, owner, key=chat_type)
        hooks = world.store.hooks
        for user_id, refusal in ((member, Forbidden), (stranger, NotFound)):
            assert (
                await refused(
                    hook(world, chat_id, user_id, key="no"),
                    hooks.of_chat(chat_id, user_id),
                    hooks.change(one.id, user_id, HookUpdate(name="No"), START),
                    hooks.renew_key(one.id, user_id, START, key_hash="no"),
                    hooks.remove(one.id, user_id, START),
                )
                == [refusal] * 5
            )
        assert await hooks.by_key("no") is None
        assert (await hooks.change(one.id, admin, HookUpdate(name="Fire"), START)).hook.name == "Fire"
        await hooks.remove(one.id, admin, START)
    private = await world.chat(owner, admin, chat_type="private")
    assert await refused(hook(world, private, owner)) == [Forbidden]
    assert await refused(world.store.hooks.remove(one.id, owner, START)) == [NotFound]


async def test_at_most_twenty_of_both_kinds_exactly(world: World) -> None:
    anna = await world.user()
    chat_id, other = await world.chat(anna), await world.chat(anna)
    kinds: list[HookKind] = ["incoming", "outgoing"]
    outcomes = await refused(
        *(hook(world, chat_id, anna, kinds[n % 2], f"key{n}") for n in range(HOOKS_MAX + 5))
    )
    assert (outcomes.count(Hook), outcomes.count(TooMany)) == (HOOKS_MAX, 5)
    states = await world.store.hooks.of_chat(chat_id, anna)
    assert len(states) == HOOKS_MAX
    assert len({state.hook.user_id for state in states}) == HOOKS_MAX
    await hook(world, other, anna, key="other")
    await world.store.hooks.remove(states[0].hook.id, anna, START)
    await hook(world, chat_id, anna, key="again")
    assert (await world.store.counts()).users == 1


async def test_a_hook_is_changed_and_what_is_told_of_it(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    one = await hook(world, chat_id, anna, "outgoing", "secret")
    world.published.clear()
    update = HookUpdate(
        name="Builds", target_url=f"{URL}2", events=("message_updated",), include_bots=False, paused=True
    )
    changed = await world.store.hooks.change(one.id, anna, update, at(5))
    after = replace(
        one, name="Builds", target_url=f"{URL}2", events=("message_updated",), include_bots=False, paused=True
    )
    assert changed == await world.store.hooks.get(one.id)
    assert (changed.hook, changed.paused) == (after, True)
    user = await user_of(world, one)
    assert user.display_name == "Builds"
    (told,) = [change for change in world.published if isinstance(change, HookChanged)]
    assert told == HookChanged(
        after, ("name", "target_url", "events", "include_bots", "paused"), False, anna, at(5)
    )
    (shown,) = [change for change in world.published if isinstance(change, UserChanged)]
    assert (shown.user, shown.shown) == (user, True)
    assert await world.store.hooks.change(one.id, anna, update, at(6)) == changed
    resumed = await world.store.hooks.change(one.id, anna, HookUpdate(paused=False), at(7))
    assert (resumed.paused, resumed.hook.created_by) == (False, anna)
    entries, _ = await world.store.audit.page(chat_id, cursor=None, limit=10)
    assert [(entry.action, entry.detail, entry.user_id) for entry in entries] == [
        ("hook_resumed", "Builds", one.user_id),
        ("hook_changed", "Builds", one.user_id),
        ("hook_paused", "Builds", one.user_id),
        ("hook_added", "Alerts", one.user_id),
    ]
    assert not any(URL in repr(entry) or "secret" in repr(entry) for entry in entries)


async def test_a_renewed_key_is_the_only_one(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    incoming = await hook(world, chat_id, anna)
    outgoing = await hook(world, chat_id, anna, "outgoing", "secret")
    hooks = world.store.hooks
    assert (await hooks.renew_key(incoming.id, anna, at(1), key_hash="new")).hook == incoming
    await hooks.renew_key(outgoing.id, anna, at(2), secret="other")
    assert await hooks.by_key("hash") is None
    state = await hooks.by_key("new")
    assert state is not None
    assert state.hook == incoming
    found = await hooks.outgoing_hook(outgoing.id)
    assert found is not None
    assert found.secret == "other"
    entries, _ = await world.store.audit.page(chat_id, cursor=None, limit=2)
    assert [(entry.action, entry.at) for entry in entries] == [
        ("hook_key_renewed", at(2)),
        ("hook_key_renewed", at(1)),
    ]


async def test_a_removed_hook_is_gone_and_its_messages_stay(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    one = await hook(world, chat_id, anna)
    await post(world, one)
    await world.store.hooks.remove(one.id, anna, at(9))
    removed, told = world.published[-2:]
    assert removed == HookRemoved(one, anna, at(9))
    user = await user_of(world, one)
    assert (user.deleted, user.active, user.display_name) == (True, False, user.username)
    assert isinstance(told, UserChanged)
    assert told.user == user
    hooks = world.store.hooks
    assert await hooks.of_chat(chat_id, anna) == []
    assert (await hooks.get(one.id), await hooks.by_key("hash")) == (None, None)
    assert await refused(post(world, one), hooks.remove(one.id, anna, START)) == [NotFound] * 2
    (message,) = await world.everything(chat_id)
    assert (message.content, message.sender_id, message.deleted) == ("on fire", one.user_id, False)
    another = await hook(world, chat_id, anna)
    assert another.id > one.id


async def test_hooks_are_removed_with_their_chat(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    one = await hook(world, chat_id, anna)
    outgoing = await hook(world, chat_id, anna, "outgoing", "secret")
    await world.store.chats.delete(chat_id, anna)
    hooks = world.store.hooks
    assert [await hooks.by_key("hash"), await hooks.get(outgoing.id)] == [None] * 2
    assert await refused(post(world, one)) == [NotFound]
    async with within(10):
        while await hooks.outgoing(limit=10) or not (await user_of(world, one)).deleted:
            await asyncio.sleep(0.02)


async def test_what_a_hook_writes(world: World) -> None:
    anna, boris = await world.user("anna"), await world.user("boris")
    chat_id = await world.chat(anna, boris, chat_type="channel")
    first = await world.send(chat_id, anna)
    await world.store.chats.change(chat_id, anna, START, slow_mode_s=60)
    one = await hook(world, chat_id, anna)
    outcome = await post(world, one, "@all @boris down", client_id="a", reply_to=first.id)
    message = outcome.message  # type: ignore[attr-defined]
    assert (message.seq, message.sender_id, message.reply_to) == (2, one.user_id, first.id)
    assert (message.mentions, message.mentions_all) == ((boris,), False)
    again = await post(world, one, "another", client_id="a")
    assert (again.message, again.duplicate) == (message, True)  # type: ignore[attr-defined]
    await post(world, one, "more", client_id="b")
    tombstone = await world.store.messages.delete(message.id, anna, at(3))
    repeat = await post(world, one, "another", client_id="a")
    assert (repeat.message, repeat.duplicate) == (tombstone, True)  # type: ignore[attr-defined]
    summary = await world.store.chats.summary(chat_id, boris)
    assert summary.unread_count == 2
    other = await world.send(await world.chat(anna), anna)
    assert await refused(
        post(world, one, reply_to=other.id),
        world.store.hooks.post(one.id, draft(other.chat_id, one.user_id)),
        world.store.hooks.post(one.id, draft(chat_id, anna)),
    ) == [BadReference, NotFound, NotFound]
    await world.check_published(chat_id)


async def test_many_posts_at_once_with_one_client_id_are_one_message(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    one = await hook(world, chat_id, anna)
    outcomes = await asyncio.gather(*(post(world, one, client_id=f"{n % 3}") for n in range(30)))
    assert len({outcome.message.id for outcome in outcomes}) == 3  # type: ignore[attr-defined]
    assert await world.head(chat_id) == 3


async def test_a_hook_pauses_while_nobody_stands_for_it(world: World) -> None:
    anna, boris, carl = await world.users(3)
    chat_id = await world.chat(anna, boris, carl)
    await world.store.chats.set_role(chat_id, anna, boris, "admin", START)
    one = await hook(world, chat_id, boris)
    hooks, chats, users = world.store.hooks, world.store.chats, world.store.users

    async def is_paused() -> bool:
        state = await hooks.get(one.id)
        (listed,) = await hooks.of_chat(chat_id, anna)
        assert state is not None
        assert state == listed == await hooks.by_key("hash")
        return state.paused

    assert not await is_paused()
    await chats.set_role(chat_id, anna, boris, "member", START)
    assert await is_paused()
    assert await refused(post(world, one)) == [HookPaused]
    await chats.set_role(chat_id, anna, boris, "admin", START)
    assert not await is_paused()
    await users.set_banned(boris, True)
    assert await is_paused()
    await users.set_banned(boris, False)
    assert not await is_paused()
    await chats.remove_member(chat_id, anna, boris, START)
    assert await is_paused()
    assert await refused(post(world, one)) == [HookPaused]
    resumed = await hooks.change(one.id, anna, HookUpdate(paused=False), at(5))
    assert (resumed.paused, resumed.hook.created_by) == (False, anna)
    assert not await is_paused()
    await post(world, one)
    await hooks.change(one.id, anna, HookUpdate(paused=True), at(6))
    assert await is_paused()
    assert await refused(post(world, one)) == [HookPaused]


async def test_the_delivery_goes_on_where_it_was(world: World, place: Place) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    one = await hook(world, chat_id, anna, "outgoing", "secret")
    failing = Delivery(0, 3, at(1), "status 500", at(9))
    hooks = world.store.hooks
    living = [] if world.store.nodes is None else [world.store.nodes.incarnation]
    lease = await hooks.take(one.id, living)
    assert lease is not None
    assert await hooks.take(one.id, living) == lease
    assert await hooks.save_delivery(one.id, lease, failing)
    state = await hooks.get(one.id)
    assert state is not None
    assert (state.delivery, state.paused) == (failing, False)
    assert await hooks.save_delivery(one.id, lease, replace(failing, stopped=True))
    (found,) = await hooks.outgoing(limit=10)
    assert (found.state.delivery.stopped, found.state.paused) == (True, True)
    assert await hooks.outgoing(after_id=one.id, limit=10) == []
    resumed = await hooks.change(one.id, anna, HookUpdate(paused=False), at(10))
    assert (resumed.delivery, resumed.paused) == (Delivery(0), False)
    assert await hooks.save_delivery(one.id, lease, failing)
    await close(world.store)
    again = await place.open()
    try:
        kept = await again.hooks.outgoing_hook(one.id)
        assert kept is not None
        assert (kept.state.delivery, kept.secret) == (failing, "secret")
        taken = await again.hooks.take(one.id, [])
        assert taken is not None
        await again.hooks.remove(one.id, anna, at(11))
        assert await again.hooks.take(one.id, []) is None
        assert not await again.hooks.save_delivery(one.id, taken, failing)
    finally:
        await close(again)


@pytest.mark.parametrize("behind", [0, 10_001])
async def test_a_resumed_hook_that_is_far_behind_goes_on_from_the_newest(world: World, behind: int) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    await world.send(chat_id, anna)
    one = await hook(world, chat_id, anna, "outgoing", "secret")
    living = [] if world.store.nodes is None else [world.store.nodes.incarnation]
    lease = await world.store.hooks.take(one.id, living)
    assert lease is not None
    await world.store.hooks.save_delivery(one.id, lease, Delivery(1 - behind, stopped=True))
    resumed = await world.store.hooks.change(one.id, anna, HookUpdate(paused=False), at(10))
    assert resumed.delivery == Delivery(1)
