"""Mutes and bans."""

import asyncio
from collections.abc import Awaitable
from datetime import datetime

import pytest

from domain.changes import (
    MemberAdded,
    MemberRemoved,
)
from domain.invites import Invite
from domain.models import Ban, Member, Message
from domain.moderation import MemberMuted, UserBanned, UserUnbanned
from domain.refusals import BadReference, Forbidden, LastOwner, NotFound, TooSoon, UnknownUsers
from tests.storage.conftest import Place
from tests.storage.contract.test_audit import told
from tests.storage.world import START, World, at

pytestmark = pytest.mark.long_on_mongo

UNTIL = at(100)


async def muted_until(world: World, chat_id: int, user_id: int) -> datetime | None:
    """As a reader and the loaded chat say it, which agree."""
    summary = await world.store.chats.summary(chat_id, user_id)
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert state.members[user_id].muted_until == summary.member.muted_until
    assert (await world.store.chats.actor(chat_id, user_id)).muted_until == summary.member.muted_until
    return summary.member.muted_until


async def test_a_muted_member_writes_nothing_and_deletes_their_own(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    messages = world.store.messages
    before = await world.send(chat_id, boris, client_id="before")
    member = await world.store.moderation.mute(chat_id, anna, boris, UNTIL, at(1))
    assert member == Member(boris, "member", START, muted_until=UNTIL)
    assert world.published[-1] == MemberMuted(chat_id, member, anna, at(1))
    with pytest.raises(
        Forbidden, match=r"you are muted in this chat until 2025-11-23T10:01:40.123456\+00:00"
    ):
        await world.send(chat_id, boris, created_at=at(99))
    with pytest.raises(Forbidden):
        await messages.edit(before.id, boris, "changed", at(99))
    assert await world.send(chat_id, boris, client_id="before", created_at=at(99)) == before
    await world.send(chat_id, anna, created_at=at(99))
    await messages.delete(before.id, boris, at(99))
    await world.send(chat_id, boris, created_at=UNTIL)  # ends by the clock
    await world.check_published(chat_id)


async def test_a_mute_ends_early(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    mute = world.store.moderation.mute
    await mute(chat_id, anna, boris, UNTIL, at(1))
    await mute(chat_id, anna, boris, at(200), at(2))
    assert await muted_until(world, chat_id, boris) == at(200)
    published = len(world.published)
    assert (await mute(chat_id, anna, boris, at(200), at(3))).muted_until == at(200)
    assert len(world.published) == published
    assert (await mute(chat_id, anna, boris, at(3), at(4))).muted_until is None
    assert await muted_until(world, chat_id, boris) is None
    await world.send(chat_id, boris, created_at=at(5))
    published = len(world.published)
    await mute(chat_id, anna, boris, None, at(6))
    assert len(world.published) == published
    assert [entry[:4] for entry in await told(world, chat_id)] == [
        ("muted", anna, boris, UNTIL.isoformat()),
        ("muted", anna, boris, at(200).isoformat()),
        ("unmuted", anna, boris, None),
    ]


async def test_a_mute_stays_through_other_changes_of_the_member(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await world.store.moderation.mute(chat_id, anna, boris, UNTIL, at(1))
    await world.store.chats.set_role(chat_id, anna, boris, "admin", at(2))
    assert await muted_until(world, chat_id, boris) == UNTIL
    await world.store.chats.set_role(chat_id, anna, boris, "owner", at(3))
    await world.store.chats.remove_member(chat_id, anna, anna, at(4))
    await world.store.chats.add_member(chat_id, boris, anna, "member", at(5))
    assert await muted_until(world, chat_id, boris) == UNTIL
    assert await muted_until(world, chat_id, anna) is None


@pytest.mark.parametrize("reopened", [False, True])
async def test_a_mute_stays_through_leaving_and_coming_back(place: Place, reopened: bool) -> None:
    store = await place.open()
    world = World(store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await store.moderation.mute(chat_id, anna, boris, UNTIL, at(1))
    await store.chats.remove_member(chat_id, boris, boris, at(2))
    if reopened:
        await store.close()
        store = await place.open()
        world = World(store)
    member = await store.chats.add_member(chat_id, anna, boris, "member", at(3))
    assert member.muted_until == UNTIL
    with pytest.raises(Forbidden):
        await world.send(chat_id, boris, created_at=at(4))
    await store.moderation.mute(chat_id, anna, boris, None, at(5))
    await store.chats.remove_member(chat_id, boris, boris, at(6))
    member = await store.chats.add_member(chat_id, anna, boris, "member", at(7))
    assert member.muted_until is None
    await world.send(chat_id, boris, created_at=at(8))
    await store.close()


async def test_a_mute_counts_for_the_sends_behind_it(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    mute = world.store.moderation.mute
    results = await asyncio.gather(
        world.send(chat_id, boris),
        mute(chat_id, anna, boris, UNTIL, START),
        world.send(chat_id, boris),
        mute(chat_id, anna, boris, None, START),
        world.send(chat_id, boris),
        return_exceptions=True,
    )
    assert [type(one).__name__ for one in results] == ["Message", "Member", "Forbidden", "Member", "Message"]
    await world.check_published(chat_id)


async def test_a_ban_removes_and_keeps_out(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    ban = Ban(boris, "spam", anna, at(1))
    moderation = world.store.moderation
    assert await moderation.ban(chat_id, anna, boris, "spam", at(1)) == (ban, True)
    assert world.published[-1] == UserBanned(chat_id, ban, True)
    assert await moderation.bans(chat_id, cursor=None, limit=10) == ([ban], None)
    assert not await world.store.chats.has_member(chat_id, boris)
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert (list(state.members), state.chat.member_count) == ([anna], 1)
    with pytest.raises(NotFound):
        await world.send(chat_id, boris)
    with pytest.raises(Forbidden, match="banned"):
        await world.store.chats.add_member(chat_id, anna, boris, "member", at(2))
    published = len(world.published)
    assert await moderation.ban(chat_id, anna, boris, "again", at(3)) == (ban, False)
    assert len(world.published) == published
    await moderation.unban(chat_id, anna, boris, at(4))
    assert world.published[-1] == UserUnbanned(chat_id, boris, anna, at(4))
    await moderation.unban(chat_id, anna, boris, at(5))
    assert len(world.published) == published + 1
    assert not await world.store.chats.has_member(chat_id, boris)
    await world.store.chats.add_member(chat_id, anna, boris, "member", at(6))
    again = Ban(boris, None, anna, at(7))
    assert await moderation.ban(chat_id, anna, boris, None, at(7)) == (again, True)
    assert [entry[:4] for entry in await told(world, chat_id)] == [
        ("banned", anna, boris, "spam"),
        ("unbanned", anna, boris, None),
        ("member_added", anna, boris, "member"),
        ("banned", anna, boris, None),
    ]


@pytest.mark.parametrize("reopened", [False, True])
async def test_a_stranger_is_banned(place: Place, reopened: bool) -> None:
    store = await place.open()
    world = World(store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna)
    ban = Ban(boris, None, anna, at(1))
    assert await store.moderation.ban(chat_id, anna, boris, None, at(1)) == (ban, True)
    assert world.published[-1] == UserBanned(chat_id, ban, False)
    if reopened:
        await store.close()
        store = await place.open()
    with pytest.raises(Forbidden, match="banned"):
        await store.chats.add_member(chat_id, anna, boris, "member", at(2))
    await store.moderation.unban(chat_id, anna, boris, at(3))
    if reopened:
        await store.close()
        store = await place.open()
    await store.chats.add_member(chat_id, anna, boris, "member", at(4))
    await store.close()


async def test_what_banning_and_muting_check(world: World) -> None:
    anna, boris, vera, stranger = await world.users(4)
    chat_id, private = await world.chat(anna, boris, vera), await world.chat(anna, vera, chat_type="private")
    await world.store.chats.set_role(chat_id, anna, boris, "admin", at(1))
    published = len(world.published)
    moderation = world.store.moderation
    for actor_id, user_id, refusal in (
        (stranger, vera, NotFound),
        (vera, boris, Forbidden),
        (boris, anna, Forbidden),
        (boris, boris, Forbidden),
        (anna, anna, Forbidden),
    ):
        with pytest.raises(refusal):
            await moderation.ban(chat_id, actor_id, user_id, None, START)
        with pytest.raises(refusal):
            await moderation.mute(chat_id, actor_id, user_id, UNTIL, START)
    with pytest.raises(NotFound):
        await moderation.mute(chat_id, anna, stranger, UNTIL, START)
    with pytest.raises(UnknownUsers):
        await moderation.ban(chat_id, anna, 999, None, START)
    with pytest.raises(Forbidden):
        await moderation.unban(chat_id, vera, stranger, START)
    for call in (
        moderation.ban(private, anna, vera, None, START),
        moderation.unban(private, anna, vera, START),
    ):
        with pytest.raises(Forbidden, match="private"):
            await call
    with pytest.raises(Forbidden, match="private"):
        await moderation.mute(private, anna, vera, UNTIL, START)
    assert len(world.published) == published


async def test_pages_of_bans(world: World) -> None:
    anna, *others = await world.users(6)
    chat_id = await world.chat(anna)
    for user_id in reversed(others):
        await world.store.moderation.ban(chat_id, anna, user_id, None, START)
    await world.store.moderation.unban(chat_id, anna, others[1], START)
    found: list[int] = []
    cursor: str | None = None
    while True:
        page, cursor = await world.store.moderation.bans(chat_id, cursor=cursor, limit=2)
        found += [ban.user_id for ban in page]
        if cursor is None:
            break
    assert found == [others[0], *others[2:]]
    with pytest.raises(BadReference):
        await world.store.moderation.bans(chat_id, cursor="x", limit=2)


async def test_two_owners_ban_each_other(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat_id = await world.chat(anna, boris, vera)
    await world.store.chats.set_role(chat_id, anna, boris, "owner", START)
    ban = world.store.moderation.ban
    results = await asyncio.gather(
        ban(chat_id, anna, boris, None, START), ban(chat_id, boris, anna, None, START), return_exceptions=True
    )
    assert [type(one) for one in results] == [tuple, NotFound]


async def test_an_owner_whose_account_has_ended_bans_nobody(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await world.store.chats.set_role(chat_id, anna, boris, "owner", START)
    await world.store.users.set_banned(boris, True)
    with pytest.raises((NotFound, LastOwner)):
        await world.store.moderation.ban(chat_id, boris, anna, None, START)


async def test_banning_while_others_add(world: World) -> None:
    """Whatever comes first, a banned user is never a member."""
    anna, gleb, boris = await world.users(3)
    chat_id = await world.chat(anna, gleb)
    await world.store.chats.set_role(chat_id, anna, gleb, "admin", START)
    for turn in range(10):
        calls = [
            world.store.chats.add_member(chat_id, gleb, boris, "member", START),
            world.store.moderation.ban(chat_id, anna, boris, None, START),
            world.store.chats.add_member(chat_id, anna, boris, "member", START),
        ]
        await asyncio.gather(*(calls if turn % 2 else reversed(calls)), return_exceptions=True)
        assert not await world.store.chats.has_member(chat_id, boris)
        await world.store.moderation.unban(chat_id, anna, boris, START)
    kinds = {type(change) for change in world.published}
    assert {MemberAdded, UserBanned, UserUnbanned} <= kinds
    assert MemberRemoved not in kinds


@pytest.mark.parametrize("way", ["an invite", "a public chat"])
async def test_banning_while_they_come_by_themselves(world: World, way: str) -> None:
    """Whatever comes first, a banned user is never a member, and nobody is told that they came after the ban."""
    anna, boris = await world.users(2)
    chat_id, invites = await world.chat(anna), world.store.invites
    await world.store.chats.change(chat_id, anna, START, is_public=True)
    made = Invite("a" * 22, chat_id, anna, START, None, 0)
    await invites.create(made)
    came = 0
    for turn in range(10):

        def come() -> Awaitable[object]:
            if way == "an invite":
                return invites.accept(made.code, boris, START)
            return world.store.chats.join(chat_id, boris, START)

        ban = world.store.moderation.ban(chat_id, anna, boris, None, START)
        calls = [come(), ban, come()] if turn % 2 else [ban, come(), come()]
        world.published.clear()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert all(not isinstance(one, Exception) or isinstance(one, Forbidden) for one in results)
        assert not await world.store.chats.has_member(chat_id, boris)
        told = [type(one) for one in world.published if isinstance(one, MemberAdded | UserBanned)]
        assert told in ([UserBanned], [MemberAdded, UserBanned])
        came += len(told) - 1
        await world.store.moderation.unban(chat_id, anna, boris, START)
    found = await invites.find(made.code, START)
    assert found is not None
    assert found.invite.uses == (came if way == "an invite" else 0)


@pytest.mark.parametrize("reopened", [False, True])
async def test_slow_mode(place: Place, reopened: bool) -> None:
    store = await place.open()
    world = World(store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await world.send(chat_id, boris, created_at=at(0))
    chat = await store.chats.change(chat_id, anna, at(1), slow_mode_s=60)
    assert chat.slow_mode_s == 60
    first, second = await asyncio.gather(
        world.send(chat_id, boris, client_id="one", created_at=at(2)),
        world.send(chat_id, boris, created_at=at(3)),
        return_exceptions=True,
    )
    assert isinstance(first, Message)
    assert isinstance(second, TooSoon)
    assert second.wait_ms == 59_000
    if reopened:
        await store.close()
        store = await place.open()
        world = World(store)
    with pytest.raises(TooSoon):
        await world.send(chat_id, boris, created_at=at(61))
    assert await world.send(chat_id, boris, client_id="one", created_at=at(4)) == first
    for _ in range(2):
        await world.send(chat_id, anna, created_at=at(5))
    await world.send(chat_id, boris, created_at=at(62))
    await store.chats.remove_member(chat_id, boris, boris, at(63))
    await store.chats.add_member(chat_id, anna, boris, "member", at(64))
    with pytest.raises(TooSoon):
        await world.send(chat_id, boris, created_at=at(65))
    await store.chats.change(chat_id, anna, at(66), slow_mode_s=0)
    for _ in range(2):
        await world.send(chat_id, boris, created_at=at(67))
    await store.close()
