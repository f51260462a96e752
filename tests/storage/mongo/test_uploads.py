"""Uploads on several nodes: one message has an upload, the quota is exact, and what one node leaves another one
finishes."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from domain.changes import ChatDeleted, MessageCreated, MessageDeleted, UserChanged
from domain.file_changes import ChatAvatarChanged, FilesRemoved
from domain.models import Appended
from domain.refusals import BadReference, Forbidden, NotFound, OverQuota
from storage.errors import Unavailable
from storage.mongo import MongoStore, avatar_notes, versions
from storage.mongo.database import Database
from tests.storage.conftest import MongoPlace
from tests.storage.kept import all_ids, clean, keep, picture, queue, read, traces, upload
from tests.storage.mongo.nodes import Node
from tests.storage.world import START, World, at, draft

BEFORE = 2
"""The format of versions that know no files."""


async def test_files_where_a_query_finds_several_documents(mongo_store: MongoStore) -> None:
    """As on MongoDB itself: there one command deletes many pieces."""
    mongo_store._database.finds_many = True
    files = mongo_store.files
    await keep(files, "one", b"x" * 800_000)
    await keep(files, "two", b"y" * 800_000)
    writing = await files.begin()
    await writing.write(b"z" * 800_000)
    await files.delete(["one", "unknown"])
    assert await all_ids(files) == ["two"]
    assert await traces(mongo_store) == 5
    await files.delete(["two"])
    assert await traces(mongo_store) == 0


async def test_the_quota_is_exact_on_two_nodes(here: Node, there: Node) -> None:
    anna = await here.user()

    async def one(node: Node, number: int) -> int:
        name = f"{'here' if node is here else 'there'}{number}"
        try:
            await upload(node.store, anna, name, content=b"x" * 10, quota_bytes=75)
        except OverQuota:
            return 0
        if number % 3 == 0:
            await node.store.uploads.discard([name])
            return 0
        return 1

    kept = sum(await asyncio.gather(*(one(node, number) for number in range(9) for node in (here, there))))
    assert 1 <= kept <= 7
    for node in (here, there):
        assert await node.store.uploads.used_bytes(anna) == 10 * kept
        assert (await node.store.uploads.totals()).size_bytes == 10 * kept
    database = here.store._database
    entries = await database.find(database.quotas, {"user_id": anna}, sort=[("n", 1)])
    assert [entry["n"] for entry in entries] == list(range(1, len(entries) + 1))
    assert max(entry["used"] for entry in entries) <= 75


async def test_a_node_that_is_far_behind_knows_the_quota(here: Node, there: Node) -> None:
    anna = await here.user()
    await upload(there.store, anna, "first", quota_bytes=100)
    for number in range(9):
        await upload(here.store, anna, f"file{number}", quota_bytes=100)
    assert await there.store.uploads.used_bytes(anna) == 50
    await here.store.uploads.discard([f"file{number}" for number in range(9)])
    with pytest.raises(OverQuota) as refused:
        await upload(there.store, anna, "large", content=b"x" * 96, quota_bytes=100)
    assert refused.value.used_bytes == 5
    await upload(there.store, anna, "other", content=b"x" * 95, quota_bytes=100)
    assert await here.store.uploads.used_bytes(anna) == 100


async def test_one_of_two_nodes_gets_an_upload(here: Node, there: Node) -> None:
    anna = await here.user()
    chats = {here: await here.chat(anna), there: await here.chat(anna)}
    for node, chat_id in chats.items():
        await node.store.chats.load(chat_id)
    for number in range(6):
        await upload(here.store, anna, f"file{number}")
        outcomes = await asyncio.gather(
            *(
                node.send(chat_id, anna, attachments=[f"file{number}"], client_id=f"{number}{chat_id}")
                for node, chat_id in chats.items()
            ),
            return_exceptions=True,
        )
        (refused,) = [one for one in outcomes if isinstance(one, BaseException)]
        assert isinstance(refused, BadReference)
    for chat_id in chats.values():
        await here.store.chats.load(chat_id)
    attached = [
        attachment.id
        for chat_id in chats.values()
        for message in await here.everything(chat_id)
        for attachment in message.attachments
    ]
    assert sorted(attached) == [f"file{number}" for number in range(6)]


async def test_the_same_send_at_two_nodes_is_one_message(here: Node, there: Node) -> None:
    anna = await here.user()
    chat_id = await here.chat(anna)
    await there.store.chats.load(chat_id)
    for number in range(5):
        await upload(here.store, anna, f"file{number}")
        one, two = await asyncio.gather(
            *(
                node.send(chat_id, anna, attachments=[f"file{number}"], client_id=f"{number}")
                for node in (here, there)
            )
        )
        assert one == two
        assert [attachment.id for attachment in one.attachments] == [f"file{number}"]
    assert await here.head(chat_id) == 5


async def test_the_other_node_hears_of_files(here: Node, there: Node) -> None:
    anna = await here.user()
    chat_id = await here.chat(anna)
    await there.store.chats.begin(chat_id)
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    one = await picture(here.store, anna, "one")
    sent = await here.send(chat_id, anna, attachments=["one"])
    await there.look()
    assert there.take(MessageCreated) == [MessageCreated(sent)]
    assert sent.attachments == (one.attachment(),)
    assert await read(there.store.files, "one") == b"bytes"
    user = await here.store.users.set_avatar(anna, "me")
    chat = await here.store.chats.set_avatar(chat_id, anna, "us", at(1))
    await there.look()
    published = there.take()
    assert UserChanged(user) in published
    assert ChatAvatarChanged(chat, None, anna, at(1)) in published
    await here.store.messages.delete(sent.id, anna, at(2))
    await there.look()
    assert there.take(MessageDeleted)
    # The node that deletes the bytes is the one that deleted the message; the others find them in the queue.
    await clean(there.store)
    assert await traces(here.store) == 0
    here.take(FilesRemoved)
    await here.store.chats.delete(chat_id, anna)
    await there.look()
    assert there.take(ChatDeleted)


def dies(database: Database, name: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The node dies before it writes something for the first time: no later call reaches the database."""
    collection = getattr(database, name)

    async def call(*_args: Any, **_options: Any) -> Any:
        database._closed = True
        raise AutoReconnect("dead")

    monkeypatch.setattr(collection, method, call)


