"""Blocks, and what they do in the private chat of the two."""

import asyncio

import pytest

from domain.decisions import blocks
from domain.private_chats import MemberBlocked
from domain.refusals import Forbidden, NotFound, TooMany
from tests.storage.conftest import Place
from tests.storage.world import START, World, at

pytestmark = pytest.mark.long_on_mongo


async def blocked_in(world: World, chat_id: int) -> list[int]:
    """The members whom the other one has blocked, by what the chat says."""
    state = await world.store.chats.load(chat_id)
    assert state is not None
    return [user_id for user_id, member in state.members.items() if member.blocked]


async def blocked_by(world: World, user_id: int) -> list[int]:
    return list(await world.store.blocks.blocked_by(user_id, after_id=0, limit=10))


async def test_who_is_blocked_does_not_write_and_the_blocker_does(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris, chat_type="private")
    await world.send(chat_id, anna)
    mine = await world.send(chat_id, boris, client_id="one")
    await world.store.blocks.block(anna, boris, START)
    await world.store.blocks.block(anna, boris, at(1))
    assert await blocked_in(world, chat_id) == [boris]
    with pytest.raises(Forbidden):
        await world.send(chat_id, boris)
    with pytest.raises(Forbidden):
        await world.store.messages.edit(mine.id, boris, "new", at(1))
    assert await world.send(chat_id, boris, "again", client_id="one") == mine
    assert (await world.send(chat_id, anna)).seq == 3
    assert (await world.store.messages.delete(mine.id, boris, at(2))).deleted
    await world.store.blocks.unblock(anna, boris)
    await world.store.blocks.unblock(anna, boris)
    assert (await world.send(chat_id, boris)).seq == 5
    assert [change for change in world.published if isinstance(change, MemberBlocked)] == [
        MemberBlocked(chat_id, boris, True),
        MemberBlocked(chat_id, boris, False),
    ]


async def test_the_chat_of_the_blocker_begins_with_the_block(world: World) -> None:
    anna, boris = await world.users(2)
    await world.store.blocks.block(anna, boris, START)
    with pytest.raises(Forbidden):
        await world.chat(boris, anna, chat_type="private")
    chat_id = await world.chat(anna, boris, chat_type="private")
    assert await blocked_in(world, chat_id) == [boris]
    assert not [change for change in world.published if isinstance(change, MemberBlocked)]
    await world.send(chat_id, anna)
    with pytest.raises(Forbidden):
        await world.send(chat_id, boris)


async def test_both_block_each_other(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris, chat_type="private")
    await asyncio.gather(
        world.store.blocks.block(anna, boris, START), world.store.blocks.block(boris, anna, START)
    )
    assert sorted(await blocked_in(world, chat_id)) == [anna, boris]
    await world.store.blocks.unblock(boris, anna)
    assert await blocked_in(world, chat_id) == [boris]


async def test_who_is_blocked_does_not_add_the_blocker_to_a_chat(world: World) -> None:
    anna, boris, vera = await world.users(3)
    group = await world.chat(boris, vera)
    await world.store.chats.set_role(group, boris, vera, "admin", at(1))
    await world.store.blocks.block(anna, boris, START)
    with pytest.raises(Forbidden):
        await world.store.chats.add_member(group, boris, anna, "member", START)
    with pytest.raises(Forbidden):
        await world.chat(boris, vera, anna)
    await world.store.chats.add_member(group, vera, anna, "member", START)
    await world.send(group, boris)  # a block counts in the private chat of the two alone


async def test_whom_a_user_has_blocked_comes_in_pages(world: World, place: Place) -> None:
    anna, *others = await world.users(5)
    for other in others:
        await world.store.blocks.block(anna, other, START)
    await world.store.blocks.block(others[0], others[1], START)
    await world.store.blocks.unblock(anna, others[2])
    left = [others[0], others[1], others[3]]
    assert await blocked_by(world, anna) == left
    assert list(await world.store.blocks.blocked_by(anna, after_id=left[0], limit=1)) == left[1:2]
    assert await blocked_by(world, others[0]) == [others[1]]
    assert await blocked_by(world, others[1]) == []


async def test_whom_nobody_can_block(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCKS_MAX", 2)
    anna, boris, vera, gleb, gone, banned = await world.users(6)
    await world.store.users.delete(gone)
    await world.store.users.set_banned(banned, True)
    for nobody in (gone, 999):
        with pytest.raises(NotFound):
            await world.store.blocks.block(anna, nobody, START)
    await world.store.blocks.block(anna, banned, START)
    await world.store.blocks.block(anna, boris, START)
    with pytest.raises(TooMany):
        await world.store.blocks.block(anna, vera, START)
    await world.store.blocks.block(anna, boris, START)
    await world.store.blocks.unblock(anna, boris)
    await world.store.blocks.block(anna, gleb, START)
    await world.store.blocks.unblock(anna, 999)
    assert await blocked_by(world, anna) == [gleb, banned]


async def test_a_block_and_a_new_chat_at_once(world: World) -> None:
    """Whichever is first, the chat says what the block says."""
    for number in range(5):
        anna, boris = await world.users(2)
        pair = (anna, boris) if number % 2 else (boris, anna)
        made, _ = await asyncio.gather(
            world.make_chat(*pair, chat_type="private"),
            world.store.blocks.block(anna, boris, START),
            return_exceptions=True,
        )
        if isinstance(made, Forbidden):
            continue
        assert not isinstance(made, BaseException)
        assert await blocked_in(world, made[0].id) == [boris]


async def test_blocks_and_what_they_do_stay(place: Place) -> None:
    store = await place.open()
    world = World(store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris, chat_type="private")
    await world.send(chat_id, anna)
    await store.blocks.block(anna, boris, START)
    await store.close()
    store = await place.open()
    world = World(store)
    assert await blocked_in(world, chat_id) == [boris]
    assert await blocked_by(world, anna) == [boris]
    with pytest.raises(Forbidden):
        await world.send(chat_id, boris)
    await store.close()
