"""What a change says of how it came about, beside what is different now."""

from domain.changes import ChatDeleted, MemberRemoved, UserChanged
from tests.storage.world import START, World


async def test_who_removed_a_member_and_from_what(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat_id = await world.chat(anna, boris, vera, name="Lunch")
    await world.store.chats.remove_member(chat_id, anna, boris, START)
    await world.store.chats.change(chat_id, anna, START, name="Dinner")
    await world.store.chats.remove_member(chat_id, anna, anna, START)
    removed = [change for change in world.published if isinstance(change, MemberRemoved)]
    assert [(one.user_id, one.actor_id, one.name) for one in removed] == [
        (boris, anna, "Lunch"),
        (anna, anna, "Dinner"),
    ]


async def test_what_a_deleted_chat_was_and_who_left_it(world: World) -> None:
    anna, boris = await world.users(2)
    deleted = await world.chat(anna, boris, name="Lunch")
    left = await world.chat(anna, chat_type="channel", name="News")
    private = await world.chat(anna, boris, chat_type="private", name=None)
    await world.store.chats.delete(deleted, anna)
    await world.store.chats.remove_member(left, anna, anna, START)
    await world.store.chats.delete(private, anna)
    gone = [change for change in world.published if isinstance(change, ChatDeleted)]
    assert [(one.chat_id, one.name, one.chat_type, one.left_id) for one in gone] == [
        (deleted, "Lunch", "group", None),
        (left, "News", "channel", anna),
        (private, None, "private", None),
    ]


async def test_which_changes_of_a_user_others_see(world: World) -> None:
    anna = await world.user("anna", display_name="Anna")
    users = world.store.users
    shown: list[bool] = []

    async def shown_to_others() -> bool:
        (change,) = [change for change in world.published if isinstance(change, UserChanged)]
        world.published.clear()
        shown.append(change.shown)
        assert change.user == await users.get(anna)
        return change.shown

    await users.rename(anna, "Anya")
    assert await shown_to_others()
    await users.change_password(anna, "other", keep_session=None)
    assert not await shown_to_others()
    await users.seen(anna, (await users.get(anna)).created_at)  # type: ignore[union-attr]
    assert not await shown_to_others()
    await users.set_banned(anna, True)
    assert await shown_to_others()
    await users.set_banned(anna, False)
    assert await shown_to_others()
    await users.delete(anna)
    assert await shown_to_others()
