"""Who owns a chat when accounts are banned or deleted."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from domain.changes import ChatDeleted, MemberRemoved, RoleChanged, UserChanged
from domain.models import Member, Role
from domain.refusals import Forbidden, LastOwner, NotFound, UnknownUsers
from storage.mongo import chat_writes
from storage.sqlite import heirs as sqlite_heirs
from tests.storage.world import START, World, at

pytestmark = pytest.mark.long_on_mongo


async def roles(world: World, chat_id: int) -> dict[int, Role]:
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert state.chat.member_count == len(state.members)
    return {user_id: member.role for user_id, member in state.members.items()}


async def joins(world: World, chat_id: int, owner: int, *user_ids: int, role: Role = "member") -> None:
    """One after the other."""
    for number, user_id in enumerate(user_ids, start=1):
        await world.store.chats.add_member(chat_id, owner, user_id, role, at(number))


async def ban(world: World, *user_ids: int) -> None:
    for user_id in user_ids:
        await world.store.users.set_banned(user_id, True)


async def leave(world: World, chat_id: int, user_id: int) -> None:
    await world.store.chats.remove_member(chat_id, user_id, user_id, START)


def changes_of(world: World, kind: type) -> list[object]:
    return [change for change in world.published if isinstance(change, kind)]


async def test_banned_and_deleted_users_and_bots_are_passed_over_by_those_who_inherit(world: World) -> None:
    anna, banned, deleted, admin, member = await world.users(5)
    bot = await world.user("bot", is_bot=True)
    chat_id = await world.chat(anna)
    await joins(world, chat_id, anna, banned, deleted, bot, admin, role="admin")
    await joins(world, chat_id, anna, member)
    await ban(world, banned)
    await world.store.users.delete(deleted)
    await leave(world, chat_id, anna)
    assert world.published[-1] == MemberRemoved(chat_id, anna, Member(admin, "owner", at(4)))
    await leave(world, chat_id, admin)
    assert world.published[-1] == MemberRemoved(chat_id, admin, Member(member, "owner", at(1)))
    assert await roles(world, chat_id) == {banned: "admin", deleted: "admin", bot: "admin", member: "owner"}


@pytest.mark.parametrize("last", ["owner", "member"])
async def test_a_chat_goes_with_the_last_who_could_inherit(world: World, last: str) -> None:
    anna, boris, banned, deleted = await world.users(4)
    bot = await world.user("bot", is_bot=True)
    chat_id = await world.chat(anna, boris, banned, deleted, bot)
    await ban(world, banned)
    await world.store.users.delete(deleted)
    first, second = (boris, anna) if last == "owner" else (anna, boris)
    if last == "member":
        await world.store.chats.set_role(chat_id, anna, bot, "owner", START)
    await leave(world, chat_id, first)
    assert (await roles(world, chat_id))[second] == ("owner" if last == "owner" else "member")
    await leave(world, chat_id, second)
    assert world.published[-1] == ChatDeleted(chat_id, sorted([second, banned, deleted, bot]))
    assert await world.store.chats.load(chat_id) is None


async def test_owners_who_are_not_active_do_not_count(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat_id = await world.chat(anna, boris, vera)
    await world.store.chats.set_role(chat_id, anna, boris, "owner", START)
    await ban(world, boris)
    assert await roles(world, chat_id) == {anna: "owner", boris: "owner", vera: "member"}
    with pytest.raises(LastOwner):
        await world.store.chats.set_role(chat_id, anna, anna, "admin", START)
    await world.store.chats.set_role(chat_id, anna, boris, "member", START)
    await world.store.chats.set_role(chat_id, anna, boris, "owner", START)
    await leave(world, chat_id, anna)
    assert await roles(world, chat_id) == {boris: "owner", vera: "owner"}
    await world.store.users.set_banned(boris, False)
    await leave(world, chat_id, vera)
    assert world.published[-1] == MemberRemoved(chat_id, vera, None)
    assert await roles(world, chat_id) == {boris: "owner"}


async def test_a_bot_counts_as_an_owner(world: World) -> None:
    anna, boris = await world.users(2)
    bot = await world.user("bot", is_bot=True)
    chat_id = await world.chat(anna, boris, bot)
    await world.store.chats.set_role(chat_id, anna, bot, "owner", START)
    await ban(world, anna)
    assert await roles(world, chat_id) == {anna: "owner", boris: "member", bot: "owner"}
    await ban(world, bot)
    assert await roles(world, chat_id) == {anna: "owner", boris: "owner", bot: "member"}


@pytest.mark.parametrize("end", ["ban", "delete"])
@pytest.mark.parametrize("chat_type", ["group", "channel"])
async def test_the_role_passes_on_with_the_account_of_the_last_owner(
    world: World, chat_type: str, end: str
) -> None:
    anna, boris, vera, gleb = await world.users(4)
    chat_id = await world.chat(anna, chat_type=chat_type)
    await joins(world, chat_id, anna, boris)
    await joins(world, chat_id, anna, vera, gleb, role="admin")
    last = await world.send(chat_id, anna)
    await world.store.messages.mark_read(chat_id, vera, last.id)
    world.published.clear()
    if end == "ban":
        user = await world.store.users.set_banned(anna, True)
    else:
        user = await world.store.users.delete(anna)
    former = Member(anna, "member", START)
    heir = Member(vera, "owner", at(1), read_seq=1, last_read_message_id=last.id)
    assert world.published == [UserChanged(user), RoleChanged(chat_id, former, heir)]
    assert await roles(world, chat_id) == {anna: "member", boris: "member", vera: "owner", gleb: "admin"}
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert (state.members[vera], state.members[anna]) == (heir, former)
    # What the heir may do counts at once, and that the former owner may no longer.
    await world.store.chats.set_role(chat_id, vera, boris, "admin", START)
    with pytest.raises(Forbidden):
        await world.store.chats.change(chat_id, anna, START, name="Mine")


async def test_an_unban_gives_nothing_back(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await ban(world, anna)
    await world.store.users.set_banned(anna, False)
    assert await roles(world, chat_id) == {anna: "member", boris: "owner"}


async def test_where_nobody_is_there_to_inherit_nothing_passes_and_an_unban_takes_nothing(
    world: World,
) -> None:
    anna, boris = await world.users(2)
    bot = await world.user("bot", is_bot=True)
    alone, chat_id = await world.chat(anna), await world.chat(anna, boris, bot)
    await ban(world, boris, anna)
    assert changes_of(world, RoleChanged) == []
    assert await roles(world, alone) == {anna: "owner"}
    for unbanned in (boris, anna):
        assert await roles(world, chat_id) == {anna: "owner", boris: "member", bot: "member"}
        await world.store.users.set_banned(unbanned, False)
    assert await roles(world, chat_id) == {anna: "owner", boris: "member", bot: "member"}
    assert changes_of(world, RoleChanged) == changes_of(world, ChatDeleted) == []
    await world.store.chats.change(alone, anna, START, name="Mine")


async def test_a_ban_that_is_repeated_passes_on_what_could_not_pass_before(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await ban(world, boris, anna)
    await world.store.users.set_banned(boris, False)
    world.published.clear()
    await ban(world, anna)
    passed_on = [RoleChanged(chat_id, Member(anna, "member", START), Member(boris, "owner", START))]
    assert changes_of(world, RoleChanged) == passed_on
    await ban(world, anna)
    assert changes_of(world, RoleChanged) == passed_on


async def test_a_user_whose_chats_will_be_left_next_may_be_banned_without_passing_on(
    world: World,
) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await world.store.users.set_banned(anna, True, pass_on=False)
    assert await roles(world, chat_id) == {anna: "owner", boris: "member"}
    await leave(world, chat_id, anna)
    assert changes_of(world, RoleChanged) == []
    assert world.published[-1] == MemberRemoved(chat_id, anna, Member(boris, "owner", START))


async def test_only_an_owner_who_was_the_last_loses_the_role(world: World) -> None:
    anna, boris, vera = await world.users(3)
    shared, plain = await world.chat(anna, boris, vera), await world.chat(boris, anna)
    await world.store.chats.set_role(shared, anna, boris, "owner", START)
    await ban(world, anna)
    assert changes_of(world, RoleChanged)[1:] == []
    await ban(world, boris)
    assert await roles(world, shared) == {anna: "owner", boris: "member", vera: "owner"}
    assert await roles(world, plain) == {boris: "owner", anna: "member"}
    await world.store.users.set_banned(anna, False)
    assert await roles(world, shared) == {anna: "owner", boris: "member", vera: "owner"}


async def test_private_chats_keep_their_members_as_they_are(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris, chat_type="private", name=None)
    await ban(world, anna)
    assert await roles(world, chat_id) == {anna: "owner", boris: "member"}
    await world.store.users.delete(anna)
    assert await roles(world, chat_id) == {anna: "owner", boris: "member"}


async def test_many_chats_pass_on_in_one_ban(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_heirs, "AT_ONCE", 3)
    monkeypatch.setattr(chat_writes, "PASSED_ON_AT_ONCE", 3)
    anna, boris, vera = await world.users(3)
    owned = [await world.chat(anna, heir) for heir in (boris, vera) * 10]
    others = [await world.chat(boris, anna), await world.chat(anna)]
    await ban(world, anna)
    published = changes_of(world, RoleChanged)
    assert [change.chat_id for change in published if isinstance(change, RoleChanged)] == owned
    for number, chat_id in enumerate(owned):
        assert await roles(world, chat_id) == {anna: "member", (boris, vera)[number % 2]: "owner"}
    assert await roles(world, others[0]) == {boris: "owner", anna: "member"}
    assert await roles(world, others[1]) == {anna: "owner"}


async def test_a_banned_user_creates_no_chat_and_adds_nobody(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna)
    await ban(world, anna)
    with pytest.raises(UnknownUsers) as unknown:
        await world.chat(anna, boris)
    assert unknown.value.user_ids == [anna]
    with pytest.raises(NotFound):
        await world.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    assert await roles(world, chat_id) == {anna: "owner"}
    other = await world.chat(boris, anna)  # but may be added
    assert await roles(world, other) == {boris: "owner", anna: "member"}


async def check_owned(world: World, chat_id: int) -> None:
    """Among the members there is an active owner, if any of them is active; else the chat may be gone."""
    state = await world.store.chats.load(chat_id)
    if state is None:
        return
    users = await world.store.users.get_many(state.members.keys())
    active = {user.id for user in users.values() if not user.banned and not user.deleted}
    owners = {user_id for user_id, member in state.members.items() if member.role == "owner"}
    assert owners
    assert not active or active & owners


def takes_an_owner(world: World, chat_id: int, user_id: int, script: random.Random) -> Awaitable[object]:
    """One of the ways for an owner to go."""
    ways: list[Callable[[], Awaitable[object]]] = [
        lambda: world.store.users.set_banned(user_id, True),
        lambda: world.store.users.delete(user_id),
        lambda: leave(world, chat_id, user_id),
        lambda: world.store.chats.set_role(chat_id, user_id, user_id, "member", START),
    ]
    return script.choice(ways)()


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 6))]
)
async def test_bans_and_leaves_at_once_leave_no_chat_to_nobody(world: World, seed: int) -> None:
    """Two owners, an admin and a member; all that can take an owner away happens in one moment."""
    script = random.Random(seed)
    for _ in range(6):
        people = await world.users(4)
        first, second, admin, member = people
        chat_id = await world.chat(*people)
        await world.store.chats.set_role(chat_id, first, second, "owner", START)
        await world.store.chats.set_role(chat_id, first, admin, "admin", START)
        deeds = [world.store.users.set_banned(first, True), takes_an_owner(world, chat_id, second, script)]
        if script.random() < 0.5:
            deeds.append(world.store.users.set_banned(admin, True))
        script.shuffle(deeds)
        results = await asyncio.gather(*deeds, return_exceptions=True)
        assert all(not isinstance(result, Exception) or isinstance(result, LastOwner) for result in results)
        await check_owned(world, chat_id)
        assert (await roles(world, chat_id))[member] in ("member", "owner")


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 3))])
async def test_a_chat_made_or_joined_in_the_moment_of_the_ban_is_not_left_to_nobody(
    world: World, seed: int
) -> None:
    script = random.Random(seed)
    for _ in range(6):
        anna, boris = await world.users(2)
        alone = await world.chat(anna)
        deeds = [
            world.chat(anna, boris),
            world.store.chats.add_member(alone, anna, boris, "member", at(1)),
            world.store.users.set_banned(anna, True),
        ]
        script.shuffle(deeds)
        made, *_ = [
            result
            for result in await asyncio.gather(*deeds, return_exceptions=True)
            if isinstance(result, int)
        ] or [alone]
        await check_owned(world, made)
        await check_owned(world, alone)