async def claimed_by_a_dead_node(
    here: Node,
    place: MongoPlace,
    monkeypatch: pytest.MonkeyPatch,
    *,
    client_id: str | None,
    created_at: datetime = START,
) -> tuple[int, int]:
    """A user and a chat, and an upload that a node has claimed for a message that it did not insert."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await picture(here.store, anna, "one")
    dead = await place.open()
    with monkeypatch.context() as patched:
        dies(dead._database, "changes", "insert_many", patched)
        with pytest.raises(Unavailable):
            await dead.messages.append(
                draft(chat_id, anna, attachments=["one"], client_id=client_id, created_at=created_at)
            )
    await dead.close()
    return anna, chat_id


async def test_a_node_dies_between_a_claim_and_its_message(
    here: Node, mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same send goes on where it was; another one does not get the upload."""
    anna, chat_id = await claimed_by_a_dead_node(here, mongo_place, monkeypatch, client_id="x")
    with pytest.raises(BadReference):
        await here.send(chat_id, anna, attachments=["one"])
    assert (await here.store.uploads.get("one")) is not None
    sent = await here.send(chat_id, anna, attachments=["one"], client_id="x")
    assert sent.attachments
    assert await here.store.uploads.expire(at(10_000), 10) == 0


@pytest.mark.parametrize("client_id", ["x", None])
async def test_a_claim_that_no_message_followed_ends(
    here: Node, mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch, client_id: str | None
) -> None:
    anna, chat_id = await claimed_by_a_dead_node(here, mongo_place, monkeypatch, client_id=client_id)
    # The upload is old enough, but the message may still be on its way: the claim is as old as the message.
    assert await here.store.uploads.expire(START, 10) == 0
    assert await here.store.uploads.expire(at(3600), 10) == 1
    assert await queue(here.store) == {"one", "one.t"}
    with pytest.raises(BadReference):
        await here.send(chat_id, anna, attachments=["one"], client_id=client_id)
    assert await here.store.uploads.used_bytes(anna) == 0


