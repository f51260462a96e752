"""Two servers on one database, in the same chats at the same time."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from domain.changes import MessageCreated, MessageEdited
from domain.models import Appended, Member, Message
from domain.refusals import Duplicate, LastOwner, NotFound, TokenReused
from storage.errors import Unavailable
from storage.mongo import MongoStore
from storage.mongo.database import Collection, Document
from storage.mongo.log import Row
from storage.mongo.row_codecs import row_of
from tests.patience import within
from tests.storage.world import START, World, at, draft

Hook = Callable[[MongoStore, Callable[[Sequence[Row]], Awaitable[object]]], None]


@pytest.fixture
def before_creating(monkeypatch: pytest.MonkeyPatch) -> Hook:
    """Has something done each time before a store inserts the first row of a chat."""

    def install(store: MongoStore, action: Callable[[Sequence[Row]], Awaitable[object]]) -> None:
        log = store._writer.replicas.log
        original = log.insert

        async def insert(rows: Sequence[Row], hint: Document | None) -> int:
            if rows and rows[0].kind == "opened":
                await action(rows)
            return await original(rows, hint)

        monkeypatch.setattr(log, "insert", insert)

    return install


async def settle(world: World, chat_id: int) -> None:
    """Whatever the other server wrote last, this one tells when it next looks."""
    await world.store.chats.load(chat_id)


async def test_numbers_and_order_are_the_same_for_both(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    here, there = World(mongo_store), World(second_store)
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    await settle(there, chat_id)

    async def write(world: World, user_id: int, seed: int) -> None:
        script = random.Random(seed)
        for _ in range(6):
            sends = [world.send(chat_id, user_id, f"{number}") for number in range(script.randrange(1, 15))]
            mine = await asyncio.gather(*sends)
            await world.store.messages.edit(mine[0].id, user_id, "edited", at(1))
            await world.store.messages.delete(mine[-1].id, user_id, at(1))

    await asyncio.gather(write(here, anna, 1), write(there, boris, 2))
    for world in (here, there):
        await settle(world, chat_id)
        await world.check_published(chat_id)
    # A server that reads later of a message deleted meanwhile publishes it without its content.
    both = [
        [(message.changed_seq, message.id, message.sender_id) for message in world.message_changes(chat_id)]
        for world in (here, there)
    ]
    assert both[0] == both[1]


async def test_one_message_for_one_client_id(mongo_store: MongoStore, second_store: MongoStore) -> None:
    worlds = World(mongo_store), World(second_store)
    anna = await worlds[0].user()
    chat_id = await worlds[0].chat(anna)
    drafts = [draft(chat_id, anna, f"{number}", client_id=f"{number % 25}") for number in range(100)]
    results = await asyncio.gather(
        *(world.store.messages.append(sent_draft) for sent_draft in drafts for world in worlds)
    )
    assert sum(not result.duplicate for result in results) == 25
    assert len({result.message.id for result in results}) == 25
    for world in worlds:
        await settle(world, chat_id)
        await world.check_published(chat_id)


async def test_both_change_the_same_messages(mongo_store: MongoStore, second_store: MongoStore) -> None:
    """Of the changes of one message each sees the one before; a deletion is final."""
    worlds = World(mongo_store), World(second_store)
    anna = await worlds[0].user()
    chat_id = await worlds[0].chat(anna)
    messages = await asyncio.gather(*(worlds[0].send(chat_id, anna) for _ in range(5)))
    results = await asyncio.gather(
        *(world.store.messages.delete(m.id, anna, at(1)) for m in messages for world in worlds),
        *(world.store.messages.edit(m.id, anna, "x", at(1)) for m in messages for world in worlds),
        return_exceptions=True,
    )
    deleted = [result for result in results if isinstance(result, Message) and result.deleted]
    assert sorted(message.id for message in deleted) == sorted(message.id for message in messages)
    assert {type(result) for result in results} <= {Message, NotFound}
    for world in worlds:
        await settle(world, chat_id)
        published = world.message_changes(chat_id)
        assert [message.changed_seq for message in published][-len(published) :] == list(
            range(published[0].changed_seq, published[0].changed_seq + len(published))
        )
        last = {message.id: message for message in published}
        assert all(message.deleted for message in last.values())


async def test_membership_is_judged_on_the_newest_state(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    here, there = World(mongo_store), World(second_store)
    anna, boris, vera = await here.users(3)
    chat_id = await here.chat(anna, boris)
    await there.send(chat_id, boris)
    await mongo_store.chats.remove_member(chat_id, anna, boris, START)
    await mongo_store.chats.add_member(chat_id, anna, vera, "member", at(1))
    results = await asyncio.gather(
        there.send(chat_id, boris),
        there.send(chat_id, vera),
        second_store.chats.add_member(chat_id, anna, vera, "member", at(1)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [NotFound, Message, Duplicate]
    await mongo_store.chats.delete(chat_id, anna)
    results = await asyncio.gather(
        there.send(chat_id, vera),
        second_store.messages.mark_read(chat_id, vera, None),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [NotFound, NotFound]
    assert await second_store.chats.load(chat_id) is None


async def test_one_owner_stays(mongo_store: MongoStore, second_store: MongoStore) -> None:
    here, there = World(mongo_store), World(second_store)
    anna, boris = await here.users(2)
    for _ in range(5):
        chat_id = await here.chat(anna, boris)
        await mongo_store.chats.set_role(chat_id, anna, boris, "owner", START)
        results = await asyncio.gather(
            here.store.chats.set_role(chat_id, anna, anna, "member", START),
            there.store.chats.set_role(chat_id, boris, boris, "member", START),
            return_exceptions=True,
        )
        assert {type(result) for result in results} == {Member, LastOwner}


async def test_one_of_two_gets_it(mongo_store: MongoStore, second_store: MongoStore) -> None:
    """A username, a place in a chat, the one private chat, the first use of a token."""
    here, there = World(mongo_store), World(second_store)
    anna, boris, vera = await here.users(3)
    chat_id = await here.chat(anna)
    for number in range(5):
        results = await asyncio.gather(
            here.user(f"gleb{number}"), there.user(f"GLEB{number}"), return_exceptions=True
        )
        assert {type(result) for result in results} == {int, Duplicate}
    results = await asyncio.gather(
        *(
            store.chats.add_member(chat_id, anna, boris, "member", at(1))
            for store in (mongo_store, second_store)
        ),
        return_exceptions=True,
    )
    assert {type(result) for result in results} == {Member, Duplicate}
    chats = await asyncio.gather(
        *(
            world.make_chat(*pair, chat_type="private")
            for world in (here, there)
            for pair in [(anna, vera)] * 3
        )
    )
    assert len({chat.id for chat, _ in chats}) == 1
    assert sum(created for _, created in chats) == 1
    await mongo_store.sessions.create(
        session_id="s", user_id=anna, token_hash="t", expires_at=at(99), created_at=START
    )
    results = await asyncio.gather(
        *(
            store.sessions.rotate("t", new_hash=f"{seconds}", expires_at=at(99), now=at(seconds), grace_s=5)
            for store, seconds in ((mongo_store, 0), (second_store, 50))
        ),
        return_exceptions=True,
    )
    session = await mongo_store.sessions.get("s")
    assert session is not None
    assert session.revoked == any(isinstance(result, TokenReused) for result in results)


@pytest.mark.parametrize("times", [1, 3])
async def test_a_private_chat_that_another_server_creates_and_deletes_meanwhile(
    mongo_store: MongoStore, second_store: MongoStore, before_creating: Hook, times: int
) -> None:
    here, there = World(mongo_store), World(second_store)
    anna, boris = await here.users(2)
    gone: list[int] = []

    async def create_and_delete(_rows: Sequence[Row]) -> None:
        for _ in range(0 if gone else times):
            gone.append(await there.chat(boris, anna, chat_type="private"))
            await second_store.chats.delete(gone[-1], boris)

    before_creating(mongo_store, create_and_delete)
    async with within(10):
        chat, created = await here.make_chat(anna, boris, chat_type="private")
    assert created
    assert chat.id not in gone
    assert len(set(gone)) == times
    # One place for each chat, and none for a chat that is gone already.
    assert await mongo_store._database.pairs.count_documents({}) == times + 1
    assert await there.make_chat(boris, anna, chat_type="private") == (chat, False)


async def test_places_of_private_chats_are_not_tried_for_ever(
    mongo_store: MongoStore, second_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server deletes the chat of each place as soon as the place is there."""
    monkeypatch.setattr("storage.mongo.retry_budget._CONTEST_S", 0.2)
    here, there = World(mongo_store), World(second_store)
    anna, boris = await here.users(2)
    database = mongo_store._database
    original = database.add

    async def add(collection: Collection, document: Document) -> bool:
        added = await original(collection, document)
        if collection is database.pairs:
            chat_id = await there.chat(boris, anna, chat_type="private")
            await second_store.chats.delete(chat_id, boris)
        return added

    monkeypatch.setattr(database, "add", add)
    async with within(10):
        with pytest.raises(Unavailable) as refused:
            await here.make_chat(anna, boris, chat_type="private")
    assert refused.value.trouble == "contested"


