import asyncio

import pytest

from domain.changes import (
    ChatCreated,
    ChatDeleted,
    ChatRenamed,
    MemberAdded,
)
from domain.models import Chat, ChatState, Member
from domain.private_chats import ChatOpened
from domain.refusals import BadReference, Forbidden, NotFound, UnknownUsers
from tests.storage.world import START, World, at


async def test_a_chat_is_kept_as_created(world: World) -> None:
    owner, second, third = await world.users(3)
    chat, created = await world.store.chats.create(
        name="Лобби",
        chat_type="channel",
        owner_id=owner,
        member_ids=[third, owner, second, second],
        created_at=START,
    )
    assert created
    assert chat == Chat(chat.id, "Лобби", "channel", START, owner, head_seq=0, member_count=3)
    state = ChatState(
        chat,
        {
            owner: Member(owner, "owner", START),
            second: Member(second, "member", START),
            third: Member(third, "member", START),
        },
    )
    assert await world.store.chats.load(chat.id) == state
    assert world.published == [ChatCreated(state)]
    assert await world.store.chats.load(999) is None


async def test_a_chat_of_unknown_users_is_not_made(world: World) -> None:
    owner = await world.user()
    with pytest.raises(UnknownUsers) as unknown:
        await world.chat(owner, 998, 997)
    assert unknown.value.user_ids == [997, 998]
    with pytest.raises(UnknownUsers):
        await world.chat(999, owner)
    assert world.published == []
    assert await world.store.chats.list_for(owner, cursor=None, limit=10) == ([], None)


