"""Bans, mutes, slow mode and the audit where two nodes share the store."""

import asyncio

import pytest

from domain.models import Message
from domain.refusals import Forbidden, NotFound, TooSoon
from storage.mongo import MongoStore
from tests.storage.conftest import MongoPlace
from tests.storage.contract.test_audit import told
from tests.storage.world import START, World, at


async def test_slow_mode_lets_one_through_on_two_nodes(
    mongo_place: MongoPlace, mongo_store: MongoStore
) -> None:
    here, there = World(mongo_store), World(await mongo_place.open())
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    await there.send(chat_id, boris)  # the chat is in the memory of both
    await here.store.chats.change(chat_id, anna, START, slow_mode_s=10)
    for turn in range(5):
        sends = (world.send(chat_id, boris, created_at=at(20 * turn)) for world in (here, there) * 3)
        results = await asyncio.gather(*sends, return_exceptions=True)
        assert sum(isinstance(one, Message) for one in results) == 1
        assert sum(isinstance(one, TooSoon) for one in results) == 5
    await there.store.close()


async def test_what_one_node_decides_holds_at_the_other(
    mongo_place: MongoPlace, mongo_store: MongoStore
) -> None:
    here, there = World(mongo_store), World(await mongo_place.open())
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    await there.send(chat_id, boris)
    await here.store.moderation.mute(chat_id, anna, boris, at(9), START)
    with pytest.raises(Forbidden, match="muted"):
        await there.send(chat_id, boris)
    await here.store.moderation.ban(chat_id, anna, boris, None, at(1))
    with pytest.raises(NotFound):
        await there.send(chat_id, boris)
    with pytest.raises(Forbidden, match="banned"):
        await there.store.chats.add_member(chat_id, anna, boris, "member", at(2))
    await there.store.moderation.unban(chat_id, anna, boris, at(3))
    member = await here.store.chats.add_member(chat_id, anna, boris, "member", at(4))
    assert member.muted_until == at(9)
    actions = ["muted", "banned", "unbanned", "member_added"]
    for world in (here, there):
        assert [entry[0] for entry in await told(world, chat_id)] == actions
    await there.store.close()
