"""Public chats: who finds them, and who joins."""

import asyncio

import pytest

from domain.changes import ChatRenamed, ChatSettingsChanged, MemberAdded
from domain.models import Chat
from domain.refusals import Forbidden, NotFound, UnknownUsers
from storage import public_pages
from tests.storage.world import START, World, at

pytestmark = pytest.mark.long_on_mongo


async def public(world: World, owner: int, name: str = "Lobby", chat_type: str = "group") -> int:
    chat_id = await world.chat(owner, name=name, chat_type=chat_type)  # type: ignore[arg-type]
    await world.store.chats.change(chat_id, owner, START, is_public=True)
    return chat_id


async def found(world: World, text: str = "", limit: int = 10) -> list[int]:
    """The ids of the public chats, read in pages."""
    ids: list[int] = []
    after_id = 0
    while True:
        page, following = await world.store.chats.public(text, after_id=after_id, limit=limit)
        assert len(page) <= limit
        ids += [chat.id for chat in page]
        if following is None:
            return ids
        assert following > after_id
        after_id = following


async def test_name_and_publicity_change_at_once(world: World) -> None:
    owner = await world.user()
    chat_id = await world.chat(owner, name="Old")
    chat = await world.store.chats.change(chat_id, owner, at(7), name="New", is_public=True)
    assert chat == Chat(chat_id, "New", "group", START, owner, 0, 1, is_public=True)
    assert world.published[-1] == ChatSettingsChanged(chat, ("name", "is_public"), owner, at(7))
    assert await world.store.chats.change(chat_id, owner, at(8), name="New", is_public=True) == chat
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert state.chat == chat
    assert (await world.store.chats.summary(chat_id, owner)).chat == chat
    renamed = await world.store.chats.change(chat_id, owner, at(9), name="Newer", is_public=True)
    assert type(world.published[-1]) is ChatRenamed
    assert renamed.is_public
    private = await world.store.chats.change(chat_id, owner, at(10), is_public=False)
    assert (private.name, private.is_public) == ("Newer", False)
    entries, _ = await world.store.audit.page(chat_id, cursor=None, limit=10)
    assert [(one.action, one.actor_id, one.at, one.detail) for one in entries] == [
        ("made_private", owner, at(10), None),
        ("renamed", owner, at(9), "Newer"),
        ("made_public", owner, at(7), None),
        ("renamed", owner, at(7), "New"),
    ]


async def test_a_refused_change_changes_nothing(world: World) -> None:
    owner, admin, stranger = await world.users(3)
    chat_id = await world.chat(owner, admin, name="Old")
    await world.store.chats.set_role(chat_id, owner, admin, "admin", START)
    published_before = len(world.published)
    with pytest.raises(Forbidden):
        await world.store.chats.change(chat_id, admin, START, name="New", is_public=True)
    with pytest.raises(NotFound):
        await world.store.chats.change(chat_id, stranger, START, is_public=True)
    assert len(world.published) == published_before
    assert (await world.store.chats.summary(chat_id, owner)).chat.name == "Old"
    assert await found(world) == []


async def test_a_message_is_written_as_before_in_a_chat_that_has_become_public(world: World) -> None:
    owner, member = await world.users(2)
    chat_id = await world.chat(owner, member)
    await world.send(chat_id, member)
    await world.store.chats.change(chat_id, owner, START, is_public=True)
    await world.send(chat_id, member)
    await world.check_published(chat_id)


async def test_public_chats_are_found_by_any_part_of_their_names(world: World) -> None:
    owner = await world.user()
    lunch, cats, news = [
        await public(world, owner, name, chat_type)
        for name, chat_type in (("Lunch", "group"), ("Café Katzen", "group"), ("Ｎｅｗｓ", "channel"))
    ]
    await world.chat(owner, name="Lunch, secret")
    hidden = await public(world, owner, "Lunch, over")
    await world.store.chats.change(hidden, owner, START, is_public=False)
    gone = await public(world, owner, "Lunch, gone")
    await world.store.chats.delete(gone, owner)
    assert await found(world) == [lunch, cats, news]
    assert await found(world, limit=1) == [lunch, cats, news]
    assert await found(world, limit=2) == [lunch, cats, news]
    assert await found(world, "LUN") == [lunch]
    assert await found(world, "katz") == [cats]
    assert await found(world, "news") == [news]
    assert await found(world, "%") == await found(world, "nowhere") == await found(world, ".*") == []


async def test_a_search_looks_at_a_bounded_number_of_chats(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_pages, "LOOKED_AT_MAX", 2)
    owner = await world.user()
    chats = [await public(world, owner, name) for name in ("a", "b", "c", "d", "xa")]
    page, following = await world.store.chats.public("x", after_id=0, limit=10)
    assert ([chat.id for chat in page], following) == ([], chats[1])
    assert await found(world, "x") == chats[-1:]
    assert await found(world, "a") == [chats[0], chats[-1]]


@pytest.mark.parametrize("chat_type", ["group", "channel"])
async def test_anybody_joins_a_public_chat(world: World, chat_type: str) -> None:
    owner, boris = await world.users(2)
    chat_id = await public(world, owner, chat_type=chat_type)
    newest = await world.send(chat_id, owner)
    await world.store.chats.join(chat_id, boris, at(5))
    (added,) = [change for change in world.published if isinstance(change, MemberAdded)]
    assert (added.actor_id, added.member.role, added.member.joined_at) == (boris, "member", at(5))
    assert added.member.last_read_message_id == newest.id
    await world.store.chats.join(chat_id, boris, at(6))
    await world.store.chats.join(chat_id, owner, at(6))
    assert sum(isinstance(change, MemberAdded) for change in world.published) == 1
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert set(state.members) == {owner, boris}


async def test_nobody_joins_another_chat(world: World) -> None:
    owner, boris, vera = await world.users(3)
    group, private = await world.chat(owner), await world.chat(owner, boris, chat_type="private")
    over = await public(world, owner)
    await world.store.chats.change(over, owner, START, is_public=False)
    gone = await public(world, owner)
    await world.store.chats.delete(gone, owner)
    for chat_id in (group, private, over, gone, 999):
        with pytest.raises(NotFound):
            await world.store.chats.join(chat_id, vera, START)
    await world.store.chats.join(group, owner, START)  # members of any chat are in it already
    await world.send(private, owner)
    await world.store.chats.join(private, boris, START)
    with pytest.raises(UnknownUsers):
        await world.store.chats.join(await public(world, owner), 999, START)


async def test_many_join_at_once_and_the_chat_stops_being_public_meanwhile(world: World) -> None:
    owner, *people = await world.users(11)
    chat_id = await public(world, owner)
    joins = [world.store.chats.join(chat_id, one, START) for one in people[:5]]
    over = world.store.chats.change(chat_id, owner, START, is_public=False)
    late = [world.store.chats.join(chat_id, one, START) for one in people[5:]]
    outcomes = await asyncio.gather(*joins, over, *late, return_exceptions=True)
    assert [type(one).__name__ for one in outcomes] == ["NoneType"] * 5 + ["Chat"] + ["NotFound"] * 5
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert set(state.members) == {owner, *people[:5]}