@pytest.mark.parametrize("what", [("uploads", "bulk_write"), ("messages", "bulk_write")])
async def test_a_message_that_is_in_the_log_alone_keeps_its_upload(
    here: Node, mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch, what: tuple[str, str]
) -> None:
    """The node died after the insert, before the projection."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await picture(here.store, anna, "one")
    dead = await mongo_place.open()
    with monkeypatch.context() as patched:
        dies(dead._database, *what, patched)
        with pytest.raises(Unavailable):
            await dead.messages.append(draft(chat_id, anna, attachments=["one"]))
    await dead.close()
    assert await here.store.uploads.expire(at(10_000), 10) == 0
    await here.store.uploads.discard(["one"])
    await clean(here.store)
    await here.store.chats.load(chat_id)
    (sent,) = await here.everything(chat_id)
    assert [attachment.id for attachment in sent.attachments] == ["one"]
    assert await read(here.store.files, "one")
    found = await here.store.uploads.get("one")
    assert found is not None
    assert found.message_id == sent.id


@pytest.mark.parametrize(
    "what",
    [
        ("freed_files", "bulk_write"),
        ("changes", "update_many"),
        ("messages", "bulk_write"),
        ("quotas", "insert_one"),
        ("uploads", "delete_one"),
    ],
)
async def test_a_node_dies_while_it_deletes(
    here: Node, mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch, what: tuple[str, str]
) -> None:
    """Until the deletion is seen, the files are there; after it they go, whoever sees it."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await picture(here.store, anna, "one")
    sent = await here.send(chat_id, anna, attachments=["one"])
    dead = await mongo_place.open()
    with monkeypatch.context() as patched:
        dies(dead._database, *what, patched)
        with pytest.raises(Unavailable):
            await dead.messages.delete(sent.id, anna, at(1))
    await dead.close()
    await clean(here.store)
    stored = await here.store.messages.get(sent.id)
    assert stored is not None
    if not stored.deleted:
        assert await read(here.store.files, "one")
        assert await read(here.store.files, "one.t")
    later = await mongo_place.open()
    await World(later).send(chat_id, anna)
    await clean(later)
    stored = await later.messages.get(sent.id)
    assert stored is not None
    assert stored.deleted
    assert await traces(later) == 0
    assert await later.uploads.used_bytes(anna) == 0
    assert await later.uploads.get("one") is None
    await later.close()


