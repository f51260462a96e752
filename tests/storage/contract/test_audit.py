"""The audit of a chat: written with each change, read newest first."""

import asyncio

import pytest

from domain.acts import AccountUpdate, Act
from domain.audit import AuditEntry
from domain.refusals import BadReference
from tests.patience import within
from tests.storage.world import START, World, at

pytestmark = pytest.mark.long_on_mongo


async def entries(world: World, chat_id: int | None) -> list[AuditEntry]:
    """All of them, the oldest first, read in pages of two; each id is above the one before."""
    found: list[AuditEntry] = []
    cursor: str | None = None
    while True:
        page, cursor = await world.store.audit.page(chat_id, cursor=cursor, limit=2)
        found += page
        if cursor is None:
            break
        assert len(page) == 2
    ids = [entry.id for entry in found]
    assert ids == sorted(set(ids), reverse=True)
    return found[::-1]


async def told(world: World, chat_id: int) -> list[tuple[object, ...]]:
    """What the entries say, without ids."""
    return [
        (entry.action, entry.actor_id, entry.user_id, entry.detail, entry.at)
        for entry in await entries(world, chat_id)
    ]


async def test_members_who_come_go_and_get_roles(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chats = world.store.chats
    chat_id, other = await world.chat(anna, boris), await world.chat(anna, boris)
    assert await entries(world, chat_id) == []
    await chats.add_member(chat_id, anna, vera, "admin", at(1))
    await chats.set_role(chat_id, anna, boris, "admin", at(2))
    await chats.set_role(chat_id, anna, boris, "admin", at(3))  # changes nothing
    await chats.remove_member(chat_id, anna, boris, at(4))
    await chats.remove_member(chat_id, anna, anna, at(5))
    assert await told(world, chat_id) == [
        ("member_added", anna, vera, "admin", at(1)),
        ("role_changed", anna, boris, "admin", at(2)),
        ("member_removed", anna, boris, None, at(4)),
        ("member_left", anna, anna, None, at(5)),
        ("role_changed", None, vera, "owner", at(5)),
    ]
    assert await entries(world, other) == []


async def test_a_deleted_message_of_another(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    own, theirs = await world.send(chat_id, anna), await world.send(chat_id, boris)
    await world.store.messages.delete(own.id, anna, at(1))
    await world.store.messages.delete(theirs.id, anna, at(2))
    (entry,) = await entries(world, chat_id)
    assert entry == AuditEntry(entry.id, at(2), anna, "message_deleted", boris, theirs.id)


async def test_ownership_that_passes_on_by_itself(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await world.store.users.set_banned(anna, True)
    assert [entry[:4] for entry in await told(world, chat_id)] == [
        ("role_changed", None, anna, "member"),
        ("role_changed", None, boris, "owner"),
    ]


@pytest.mark.parametrize("update", [AccountUpdate(banned=True), AccountUpdate(deleted=True)])
async def test_ownership_passes_on_at_the_time_of_the_act(world: World, update: AccountUpdate) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await world.store.users.update(anna, update, Act(None, at(5)))
    assert {entry.at for entry in await entries(world, chat_id)} == {at(5)}


@pytest.mark.parametrize("cursor", ["", "x", "MTIz", "1"])
async def test_a_cursor_that_was_not_given_out(world: World, cursor: str) -> None:
    with pytest.raises(BadReference, match="cursor"):
        await world.store.audit.page(None, cursor=cursor, limit=10)


async def test_a_deleted_chat_loses_its_audit_with_its_messages(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id, kept = await world.chat(anna, boris), await world.chat(anna, boris)
    for one in (chat_id, kept):
        await world.store.chats.remove_member(one, anna, boris, START)
    await world.store.chats.delete(chat_id, anna)
    async with within(10):
        while await entries(world, chat_id):
            await asyncio.sleep(0.01)
    assert await entries(world, kept)