async def test_a_private_chat_that_a_newer_server_creates_meanwhile(
    mongo_store: MongoStore, second_store: MongoStore, before_creating: Hook
) -> None:
    here, there = World(mongo_store), World(second_store)
    anna, boris = await here.users(2)

    async def create(rows: Sequence[Row]) -> None:
        chat_id = await there.chat(boris, anna, chat_type="private")
        assert chat_id == rows[0].chat_id
        row = Row(chat_id, 2, 0, "archived", "mark")
        assert await second_store._writer.replicas.log.insert([row]) == 1

    before_creating(mongo_store, create)
    async with within(10):
        with pytest.raises(Unavailable, match="'archived'") as refused:
            await here.make_chat(anna, boris, chat_type="private")
    assert refused.value.trouble == "newer"


async def test_what_a_dead_server_left_is_projected_and_published(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    """Its rows are in the log and nowhere else."""
    here, there = World(mongo_store), World(second_store)
    anna = await here.user()
    chat_id = await here.chat(anna)
    first = await here.send(chat_id, anna, "first")
    await settle(there, chat_id)
    replica = mongo_store._writer.replicas.peek(chat_id)
    assert replica is not None
    log = mongo_store._writer.replicas.log
    left = replace(first, id=999, seq=2, changed_seq=2, content="left behind")
    edited = replace(first, content="edited", changed_seq=3)
    rows = [
        row_of(MessageCreated(left), chat_id, replica.n + 1, 2, "a"),
        row_of(MessageEdited(edited), chat_id, replica.n + 2, 3, "b"),
    ]
    assert await log.insert(rows) == 2
    assert (await there.send(chat_id, anna, "next")).seq == 4
    assert await second_store.messages.get(999) == left
    assert await second_store.messages.get(first.id) == edited
    for world in (here, there):
        await settle(world, chat_id)
        assert [message.changed_seq for message in world.message_changes(chat_id)][-3:] == [2, 3, 4]
    await here.check_published(chat_id)


async def test_appended_repeats_name_the_other_servers_message(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    here, there = World(mongo_store), World(second_store)
    anna = await here.user()
    chat_id = await here.chat(anna)
    await there.send(chat_id, anna)
    first = await here.send(chat_id, anna, "first", client_id="x")
    edited = await here.store.messages.edit(first.id, anna, "edited", at(1))
    again = await second_store.messages.append(draft(chat_id, anna, client_id="x"))
    assert again == Appended(edited, duplicate=True)


async def test_a_message_that_another_server_has_changed_once_more_is_in_the_replay(
    mongo_store: MongoStore, second_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event of the reaction that follows says nothing of the message."""
    here, there = World(mongo_store), World(second_store)
    anna = await here.user()
    chat_id = await here.chat(anna)
    edited, sent, last = [await here.send(chat_id, anna, text) for text in ("one", "two", "three")]
    edited = await here.store.messages.edit(edited.id, anna, "edited", at(1))
    for message in (edited, sent):
        await there.store.messages.add_reaction(message.id, anna, "👍", at(2))

    async def behind(_chat_id: int) -> None:
        """This server has not looked at the log since."""

    monkeypatch.setattr(mongo_store.messages._follower, "catch_up", behind)
    assert await mongo_store.messages.changed_since(chat_id, 0, limit=9) == [sent, last, edited]
    assert await mongo_store.messages.changed_since(chat_id, 2, limit=9) == [last, edited]
    assert await mongo_store.messages.changed_since(chat_id, 0, limit=1) == [sent]
    monkeypatch.undo()
    changed = await mongo_store.messages.changed_since(chat_id, 3, limit=9)
    assert [(one.id, one.reactions) for one in changed] == [
        (edited.id, {"👍": [anna]}),
        (sent.id, {"👍": [anna]}),
    ]