async def test_an_account_ends_while_it_uploads(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end cannot find what is added after it; so who adds looks once more."""
    anna = await here.user()
    quotas = here.store.uploads._quotas
    original = quotas.add

    async def add(*args: Any) -> None:
        await there.store.users.delete(anna)
        await original(*args)

    monkeypatch.setattr(quotas, "add", add)
    with pytest.raises(NotFound):
        await upload(here.store, anna, "one")
    await clean(here.store)
    assert await traces(here.store) == 0
    assert await here.store.uploads.used_bytes(anna) == 0


async def test_an_account_ends_while_it_gets_an_avatar(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await here.user()
    await keep(here.store.files, "avatar")
    users = here.store.users
    original = users._update

    async def update(user_id: int, change: dict[str, Any]) -> None:
        monkeypatch.undo()
        await there.store.users.delete(anna)
        await original(user_id, change)

    monkeypatch.setattr(users, "_update", update)
    with pytest.raises(NotFound):
        await users.set_avatar(anna, "avatar")
    user = await there.store.users.get(anna)
    assert user is not None
    assert user.avatar_id is None
    assert await here.store.uploads.known(["avatar"]) == set()


@pytest.mark.parametrize("is_old", [False, True])
async def test_an_avatar_that_is_in_the_log_alone_stays(
    here: Node, mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch, is_old: bool
) -> None:
    """The node died after the insert, and nobody has used the chat since."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    for file_id in ("first", "second"):
        await keep(here.store.files, file_id)
    await here.store.chats.set_avatar(chat_id, anna, "first", at(1))
    assert await claims_of_avatars(here.store) == 0
    dead = await mongo_place.open()
    with monkeypatch.context() as patched:
        dies(dead._database, "chats", "bulk_write", patched)
        with pytest.raises(Unavailable):
            await dead.chats.set_avatar(chat_id, anna, "second", at(2))
    await dead.close()
    assert await claims_of_avatars(here.store) == 1
    if is_old:
        monkeypatch.setattr(avatar_notes, "_AGE", timedelta())
    later = await mongo_place.open()
    await clean(later)
    assert await read(later.files, "second")
    await clean(later)  # the first came into the queue
    assert await all_ids(later.files) == ["second"]
    state = await later.chats.load(chat_id)
    assert state is not None
    assert state.chat.avatar_id == "second"
    assert await claims_of_avatars(later) == (0 if is_old else 1)
    await later.close()


@pytest.mark.parametrize("is_old", [False, True])
async def test_an_avatar_whose_node_died_before_the_log_had_it_goes(
    here: Node, mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch, is_old: bool
) -> None:
    anna = await here.user()
    chat_id = await here.chat(anna)
    await keep(here.store.files, "avatar")
    dead = await mongo_place.open()
    with monkeypatch.context() as patched:
        dies(dead._database, "changes", "insert_many", patched)
        dies(dead._database, "changes", "insert_one", patched)
        with pytest.raises(Unavailable):
            await dead.chats.set_avatar(chat_id, anna, "avatar", at(2))
    await dead.close()
    if is_old:
        monkeypatch.setattr(avatar_notes, "_AGE", timedelta())
    await clean(here.store)
    assert await traces(here.store) == 0
    assert await claims_of_avatars(here.store) == (0 if is_old else 1)


async def test_a_refused_avatar_leaves_no_note(here: Node) -> None:
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    with pytest.raises(Forbidden):
        await here.store.chats.set_avatar(chat_id, boris, "avatar", at(1))
    assert await claims_of_avatars(here.store) == 0


async def claims_of_avatars(store: MongoStore) -> int:
    found = await store._database.claims.find({}).to_list(None)
    return sum(claim["_id"].startswith("avatar:") for claim in found)


async def test_a_send_that_is_refused_after_its_claim_gives_it_back(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, boris = await here.users(2)
    chat_id, other_id = await here.chat(anna, boris), await here.chat(boris)
    await upload(here.store, boris, "one")
    await here.send(chat_id, boris)
    claims = here.store._database.claims
    original = claims.insert_one

    async def insert_one(document: dict[str, Any]) -> Any:
        await there.store.moderation.mute(chat_id, anna, boris, at(10_000), at(1))
        return await original(document)

    with monkeypatch.context() as patched:
        patched.setattr(claims, "insert_one", insert_one)
        with pytest.raises(Forbidden):
            await here.send(chat_id, boris, attachments=["one"], created_at=at(2))
    assert (await here.send(other_id, boris, attachments=["one"])).attachments


async def test_the_claim_of_a_repeat_whose_node_died_does_not_last(
    here: Node, mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message of the claim is there, and has other uploads."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await picture(here.store, anna, "first")
    await picture(here.store, anna, "other")
    await here.send(chat_id, anna, attachments=["first"], client_id="x")
    dead = await mongo_place.open()
    with monkeypatch.context() as patched:
        dies(dead._database, "changes", "insert_many", patched)
        with pytest.raises(Unavailable):
            await dead.messages.append(draft(chat_id, anna, attachments=["other"], client_id="x"))
    await dead.close()
    await here.store.uploads.discard(["first", "other"])
    assert await queue(here.store) == {"other", "other.t"}


async def test_no_attachments_while_an_older_node_lives(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    await upload(mongo_store, anna, "one")
    mongo_store.nodes.lowest_format = BEFORE
    with pytest.raises(Unavailable) as raised:
        await world.send(chat_id, anna, attachments=["one"])
    assert raised.value.trouble == "newer"
    with pytest.raises(Unavailable):
        await mongo_store.chats.set_avatar(chat_id, anna, "us", at(1))
    database = mongo_store._database
    assert (await world.send(chat_id, anna)).seq == 1
    chat = await database.get(database.chats, str(chat_id))
    assert chat is not None
    assert "kinds" not in chat
    mongo_store.nodes.lowest_format = versions.FORMAT
    assert (await world.send(chat_id, anna, attachments=["one"])).seq == 2
    chat = await database.get(database.chats, str(chat_id))
    assert chat is not None
    assert set(chat["kinds"]) == {"attached"}


async def test_what_a_deleted_message_had_is_nowhere(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    await picture(mongo_store, anna, "one", name="secret name.png")
    sent = await world.send(chat_id, anna, attachments=["one"])
    await mongo_store.messages.edit(sent.id, anna, "edited", at(1))
    await mongo_store.messages.delete(sent.id, anna, at(2))
    await clean(mongo_store)
    database = mongo_store._database
    places: Sequence[Any] = await database.client[database.name].list_collection_names()
    for place in places:
        for document in await database.client[database.name][place].find({}).to_list(None):
            assert "secret" not in repr(document), place


async def test_a_repeat_is_answered_though_its_upload_was_attached_a_moment_ago(
    here: Node, there: Node
) -> None:
    """The document of the upload is behind, and so is the replica of the chat."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await there.store.chats.load(chat_id)
    await upload(here.store, anna, "one")
    wanted = draft(chat_id, anna, attachments=["one"], client_id="x")
    first = await here.store.messages.append(wanted)
    uploads = there.store._database.uploads
    await uploads.update_one({"_id": "one"}, {"$set": {"message_id": None}})
    assert await there.store.messages.append(wanted) == Appended(first.message, duplicate=True)
    assert await there.store.messages.append(replace(wanted, content="other")) == Appended(
        first.message, duplicate=True
    )