async def test_two_users_share_one_private_chat(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat, created = await world.make_chat(anna, boris, chat_type="private", name=None)
    await world.send(chat.id, anna)
    again, created_again = await world.make_chat(boris, anna, chat_type="private", name=None)
    assert (created, created_again) == (True, False)
    assert (again.id, again.created_by, again.head_seq) == (chat.id, anna, 1)
    assert (await world.make_chat(anna, vera, chat_type="private"))[1]
    assert (await world.make_chat(anna, boris))[1]  # a group of the same two is another chat
    assert sum(isinstance(change, ChatCreated) for change in world.published) == 3


async def test_both_ask_for_the_private_chat_at_once(world: World) -> None:
    anna, boris = await world.users(2)
    results = await asyncio.gather(
        *(world.make_chat(*pair, chat_type="private") for pair in [(anna, boris), (boris, anna)] * 50)
    )
    assert len({chat.id for chat, _ in results}) == 1
    assert sum(created for _, created in results) == 1
    created, opened = world.published
    assert isinstance(created, ChatCreated)
    assert isinstance(opened, ChatOpened)
    assert {created.state.chat.created_by, opened.user_id} == {anna, boris}


async def test_a_private_chat_can_be_made_anew_after_its_deletion(world: World) -> None:
    anna, boris = await world.users(2)
    first = await world.chat(anna, boris, chat_type="private")
    await world.store.chats.delete(first, anna)
    second, created = await world.make_chat(boris, anna, chat_type="private")
    assert created
    assert second.id > first


async def test_rename(world: World) -> None:
    owner = await world.user()
    chat_id = await world.chat(owner, name="Old")
    await world.send(chat_id, owner)
    chat = await world.store.chats.change(chat_id, owner, START, name="New")
    assert chat == Chat(chat_id, "New", "group", START, owner, head_seq=1, member_count=1)
    assert world.published[-1] == ChatRenamed(chat)
    published_before = len(world.published)
    assert await world.store.chats.change(chat_id, owner, START, name="New") == chat
    assert len(world.published) == published_before
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert state.chat == chat


async def test_rename_and_delete_ask_for_membership_and_role(world: World) -> None:
    owner, admin, member, stranger = await world.users(4)
    chat_id = await world.chat(owner, admin, member, chat_type="channel", name="Old")
    await world.store.chats.set_role(chat_id, owner, admin, "admin", START)
    published_before = len(world.published)
    for call in (
        lambda user_id: world.store.chats.change(chat_id, user_id, START, name="New"),
        lambda user_id: world.store.chats.delete(chat_id, user_id),
    ):
        with pytest.raises(NotFound):
            await call(stranger)
        with pytest.raises(Forbidden):
            await call(member)
    with pytest.raises(Forbidden):
        await world.store.chats.delete(chat_id, admin)
    assert len(world.published) == published_before
    await world.store.chats.change(chat_id, admin, START, name="New")
    await world.store.chats.delete(chat_id, owner)
    for call in (
        world.store.chats.change(999, owner, START, name="x"),
        world.store.chats.delete(999, owner),
    ):
        with pytest.raises(NotFound):
            await call


async def test_a_deleted_chat_is_gone_with_its_messages(world: World) -> None:
    owner, member = await world.users(2)
    chat_id = await world.chat(owner, member)
    other = await world.chat(owner, member)
    messages = [await world.send(chat_id, owner, f"{number}", client_id=f"{number}") for number in range(20)]
    kept = await world.send(other, owner)
    await world.store.chats.delete(chat_id, owner)
    assert world.published[-1] == ChatDeleted(chat_id, [owner, member])
    assert await world.store.chats.load(chat_id) is None
    assert await world.store.messages.get(messages[0].id) is None
    assert (await world.store.messages.history(chat_id, limit=10)).messages in ((), [])
    assert len(await world.everything(chat_id)) == 0
    chats, _ = await world.store.chats.list_for(owner, cursor=None, limit=10)
    assert [summary.chat.id for summary in chats] == [other]
    for call in (
        world.store.messages.edit(messages[0].id, owner, "new", at(1)),
        world.store.messages.delete(messages[0].id, owner, at(1)),
        world.store.messages.mark_read(chat_id, owner, None),
        world.store.chats.summary(chat_id, owner),
        world.send(chat_id, owner),
        world.send(chat_id, owner, client_id="1"),
    ):
        with pytest.raises(NotFound):
            await call
    assert await world.store.messages.get(kept.id) == kept


async def test_writes_queued_after_a_deletion_find_no_chat(world: World) -> None:
    owner = await world.user()
    chat_id = await world.chat(owner)
    results = await asyncio.gather(
        world.send(chat_id, owner),
        world.store.chats.delete(chat_id, owner),
        world.send(chat_id, owner),
        world.store.chats.change(chat_id, owner, START, name="x"),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] == ["Message", "NoneType", "NotFound", "NotFound"]


async def test_ids_of_chats_are_never_used_again(world: World) -> None:
    owner = await world.user()
    first = await world.chat(owner)
    await world.store.chats.delete(first, owner)
    assert await world.chat(owner) > first


async def test_summary(world: World) -> None:
    anna, boris, stranger = await world.users(3)
    chat_id = await world.chat(anna, boris)
    empty = await world.store.chats.summary(chat_id, boris)
    assert (empty.unread_count, empty.last_message) == (0, None)
    await world.send(chat_id, anna, "one")
    two = await world.send(chat_id, anna, "two")
    three = await world.send(chat_id, anna, "three")
    await world.store.messages.delete(three.id, anna, at(1))
    await world.store.messages.mark_read(chat_id, boris, two.id)
    four = await world.send(chat_id, anna, "four")
    summary = await world.store.chats.summary(chat_id, boris)
    assert summary.chat == Chat(chat_id, "Lobby", "group", START, anna, head_seq=5, member_count=2)
    assert summary.member == Member(boris, "member", START, read_seq=2, last_read_message_id=two.id)
    assert (summary.unread_count, summary.last_message) == (1, four)
    for nowhere, nobody in ((chat_id, stranger), (999, anna)):
        with pytest.raises(NotFound):
            await world.store.chats.summary(nowhere, nobody)


async def page(
    world: World, user_id: int, cursor: str | None = None, limit: int = 100
) -> tuple[list[int], str | None]:
    summaries, following = await world.store.chats.list_for(user_id, cursor=cursor, limit=limit)
    return [summary.chat.id for summary in summaries], following


async def test_the_list_is_by_latest_activity(world: World) -> None:
    anna, boris = await world.users(2)
    a = await world.chat(anna, boris, created=at(1))
    b = await world.chat(anna, created=at(2))
    c = await world.chat(anna, created=at(3))
    await world.chat(boris)
    assert await page(world, anna) == ([c, b, a], None)
    message = await world.send(a, boris, created_at=at(10))
    await world.send(b, anna, created_at=at(11))
    assert await page(world, anna) == ([b, a, c], None)
    await world.store.messages.edit(message.id, boris, "edited", at(20))
    await world.store.messages.mark_read(c, anna, None)
    assert await page(world, anna) == ([b, a, c], None)  # only messages created are activity
    summaries, _ = await world.store.chats.list_for(anna, cursor=None, limit=10)
    assert summaries[1] == await world.store.chats.summary(a, anna)
    assert summaries[1].unread_count == 1


async def test_the_list_is_paged(world: World) -> None:
    anna = await world.user()
    same_time = [await world.chat(anna, created=at(7)) for _ in range(11)]
    earlier = [await world.chat(anna, created=at(1)) for _ in range(4)]
    expected = same_time[::-1] + earlier[::-1]
    for limit in (1, 2, 5, 15, 16):
        found: list[int] = []
        cursor = None
        while True:
            ids, cursor = await page(world, anna, cursor, limit)
            assert len(ids) == min(limit, 15 - len(found))
            found += ids
            if cursor is None:
                break
        assert found == expected


@pytest.mark.parametrize(
    "cursor", ["", "x", "жж", "MSAy=", "MSAyIDM=", "MSA=", "🙂", "LTEgLTE=", "\ud800", "MSAwMg=="]
)
async def test_a_cursor_from_elsewhere(world: World, cursor: str) -> None:
    anna = await world.user()
    with pytest.raises(BadReference) as bad:
        await world.store.chats.list_for(anna, cursor=cursor, limit=10)
    assert bad.value.field == "cursor"


async def test_head_seq_counts_what_was_published(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    for number in range(1, 4):
        await world.send(chat_id, anna)
        assert await world.head(chat_id) == number
        assert world.store.published_head(chat_id, number) == number


async def test_a_head_is_never_ahead_of_what_is_published(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    sending = True

    async def send() -> None:
        nonlocal sending
        for _ in range(40 if world.store.shared else 100):
            await asyncio.gather(*(world.send(chat_id, anna) for _ in range(3)))
        sending = False

    async def read() -> int:
        looks = 0
        while sending:
            head = await world.head(chat_id)
            assert head <= len(world.message_changes(chat_id))
            published = world.message_changes(chat_id)[-1].changed_seq if head else 0
            page = await world.store.messages.history(chat_id, limit=1)
            assert world.store.published_head(chat_id, 10**6) in (10**6, *range(published, 301))
            assert not head or page.messages[-1].seq >= head
            looks += 1
        return looks

    _, *looks = await asyncio.gather(send(), read(), read())
    assert min(looks) > 5


async def test_member_count_follows(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat_id = await world.chat(anna, boris)
    await world.store.chats.add_member(chat_id, anna, vera, "member", at(1))
    await world.store.chats.remove_member(chat_id, anna, boris, START)
    await world.store.chats.add_member(chat_id, anna, boris, "member", at(2))
    assert isinstance(world.published[-1], MemberAdded)
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert state.chat.member_count == 3 == len(state.members)


async def test_a_page_of_chats_has_no_more_bytes_than_asked_but_one_chat(world: World) -> None:
    anna = await world.user()
    chat_ids = [await world.chat(anna, created=at(number)) for number in range(7)]
    for chat_id in chat_ids:
        await world.send(chat_id, anna, "\x01" * 1000, created_at=at(100 + chat_id))
    for max_bytes, sizes in ((17_000, [2, 2, 2, 1]), (1, [1] * 7), (10**6, [7])):
        found: list[int] = []
        cursor = None
        for size in sizes:
            page, cursor = await world.store.chats.list_for(
                anna, cursor=cursor, limit=200, max_bytes=max_bytes
            )
            assert len(page) == size
            found += [summary.chat.id for summary in page]
        assert cursor is None
        assert found == chat_ids[::-1]
