"""Private chats: nobody but their creator sees them before their first message."""

import pytest

from domain.changes import ChatCreated, ChatDeleted
from domain.models import Chat
from domain.private_chats import ChatOpened
from domain.refusals import Forbidden, NotFound, UnknownUsers
from tests.storage.world import World, at


async def ask(world: World, user_id: int, other_id: int) -> tuple[Chat, bool]:
    return await world.make_chat(user_id, other_id, chat_type="private", name=None)


async def sees(world: World, user_id: int, chat_id: int) -> bool:
    """Whether the user finds the chat, in all ways alike."""
    chats = world.store.chats
    listed, _ = await chats.list_for(user_id, cursor=None, limit=10)
    in_list = chat_id in {summary.chat.id for summary in listed}
    assert (chat_id in await chats.ids_of(user_id)) is in_list
    try:
        summary = await chats.summary(chat_id, user_id)
    except NotFound:
        assert not in_list
        return False
    assert in_list
    assert summary.chat.id == chat_id
    return True


async def share(world: World, user_id: int, other_id: int) -> bool:
    found = other_id in await world.store.chats.sharing(user_id, [other_id], members_max=100)
    assert (user_id in await world.store.chats.sharing(other_id, [user_id], members_max=100)) is found
    return found


async def test_the_first_message_shows_it_to_the_other(world: World) -> None:
    anna, boris = await world.users(2)
    chat, _ = await ask(world, anna, boris)
    assert [await sees(world, one, chat.id) for one in (anna, boris)] == [True, False]
    assert not await share(world, anna, boris)
    message = await world.send(chat.id, anna)
    assert [await sees(world, one, chat.id) for one in (anna, boris)] == [True, True]
    assert await share(world, anna, boris)
    await world.store.messages.delete(message.id, anna, at(1))
    assert await sees(world, boris, chat.id), "it had a message"
    assert await ask(world, boris, anna) == (
        (await world.store.chats.summary(chat.id, anna)).chat,
        False,
    )
    assert not [change for change in world.published if isinstance(change, ChatOpened)]


async def test_who_asks_for_it_sees_it(world: World) -> None:
    anna, boris = await world.users(2)
    chat, _ = await ask(world, anna, boris)
    assert await ask(world, anna, boris) == (chat, False)
    assert await ask(world, boris, anna) == (chat, False)
    assert await ask(world, boris, anna) == (chat, False)
    assert world.published == [
        ChatCreated(world.published[0].state),  # type: ignore[attr-defined]
        ChatOpened(chat, boris),
    ]
    assert [await sees(world, one, chat.id) for one in (anna, boris)] == [True, True]
    assert await share(world, anna, boris)
    state = await world.store.chats.load(chat.id)
    assert state is not None
    assert {user_id: member.opened for user_id, member in state.members.items()} == {anna: False, boris: True}


async def test_who_does_not_see_it_cannot_change_it(world: World) -> None:
    anna, boris = await world.users(2)
    chat, _ = await ask(world, anna, boris)
    for _ in range(2):
        with pytest.raises(NotFound):
            await world.send(chat.id, boris)
        with pytest.raises(NotFound):
            await world.store.chats.change(chat.id, boris, at(1), name="New")
        with pytest.raises(NotFound):
            await world.store.chats.actor(chat.id, boris)
    await world.send(chat.id, anna)
    assert (await world.send(chat.id, boris)).seq == 2
    assert (await world.store.chats.actor(chat.id, boris)).role == "member"


async def test_pages_leave_it_out(world: World) -> None:
    anna, boris, vera = await world.users(3)
    seen = [await world.chat(boris, name=str(number), created=at(number)) for number in range(3)]
    for number, other in enumerate((anna, vera)):
        await world.chat(other, boris, chat_type="private", created=at(10 + number))
    got: list[int] = []
    cursor = None
    for _ in range(3):
        page, cursor = await world.store.chats.list_for(boris, cursor=cursor, limit=1)
        got += [summary.chat.id for summary in page]
    assert (got, cursor) == (seen[::-1], None)


async def test_a_new_one_with_somebody_who_is_not_active(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat, _ = await ask(world, anna, boris)
    await world.store.users.set_banned(boris, True)
    await world.store.users.delete(vera)
    assert await ask(world, anna, boris) == (chat, False)
    await world.store.users.delete(boris)
    assert await ask(world, anna, boris) == (chat, False)
    for other in (vera, 999):
        with pytest.raises(UnknownUsers) as unknown:
            await ask(world, anna, other)
        assert unknown.value.user_ids == [other]


@pytest.mark.parametrize("deletes", ["an unseen one", "one with messages of one"])
async def test_it_may_be_deleted_until_both_have_written(world: World, deletes: str) -> None:
    anna, boris = await world.users(2)
    chat, _ = await ask(world, anna, boris)
    if deletes == "one with messages of one":
        await world.send(chat.id, anna)
    with pytest.raises(NotFound if deletes == "an unseen one" else Forbidden):
        await world.store.chats.delete(chat.id, boris)
    await world.store.chats.delete(chat.id, anna)
    deleted = world.published[-1]
    assert isinstance(deleted, ChatDeleted)
    assert (list(deleted.member_ids), deleted.unseen_by) == (
        [anna, boris],
        boris if deletes == "an unseen one" else None,
    )
    assert (await ask(world, boris, anna))[1]


async def test_it_stays_once_both_have_written(world: World) -> None:
    anna, boris = await world.users(2)
    chat, _ = await ask(world, anna, boris)
    first = await world.send(chat.id, anna)
    await world.send(chat.id, boris)
    await world.store.messages.delete(first.id, anna, at(1))
    with pytest.raises(Forbidden):
        await world.store.chats.delete(chat.id, anna)
    assert await sees(world, boris, chat.id)
