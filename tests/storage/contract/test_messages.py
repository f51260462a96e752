import asyncio
import random
from dataclasses import replace

import pytest

from domain.changes import MessageCreated, MessageDeleted, MessageEdited
from domain.models import Appended, Member, Message
from domain.refusals import BadContent, BadReference, ClientIdTaken, Duplicate, Forbidden, NotFound, Refusal
from tests.storage.world import START, World, at, draft


async def test_a_message_is_kept_as_sent(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    first = await world.send(chat_id, anna)
    sent_draft = draft(
        chat_id,
        boris,
        "Привет 👋\0\n",
        created_at=at(1),
        message_type="system",
        client_id="c",
        reply_to=first.id,
    )
    appended = await world.store.messages.append(sent_draft)
    message = Message(
        id=appended.message.id,
        chat_id=chat_id,
        seq=2,
        changed_seq=2,
        content="Привет 👋\0\n",
        sender_id=boris,
        created_at=at(1),
        message_type="system",
        reply_to=first.id,
        client_id="c",
    )
    assert appended == Appended(message, duplicate=False)
    assert await world.store.messages.get(message.id) == message
    assert world.published[-2:] == [MessageCreated(first), MessageCreated(message)]
    assert await world.store.messages.get(999_999) is None


@pytest.mark.long_on_mongo
async def test_sends_keep_their_order(world: World) -> None:
    anna, boris = await world.users(2)
    chats = [await world.chat(anna, boris) for _ in range(3)]
    futures = [
        world.store.messages.append(draft(chats[number % 3], (anna, boris)[number % 2], str(number)))
        for number in range(1200)
    ]
    messages = [(await future).message for future in futures]
    for index, chat_id in enumerate(chats):
        mine = messages[index::3]
        assert [message.seq for message in mine] == list(range(1, 401))
        assert [message.content for message in mine] == [str(number) for number in range(index, 1200, 3)]
        await world.check_published(chat_id)
    assert [change.message for change in world.published if isinstance(change, MessageCreated)] == messages


async def test_what_a_send_checks_and_in_which_order(world: World) -> None:
    anna, boris, stranger = await world.users(3)
    chat_id = await world.chat(anna, boris, chat_type="channel")
    other = await world.chat(anna, boris)
    used = await world.send(other, boris, client_id="used")
    published_before = len(world.published)
    append = world.store.messages.append
    with pytest.raises(NotFound):
        await append(draft(999, anna))
    with pytest.raises(NotFound):
        await append(draft(chat_id, stranger, client_id="used"))
    with pytest.raises(ClientIdTaken):
        await append(draft(chat_id, boris, client_id="used"))
    assert await append(draft(other, boris, client_id="used")) == Appended(used, duplicate=True)
    with pytest.raises(Forbidden):
        await append(draft(chat_id, boris, reply_to=999_999))
    with pytest.raises(BadReference) as bad:
        await append(draft(chat_id, anna, reply_to=999_999))
    assert bad.value.field == "reply_to"
    assert len(world.published) == published_before
    assert (await append(draft(chat_id, anna))).message.seq == 1


async def test_bad_content_is_refused_unless_it_repeats(world: World) -> None:
    anna, boris, stranger = await world.users(3)
    chat_id = await world.chat(anna, boris, chat_type="channel")
    first = await world.send(chat_id, anna, client_id="x")
    append = world.store.messages.append
    fault = "must be 1 to 1 characters"
    with pytest.raises(NotFound):
        await append(draft(chat_id, stranger, client_id="y", content_fault=fault))
    for user_id in (anna, boris):  # said before what boris may not do
        with pytest.raises(BadContent, match=fault):
            await append(draft(chat_id, user_id, client_id="y", content_fault=fault))
    assert await append(draft(chat_id, anna, client_id="x", content_fault=fault)) == Appended(
        first, duplicate=True
    )


async def test_a_reply_is_to_a_message_of_the_same_chat_a_deleted_one_too(world: World) -> None:
    anna = await world.user()
    chat_id, other = await world.chat(anna), await world.chat(anna)
    here, there, dead = (
        await world.send(chat_id, anna),
        await world.send(other, anna),
        await world.send(chat_id, anna),
    )
    elsewhere_dead = await world.send(other, anna)
    for message in (dead, elsewhere_dead):
        await world.store.messages.delete(message.id, anna, at(1))
    for target in (there.id, elsewhere_dead.id, elsewhere_dead.id + 1000):
        with pytest.raises(BadReference):
            await world.send(chat_id, anna, reply_to=target)
    for message in (here, dead):
        reply = await world.send(chat_id, anna, reply_to=message.id)
        assert reply.reply_to == message.id
        assert await world.store.messages.get(reply.id) == reply
    await world.store.messages.delete(here.id, anna, at(1))
    await world.check_published(chat_id)


async def test_a_reply_to_a_message_deleted_in_the_same_moment(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    for _ in range(5):
        target = await world.send(chat_id, anna)
        sends = [world.send(chat_id, boris, reply_to=target.id, client_id=f"{target.id}") for _ in range(2)]
        results = await asyncio.gather(
            sends[0], world.store.messages.delete(target.id, anna, at(1)), sends[1]
        )
        assert results[0].reply_to == results[2].reply_to == target.id
        assert results[0].id == results[2].id
    await world.check_published(chat_id)


async def test_a_reply_to_a_message_of_a_deleted_chat_is_none(world: World) -> None:
    anna = await world.user()
    gone, chat_id = await world.chat(anna), await world.chat(anna)
    message = await world.send(gone, anna)
    await world.store.chats.delete(gone, anna)
    with pytest.raises(BadReference):
        await world.send(chat_id, anna, reply_to=message.id)


async def test_a_reply_to_a_message_of_the_same_batch(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    last = await world.send(chat_id, anna)
    first, second = await asyncio.gather(
        world.send(chat_id, anna), world.send(chat_id, anna, reply_to=last.id + 1)
    )
    assert second.reply_to == first.id


async def test_a_failing_send_is_its_own_failure(world: World) -> None:
    anna, member, stranger = await world.users(3)
    chat_id = await world.chat(anna)
    channel_id = await world.chat(anna, member, chat_type="channel")
    append = world.store.messages.append
    futures = []
    for number in range(300):
        good = draft(chat_id, anna, str(number))
        futures.append(append(good))
        futures.append(
            (
                append(draft(chat_id, stranger)),
                append(draft(channel_id, member)),
                append(replace(good, reply_to=999_999)),
                append(replace(good, chat_id=999)),
            )[number % 4]
        )
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert [result.message.seq for result in results[::2]] == list(range(1, 301))
    assert all(isinstance(result, Refusal) for result in results[1::2])
    await world.check_published(chat_id)


async def test_a_client_id_makes_a_send_idempotent(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    first = await world.send(chat_id, anna, "first", client_id="x")
    repeat = await world.store.messages.append(draft(chat_id, anna, "other", client_id="x"))
    assert repeat == Appended(first, duplicate=True)
    edited = await world.store.messages.edit(first.id, anna, "edited", at(1))
    assert (await world.store.messages.append(draft(chat_id, anna, client_id="x"))).message == edited
    of_another = await world.store.messages.append(draft(chat_id, boris, client_id="x"))
    assert not of_another.duplicate
    assert (await world.send(chat_id, anna, client_id="X")).id != first.id
    await world.check_published(chat_id)


async def test_similar_client_ids_are_different(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    client_ids = ["a", "a\0", "a\0b", "A", " a", "а", "1", "01", "'", '"', "é", "e\u0301"]
    for client_id in client_ids:
        appended = await world.store.messages.append(draft(chat_id, anna, client_id=client_id))
        assert not appended.duplicate
    results = await asyncio.gather(
        *(world.store.messages.append(draft(chat_id, anna, client_id=client_id)) for client_id in client_ids)
    )
    assert [(result.message.client_id, result.duplicate) for result in results] == [
        (client_id, True) for client_id in client_ids
    ]


async def test_a_repeat_of_a_deleted_message_is_not_found(world: World) -> None:
    anna = await world.user()
    chat_id, other = await world.chat(anna), await world.chat(anna)
    message = await world.send(chat_id, anna, client_id="x")
    await world.store.messages.delete(message.id, anna, at(1))
    with pytest.raises(NotFound):
        await world.send(chat_id, anna, client_id="x")
    with pytest.raises(ClientIdTaken):
        await world.send(other, anna, client_id="x")
    await world.check_published(chat_id)


async def test_repeats_race(world: World) -> None:
    anna = await world.user()
    chats = [await world.chat(anna) for _ in range(2)]
    script = random.Random(3)
    drafts = [
        draft(script.choice(chats), anna, str(number), client_id=f"{number % 40}") for number in range(800)
    ]
    results = await asyncio.gather(
        *(world.store.messages.append(sent_draft) for sent_draft in drafts), return_exceptions=True
    )
    first: dict[str | None, Message] = {}
    for sent_draft, result in zip(drafts, results, strict=True):
        known = first.get(sent_draft.client_id)
        if known is None:
            assert isinstance(result, Appended)
            assert not result.duplicate
            first[sent_draft.client_id] = result.message
        elif known.chat_id == sent_draft.chat_id:
            assert result == Appended(known, duplicate=True)
        else:
            assert isinstance(result, ClientIdTaken)
    for chat_id in chats:
        await world.check_published(chat_id)


async def test_send_delete_and_repeat_in_one_turn(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna, client_id="x")
    messages, repeat = world.store.messages, draft(chat_id, anna, client_id="x")
    results = await asyncio.gather(
        messages.append(repeat),
        messages.edit(message.id, anna, "edited", at(1)),
        messages.append(repeat),
        messages.delete(message.id, anna, at(2)),
        messages.append(repeat),
        return_exceptions=True,
    )
    edited = replace(message, content="edited", edited_at=at(1), changed_seq=2)
    assert results[:3] == [Appended(message, duplicate=True), edited, Appended(edited, duplicate=True)]
    assert results[3] == replace(edited, content="", deleted=True, changed_seq=3)
    assert isinstance(results[4], NotFound)


async def test_an_edit(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    message = await world.send(chat_id, anna, "old", client_id="x")
    await world.send(chat_id, boris)
    edited = await world.store.messages.edit(message.id, anna, "new", at(5))
    assert edited == replace(message, content="new", edited_at=at(5), changed_seq=3)
    assert world.published[-1] == MessageEdited(edited)
    assert await world.store.messages.get(message.id) == edited
    again = await world.store.messages.edit(message.id, anna, "newer", at(6))
    assert (again.seq, again.changed_seq, again.edited_at) == (1, 4, at(6))
    await world.check_published(chat_id)


async def test_the_same_content_again_changes_nothing(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    message = await world.send(chat_id, anna, "same")
    published_before = len(world.published)
    assert await world.store.messages.edit(message.id, anna, "same", at(5)) == message
    assert len(world.published) == published_before
    assert await world.head(chat_id) == 1
    with pytest.raises(Forbidden):
        await world.store.messages.edit(message.id, boris, "same", at(5))


async def test_a_deletion_leaves_a_tombstone(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    first = await world.send(chat_id, anna)
    message = await world.send(chat_id, anna, "secret", client_id="x", reply_to=first.id)
    message = await world.store.messages.edit(message.id, anna, "secret too", at(1))
    with pytest.raises(Forbidden):
        await world.store.messages.delete(message.id, boris, at(2))
    await world.store.chats.set_role(chat_id, anna, boris, "admin", START)
    tombstone = await world.store.messages.delete(message.id, boris, at(2))
    assert tombstone == replace(message, content="", deleted=True, changed_seq=4)
    assert world.published[-1] == MessageDeleted(tombstone)
    assert await world.store.messages.get(message.id) == tombstone
    assert (await world.store.messages.history(chat_id, limit=9)).messages == [first]
    await world.check_published(chat_id)


async def test_what_changing_a_message_checks(world: World) -> None:
    anna, boris, vera, stranger = await world.users(4)
    chat_id = await world.chat(anna, boris, vera)
    message, deleted, boris_own = [await world.send(chat_id, user) for user in (anna, anna, boris)]
    await world.store.messages.delete(deleted.id, anna, at(1))
    await world.store.chats.remove_member(chat_id, anna, boris, START)
    published_before = len(world.published)
    for message_id, user_id in (
        (message.id, stranger),
        (boris_own.id, boris),
        (deleted.id, anna),
        (deleted.id, stranger),
        (999_999, anna),
    ):
        with pytest.raises(NotFound):
            await world.store.messages.edit(message_id, user_id, "new", at(2))
        with pytest.raises(NotFound):
            await world.store.messages.delete(message_id, user_id, at(2))
    with pytest.raises(Forbidden):
        await world.store.messages.edit(message.id, vera, "new", at(2))
    with pytest.raises(Forbidden):
        await world.store.messages.delete(message.id, vera, at(2))
    assert len(world.published) == published_before
    assert await world.store.messages.get(message.id) == message


async def test_of_many_deletions_one_succeeds(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna)
    results = await asyncio.gather(
        *(world.store.messages.delete(message.id, anna, at(1)) for _ in range(50)),
        return_exceptions=True,
    )
    assert isinstance(results[0], Message)
    assert all(isinstance(result, NotFound) for result in results[1:])
    await world.check_published(chat_id)


async def test_a_cancelled_waiter_undoes_nothing(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    early = world.store.messages.append(draft(chat_id, anna, "early"))
    early.cancel()
    under_way = world.store.messages.append(draft(chat_id, anna, "under way"))
    for _ in range(5):
        await asyncio.sleep(0)
    under_way.cancel()
    waiting = asyncio.create_task(world.store.chats.change(chat_id, anna, START, name="New"))
    await asyncio.sleep(0)
    waiting.cancel()
    last = await world.send(chat_id, anna, "last")
    assert last.seq == 3
    assert [message.content for message in await world.everything(chat_id)] == ["early", "under way", "last"]
    await world.check_published(chat_id)
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert state.chat.name == "New"


@pytest.mark.long_on_mongo
async def test_everything_at_once(world: World) -> None:
    """Hundreds of sends, edits, deletions, reads and joins in the same chats."""
    anna, *others = await world.users(12)
    chats = [await world.chat(anna, *others[:6]) for _ in range(3)]
    known = {chat_id: [await world.send(chat_id, anna, f"{n}") for n in range(20)] for chat_id in chats}
    script = random.Random(5)

    def something(number: int) -> object:
        chat_id = script.choice(chats)
        user_id = script.choice([anna, *others])
        message = script.choice(known[chat_id])
        messages, chats_of_store = world.store.messages, world.store.chats
        return script.choice(
            [
                lambda: messages.append(draft(chat_id, user_id, str(number))),
                lambda: messages.append(draft(chat_id, user_id, str(number), client_id=f"{number % 60}")),
                lambda: messages.append(draft(chat_id, user_id, reply_to=message.id)),
                lambda: messages.edit(message.id, anna, f"edit {number % 7}", at(number)),
                lambda: messages.delete(known[chat_id][number % 3].id, script.choice([anna, user_id]), at(1)),
                lambda: messages.mark_read(chat_id, user_id, script.choice([None, message.id])),
                lambda: chats_of_store.add_member(chat_id, anna, script.choice(others), "member", at(number)),
                lambda: chats_of_store.remove_member(chat_id, anna, script.choice(others), START),
                lambda: messages.history(chat_id, limit=10),
                lambda: chats_of_store.load(chat_id),
            ]
        )()

    at_once = 100 if world.store.shared else 400  # one takes a database server forty times as long as a file
    for _ in range(2 if world.store.shared else 4):
        results = await asyncio.gather(*map(something, range(at_once)), return_exceptions=True)
        assert {type(result) for result in results if isinstance(result, BaseException)} <= {
            NotFound,
            BadReference,
            ClientIdTaken,
            Duplicate,
            Forbidden,
        }
        assert sum(isinstance(result, (Appended, Member, Message)) for result in results) > at_once / 8
    for chat_id in chats:
        await world.check_published(chat_id)
        state = await world.store.chats.load(chat_id)
        assert state is not None
        assert state.chat.member_count == len(state.members)


async def test_long_and_many(world: World) -> None:
    """Batches are bounded by content too; nothing of that shows."""
    anna = await world.user()
    chat_id = await world.chat(anna)
    contents = ["ж" * size for size in (1, 300_000, 10_000, 200_000, 100_000, 1)] * 5
    messages = await asyncio.gather(*(world.send(chat_id, anna, content) for content in contents))
    assert [message.content for message in messages] == contents
    assert [message.seq for message in messages] == list(range(1, 31))
    await world.check_published(chat_id)


async def test_times_come_back_exactly(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    for moment in (
        START,
        at(0.000001),
        START.replace(microsecond=999_999),
        START.replace(year=2999, microsecond=1),
    ):
        message = await world.send(chat_id, anna, created_at=moment)
        stored = await world.store.messages.get(message.id)
        assert stored is not None
        assert stored.created_at == moment
        assert stored.created_at.utcoffset() == moment.utcoffset()


@pytest.mark.long_on_mongo
async def test_many_chats_at_once(world: World) -> None:
    anna = await world.user()
    chats = [await world.chat(anna) for _ in range(40 if world.store.shared else 120)]
    for number in (1, 2):
        messages = await asyncio.gather(*(world.send(chat_id, anna) for chat_id in chats))
        assert {message.seq for message in messages} == {number}
    for chat_id in chats[::20]:
        await world.check_published(chat_id)
