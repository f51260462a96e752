"""Members in pages, and who shares small chats with a user."""

import pytest

from domain.models import Member, Role
from domain.refusals import BadReference
from storage.ports import Store
from tests.storage.world import START, World, at

pytestmark = pytest.mark.long_on_mongo


async def pages(store: Store, chat_id: int, limit: int) -> list[list[int]]:
    found: list[list[int]] = []
    cursor: str | None = None
    while True:
        page, cursor = await store.chats.members(chat_id, cursor=cursor, limit=limit)
        found.append([member.user_id for member in page])
        if cursor is None:
            return found


async def test_members_come_in_the_order_in_which_they_joined(world: World) -> None:
    users = await world.users(7)
    chat_id = await world.chat(*users[:3])
    roles: list[tuple[Role, float]] = [("member", 3), ("admin", 1), ("member", 2), ("admin", 2)]
    for user_id, (role, joined_s) in zip(users[3:], roles, strict=True):
        await world.store.chats.add_member(chat_id, users[0], user_id, role, at(joined_s))
    await world.chat(*users)
    order = [*users[:3], users[4], users[5], users[6], users[3]]
    assert await pages(world.store, chat_id, 7) == [order]
    assert await pages(world.store, chat_id, 3) == [order[:3], order[3:6], order[6:]]
    assert await pages(world.store, chat_id, 1) == [[user_id] for user_id in order]


async def test_members_that_come_and_go_between_pages(world: World) -> None:
    users = await world.users(6)
    chat_id = await world.chat(*users[:5])
    first, cursor = await world.store.chats.members(chat_id, cursor=None, limit=2)
    await world.store.chats.remove_member(chat_id, users[0], users[1], START)
    await world.store.chats.remove_member(chat_id, users[0], users[3], START)
    await world.store.chats.add_member(chat_id, users[0], users[5], "owner", at(1))
    rest, cursor = await world.store.chats.members(chat_id, cursor=cursor, limit=9)
    assert [member.user_id for member in (*first, *rest)] == [
        users[0],
        users[1],
        users[2],
        users[4],
        users[5],
    ]
    assert cursor is None


async def test_a_page_has_members_as_they_are(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    message = await world.send(chat_id, anna)
    await world.store.messages.mark_read(chat_id, boris, None)
    await world.store.messages.delete(message.id, anna, at(1))
    page, _ = await world.store.chats.members(chat_id, cursor=None, limit=5)
    assert list(page) == [
        Member(anna, "owner", START),
        Member(boris, "member", START, read_seq=1, last_read_message_id=message.id),
    ]


async def test_a_chat_that_is_not_there_has_no_members(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    await world.store.chats.delete(chat_id, anna)
    for nowhere in (chat_id, 999):
        page, cursor = await world.store.chats.members(nowhere, cursor=None, limit=5)
        assert (list(page), cursor) == ([], None)
    with pytest.raises(BadReference) as bad:
        await world.store.chats.members(chat_id, cursor="x", limit=5)
    assert bad.value.field == "cursor"


async def test_who_shares_small_chats_with_a_user(world: World) -> None:
    anna, boris, vera, gleb, dina = users = await world.users(5)
    await world.send(await world.chat(anna, boris, chat_type="private"), anna)
    await world.chat(anna, dina, chat_type="private")  # of which only Anna knows
    await world.chat(anna, boris, vera)
    await world.chat(anna, boris, vera, gleb)
    await world.chat(boris, dina)
    left = await world.chat(anna, dina)
    await world.store.chats.remove_member(left, anna, anna, START)
    gone = await world.chat(anna, dina)
    await world.store.chats.delete(gone, anna)

    async def sharing(members_max: int, *among: int) -> list[int]:
        return sorted(await world.store.chats.sharing(anna, among or users, members_max=members_max))

    assert await sharing(1) == []
    assert await sharing(2) == [anna, boris]
    assert await sharing(3) == [anna, boris, vera]
    assert await sharing(4) == [anna, boris, vera, gleb]
    assert await sharing(4, vera, dina, 999) == [vera]
    assert await world.store.chats.sharing(anna, [], members_max=9) in (set(), [])
    assert await world.store.chats.sharing(999, users, members_max=9) in (set(), [])


async def test_sharing_goes_through_many_chats(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.sqlite.chats._CHATS_AT_ONCE", 2)
    monkeypatch.setattr("storage.mongo.chat_list._CHATS_AT_ONCE", 2)
    anna, *others = await world.users(6)
    for other in others:
        await world.chat(anna, other)
    assert sorted(await world.store.chats.sharing(anna, others, members_max=100)) == others
