"""What members set in a chat for themselves."""

from collections.abc import Sequence
from typing import Any

import pytest

from domain.changes import (
    Change,
)
from domain.decisions.settings import SettingsRequest
from domain.models import UNSET, OwnSettings
from domain.own_settings import OwnSettingsChanged
from domain.refusals import BadReference, NotFound
from tests.storage.conftest import Place
from tests.storage.world import START, World, at

pytestmark = pytest.mark.long_on_mongo


async def change(world: World, chat_id: int, user_id: int, **wanted: Any) -> OwnSettings:
    member = await world.store.chats.change_settings(chat_id, user_id, SettingsRequest(**wanted))
    assert member == await world.store.chats.member(chat_id, user_id)
    return member.settings


async def listed(world: World, user_id: int, *, hidden: bool = False, limit: int = 10) -> Sequence[int]:
    """The chats of all pages."""
    found: list[int] = []
    cursor: str | None = None
    while True:
        page, cursor = await world.store.chats.list_for(user_id, cursor=cursor, limit=limit, hidden=hidden)
        assert all(summary.member.settings.hidden == hidden for summary in page)
        found += [summary.chat.id for summary in page]
        if cursor is None:
            return found


def changes(world: World) -> list[Change]:
    return [one for one in world.published if isinstance(one, OwnSettingsChanged)]


async def test_settings_are_kept_and_published_once(place: Place) -> None:
    store = await place.open()
    world = World(store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    assert await change(world, chat_id, anna, notifications="mentions") == OwnSettings("mentions")
    assert await change(world, chat_id, anna, favorite=True, marked_unread=True) == OwnSettings(
        "mentions", True, None, True
    )
    assert await change(world, chat_id, anna, notifications="mentions", favorite=True) == OwnSettings(
        "mentions", True, None, True
    )
    assert await change(world, chat_id, anna) == OwnSettings("mentions", True, None, True)
    published = [(one.chat_id, one.member.user_id, one.member.settings) for one in changes(world)]  # type: ignore[attr-defined]
    assert published == [
        (chat_id, anna, OwnSettings("mentions")),
        (chat_id, anna, OwnSettings("mentions", True, None, True)),
    ]
    await store.close()
    store = await place.open()
    assert (await store.chats.summary(chat_id, anna)).member.settings == OwnSettings(
        "mentions", True, None, True
    )
    assert (await store.chats.summary(chat_id, boris)).member.settings == UNSET
    await store.close()


async def test_who_is_no_member_sets_nothing(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna)
    for where, who in ((chat_id, boris), (999, anna)):
        with pytest.raises(NotFound):
            await world.store.chats.change_settings(where, who, SettingsRequest(favorite=True))
        assert await world.store.chats.member(where, who) is None
    assert changes(world) == []


async def test_a_hidden_chat_is_listed_apart_until_a_message(world: World) -> None:
    anna, boris = await world.users(2)
    one, two, three = [await world.chat(anna, boris, created=at(number)) for number in range(3)]
    await world.send(two, boris)
    settings = await change(world, two, anna, hidden=True)
    assert settings.hidden_seq == 1
    await change(world, one, anna, hidden=True)
    assert await listed(world, anna) == [three]
    assert await listed(world, anna, hidden=True) in ([two, one], [one, two])
    assert await listed(world, boris, hidden=True) == []
    message = await world.send(one, boris)
    assert await listed(world, anna) in ([three, one], [one, three])
    assert await listed(world, anna, hidden=True) == [two]
    await world.store.messages.delete(message.id, boris, at(1))
    assert one in await listed(world, anna), "it was shown again by a message"
    assert not (await world.store.chats.summary(one, anna)).member.settings.hidden
    assert (await change(world, one, anna, hidden=True)).hidden_seq == 2
    assert (await change(world, two, anna, hidden=False)).hidden_seq is None
    assert await listed(world, anna, hidden=True) == [one]


async def test_what_is_no_new_message_does_not_show_a_chat(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    message = await world.send(chat_id, boris)
    await change(world, chat_id, anna, hidden=True)
    await world.store.messages.edit(message.id, boris, "new", at(1))
    await world.store.messages.mark_read(chat_id, anna, None)
    await world.store.messages.delete(message.id, boris, at(2))
    assert await listed(world, anna, hidden=True) == [chat_id]


@pytest.mark.parametrize("limit", [1, 2, 60])
async def test_hidden_chats_do_not_disturb_pages(world: World, limit: int) -> None:
    anna = await world.user()
    chat_ids = [await world.chat(anna, created=at(number)) for number in range(7)]
    hidden = chat_ids[1::2]
    for chat_id in hidden:
        await change(world, chat_id, anna, hidden=True)
    assert await listed(world, anna, limit=limit) == chat_ids[::2][::-1]
    assert await listed(world, anna, limit=limit, hidden=True) == hidden[::-1]
    with pytest.raises(BadReference):
        await world.store.chats.list_for(anna, cursor="x", limit=1, hidden=True)


async def test_a_read_ends_marked_unread_whether_the_mark_moves_or_not(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    for moves in (False, True, False):
        await change(world, chat_id, anna, marked_unread=True)
        if moves:
            await world.send(chat_id, boris)
        before = len(changes(world))
        assert (await world.store.messages.mark_read(chat_id, anna, None)).moved is moves
        await world.store.messages.mark_read(chat_id, anna, None)
        assert len(changes(world)) == before + 1
        member = await world.store.chats.member(chat_id, anna)
        assert member is not None
        assert not member.settings.marked_unread
    await change(world, chat_id, boris, marked_unread=True)
    await world.store.messages.mark_read(chat_id, anna, None)
    other = await world.store.chats.member(chat_id, boris)
    assert other is not None
    assert other.settings.marked_unread


async def test_who_comes_back_has_set_nothing(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await change(world, chat_id, boris, favorite=True, hidden=True, notifications="none")
    await world.store.chats.remove_member(chat_id, boris, boris, at(1))
    await world.store.chats.add_member(chat_id, anna, boris, "member", START)
    member = await world.store.chats.member(chat_id, boris)
    assert member is not None
    assert member.settings == UNSET
