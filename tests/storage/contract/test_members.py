import asyncio
import random

import pytest

from domain.changes import ChatDeleted, MemberAdded, MemberRemoved, RoleChanged
from domain.models import Member, Role
from domain.refusals import Duplicate, Forbidden, LastOwner, NotFound, UnknownUsers
from tests.storage.world import START, World, at


async def members(world: World, chat_id: int) -> dict[int, Role]:
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert state.chat.member_count == len(state.members)
    return {user_id: member.role for user_id, member in state.members.items()}


async def test_a_new_members_mark_stands_at_the_newest_message(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat_id = await world.chat(anna)
    assert await world.store.chats.add_member(chat_id, anna, vera, "admin", at(1)) == Member(
        vera, "admin", at(1)
    )
    last = [await world.send(chat_id, anna) for _ in range(3)][-1]
    member = await world.store.chats.add_member(chat_id, anna, boris, "member", at(2))
    assert member == Member(boris, "member", at(2), read_seq=3, last_read_message_id=last.id)
    assert world.published[-1] == MemberAdded(chat_id, member)
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert state.members[boris] == member
    assert (await world.store.chats.summary(chat_id, boris)).unread_count == 0
    await world.send(chat_id, anna)
    assert (await world.store.chats.summary(chat_id, boris)).unread_count == 1


async def test_adding_in_one_turn_with_sends(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna)
    sends = [asyncio.ensure_future(world.send(chat_id, anna)) for _ in range(5)]
    await asyncio.sleep(0)
    member = await world.store.chats.add_member(chat_id, anna, boris, "member", at(1))
    assert member.last_read_message_id == (await sends[-1]).id
    assert member.read_seq == 5


async def test_what_adding_checks(world: World) -> None:
    anna, boris, stranger = await world.users(3)
    chat_id = await world.chat(anna, boris)
    published_before = len(world.published)
    add = world.store.chats.add_member
    with pytest.raises(NotFound):
        await add(999, anna, stranger, "member", START)
    with pytest.raises(NotFound):
        await add(chat_id, stranger, stranger, "member", START)
    with pytest.raises(Forbidden):
        await add(chat_id, boris, 999, "member", START)
    with pytest.raises(UnknownUsers) as unknown:
        await add(chat_id, anna, 999, "member", START)
    with pytest.raises(Duplicate) as duplicate:
        await add(chat_id, anna, boris, "admin", START)
    assert unknown.value.user_ids == [999]
    assert duplicate.value.field == "user_id"
    assert len(world.published) == published_before
    assert await members(world, chat_id) == {anna: "owner", boris: "member"}


async def test_one_of_many_at_once_adds_the_member(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna)
    results = await asyncio.gather(
        *(world.store.chats.add_member(chat_id, anna, boris, "member", START) for _ in range(50)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Member) for result in results) == 1
    assert sum(isinstance(result, Duplicate) for result in results) == 49
    assert await members(world, chat_id) == {anna: "owner", boris: "member"}


async def test_roles(world: World) -> None:
    anna, boris, stranger = await world.users(3)
    chat_id = await world.chat(anna, boris)
    member = await world.store.chats.set_role(chat_id, anna, boris, "admin", START)
    assert member == Member(boris, "admin", START)
    assert world.published[-1] == RoleChanged(chat_id, member)
    published_before = len(world.published)
    assert await world.store.chats.set_role(chat_id, anna, boris, "admin", START) == member
    for call in (
        world.store.chats.set_role(chat_id, boris, stranger, "admin", START),
        world.store.chats.set_role(chat_id, stranger, anna, "admin", START),
        world.store.chats.set_role(999, anna, boris, "admin", START),
    ):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(Forbidden):
        await world.store.chats.set_role(chat_id, boris, boris, "admin", START)
    assert len(world.published) == published_before
    assert await members(world, chat_id) == {anna: "owner", boris: "admin"}


async def test_the_last_owner_stays_one(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    with pytest.raises(LastOwner):
        await world.store.chats.set_role(chat_id, anna, anna, "member", START)
    await world.store.chats.set_role(chat_id, anna, boris, "owner", START)
    await world.store.chats.set_role(chat_id, anna, anna, "member", START)
    with pytest.raises(LastOwner):
        await world.store.chats.set_role(chat_id, boris, boris, "admin", START)
    assert await members(world, chat_id) == {anna: "member", boris: "owner"}


async def test_two_owners_give_up_at_once(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await world.store.chats.set_role(chat_id, anna, boris, "owner", START)
    results = await asyncio.gather(
        world.store.chats.set_role(chat_id, anna, anna, "member", START),
        world.store.chats.set_role(chat_id, boris, boris, "member", START),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [Member, LastOwner]


async def test_permissions_are_those_of_the_role_of_the_moment(world: World) -> None:
    """A demotion queued before another write counts for that write."""
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris, chat_type="channel")
    await world.store.chats.set_role(chat_id, anna, boris, "admin", START)
    await world.send(chat_id, boris)

    results = await asyncio.gather(
        world.store.chats.set_role(chat_id, anna, boris, "member", START),
        world.store.chats.change(chat_id, boris, START, name="Mine"),
        world.store.chats.set_role(chat_id, anna, boris, "admin", START),
        world.store.chats.change(chat_id, boris, START, name="Mine"),
        world.store.chats.remove_member(chat_id, anna, boris, START),
        world.store.chats.change(chat_id, boris, START, name="Mine"),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] == [
        "Member",
        "Forbidden",
        "Member",
        "Chat",
        "NoneType",
        "NotFound",
    ]


async def test_removing(world: World) -> None:
    anna, boris, vera, stranger = await world.users(4)
    chat_id = await world.chat(anna, boris, vera)
    await world.store.chats.remove_member(chat_id, anna, boris, START)
    assert world.published[-1] == MemberRemoved(chat_id, boris)
    published_before = len(world.published)
    for call in (
        world.store.chats.remove_member(chat_id, vera, boris, START),
        world.store.chats.remove_member(chat_id, boris, anna, START),
        world.store.chats.remove_member(chat_id, stranger, stranger, START),
        world.store.chats.remove_member(999, anna, anna, START),
    ):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(Forbidden):
        await world.store.chats.remove_member(chat_id, vera, anna, START)
    assert len(world.published) == published_before
    assert await members(world, chat_id) == {anna: "owner", vera: "member"}
    with pytest.raises(NotFound):
        await world.send(chat_id, boris)


async def test_the_oldest_admin_inherits(world: World) -> None:
    anna, boris, vera, gleb = await world.users(4)
    chat_id = await world.chat(anna, boris)
    await world.store.chats.add_member(chat_id, anna, gleb, "admin", at(1))
    await world.store.chats.add_member(chat_id, anna, vera, "admin", at(1))
    await world.store.chats.remove_member(chat_id, anna, anna, START)
    heir = Member(vera, "owner", at(1))
    assert world.published[-1] == MemberRemoved(chat_id, anna, heir)
    assert await members(world, chat_id) == {boris: "member", vera: "owner", gleb: "admin"}


async def test_else_the_oldest_member_inherits(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat_id = await world.chat(anna)
    await world.store.chats.add_member(chat_id, anna, boris, "member", at(2))
    await world.store.chats.add_member(chat_id, anna, vera, "member", at(1))
    await world.store.chats.remove_member(chat_id, anna, anna, START)
    assert await members(world, chat_id) == {boris: "member", vera: "owner"}
    await world.store.chats.set_role(chat_id, vera, boris, "admin", START)  # as only an owner may


async def test_nobody_inherits_from_one_of_two_owners(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat_id = await world.chat(anna, boris, vera)
    await world.store.chats.set_role(chat_id, anna, vera, "owner", START)
    await world.store.chats.remove_member(chat_id, anna, anna, START)
    assert world.published[-1] == MemberRemoved(chat_id, anna, None)
    assert await members(world, chat_id) == {boris: "member", vera: "owner"}


async def test_with_the_last_member_goes_the_chat(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna)
    published_before = len(world.published)
    await world.store.chats.remove_member(chat_id, anna, anna, START)
    assert world.published[published_before:] == [ChatDeleted(chat_id, [anna])]
    assert await world.store.chats.load(chat_id) is None
    assert await world.store.messages.get(message.id) is None


@pytest.mark.long_on_mongo
async def test_everybody_leaves_at_once(world: World) -> None:
    users = await world.users(40)
    chat_id = await world.chat(*users)
    order = random.Random(7).sample(users, len(users))
    await asyncio.gather(*(world.store.chats.remove_member(chat_id, user, user, START) for user in order))
    assert await world.store.chats.load(chat_id) is None
    removed = [change for change in world.published if isinstance(change, MemberRemoved)]
    assert len(removed) == 39
    assert world.published[-1] == ChatDeleted(chat_id, [order[-1]])


@pytest.mark.long_on_mongo
async def test_coming_and_going_while_others_write(world: World) -> None:
    """A send of a user who is no member any more when its turn comes is refused."""
    # A database server takes about forty times as long as a file.
    people, rounds = (10, 4) if world.store.shared else (20, 10)
    anna, *others = await world.users(people)
    chat_id = await world.chat(anna)
    script = random.Random(11)

    async def one(user_id: int) -> None:
        for _ in range(rounds):
            await world.store.chats.add_member(chat_id, anna, user_id, "member", at(1))
            sends = [world.send(chat_id, user_id) for _ in range(script.randrange(4))]
            leave = world.store.chats.remove_member(chat_id, user_id, user_id, START)
            results = await asyncio.gather(
                *sends, leave, world.send(chat_id, user_id), return_exceptions=True
            )
            assert isinstance(results[-1], NotFound)
            assert not any(isinstance(result, Exception) for result in results[:-1])

    await asyncio.gather(*map(one, others))
    assert await members(world, chat_id) == {anna: "owner"}
    await world.check_published(chat_id)


async def test_who_is_in_a_chat(world: World) -> None:
    anna, boris, carl = await world.users(3)
    chat_id = await world.chat(anna, boris)
    has_member = world.store.chats.has_member
    assert [await has_member(chat_id, one) for one in (anna, boris, carl)] == [True, True, False]
    await world.store.chats.remove_member(chat_id, anna, boris, START)
    assert [await has_member(chat_id, one) for one in (anna, boris)] == [True, False]
    await world.store.chats.delete(chat_id, anna)
    assert not await has_member(chat_id, anna)
    assert not await has_member(chat_id + 1, anna)
