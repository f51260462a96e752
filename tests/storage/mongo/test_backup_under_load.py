"""A backup of a database that two nodes write meanwhile: nothing that was acked is missing, nothing is half, and
nothing names what is not there."""

import asyncio
import io
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from domain.decisions.settings import SettingsRequest
from domain.models import Message
from domain.refusals import Refusal
from storage.backup.making import make_backup
from storage.backup.reading import BackupReader
from storage.backup_ports import Batch, Record
from storage.mongo import MongoStore
from storage.mongo.backup import log_index, message_reader
from storage.open import open_snapshot
from tests.storage.conftest import MongoPlace, close
from tests.storage.kept import upload
from tests.storage.mongo.test_restored import restore
from tests.storage.world import World, at


class Load:
    """What people do on a node. `acked` has the newest state of each message that they know."""

    def __init__(self, stores: list[MongoStore], seed: int) -> None:
        self.worlds = [World(store) for store in stores]
        self.acked: dict[int, Message] = {}
        self.users: list[int] = []
        self.chats: list[int] = []
        self._random = random.Random(seed)
        self._numbers = count(1)
        self.done = 0
        self.said = {"hello"}

    async def begin(self) -> None:
        world = self.worlds[0]
        self.users = await world.users(4)
        self.chats = [await world.chat(*self.users, name=f"Chat {number}") for number in range(3)]

    async def run(self) -> None:
        while True:
            action = self._random.choice(self._actions())
            with suppress(Refusal, IndexError):
                await action(self._random.choice(self.worlds))
            self.done += 1

    def _actions(self) -> list[Callable[[World], Awaitable[None]]]:
        often = [self._send, self._send, self._send, self._edit, self._edit, self._react, self._pin]
        return [*often, self._delete, self._read, self._people, self._chat, self._private, self._file]

    def _known(self, message: Message) -> None:
        before = self.acked.get(message.id)
        if before is None or before.changed_seq < message.changed_seq:
            self.acked[message.id] = message

    def _some(self) -> Message:
        return self._random.choice(list(self.acked.values()))

    async def _send(self, world: World) -> None:
        number, user_id = next(self._numbers), self._random.choice(self.users)
        chat_id = self._random.choice(self.chats)
        reply = [one.id for one in self.acked.values() if one.chat_id == chat_id][-3:]
        more = {"reply_to": self._random.choice(reply)} if reply and number % 3 == 0 else {}
        content = f"message {number} @user{1 + number % 4}"
        self.said.add(content)
        self._known(await world.send(chat_id, user_id, content, client_id=f"c{number}", **more))

    async def _edit(self, world: World) -> None:
        one = self._some()
        content = f"edited {next(self._numbers)}"
        self.said.add(content)
        self._known(await world.store.messages.edit(one.id, one.sender_id, content, at(next(self._numbers))))

    async def _react(self, world: World) -> None:
        emoji = self._random.choice("👍🎉🤖")
        user_id = self._random.choice(self.users)
        self._known(await world.store.messages.add_reaction(self._some().id, user_id, emoji, at(1)))

    async def _pin(self, world: World) -> None:
        self._known(await world.store.messages.pin(self._some().id, self.users[0], at(2)))

    async def _delete(self, world: World) -> None:
        self._known(await world.store.messages.delete(self._some().id, self.users[0], at(3)))

    async def _read(self, world: World) -> None:
        one, user_id = self._some(), self._random.choice(self.users)
        await world.store.messages.mark_read(one.chat_id, user_id, one.id)
        await world.store.chats.change_settings(one.chat_id, user_id, SettingsRequest(None, True, None, None))

    async def _people(self, world: World) -> None:
        """Somebody new comes, says something, and leaves or is banned."""
        user_id = await world.user(f"new{next(self._numbers)}")
        chat_id, owner = self._random.choice(self.chats), self.users[0]
        await world.store.chats.add_member(chat_id, owner, user_id, "member", at(4))
        self._known(await world.send(chat_id, user_id, "hello"))
        if self._random.random() < 0.5:
            await world.store.moderation.ban(chat_id, owner, user_id, None, at(5))

    async def _chat(self, world: World) -> None:
        """A chat comes and goes."""
        chat_id = await world.chat(*self.users, name="Short")
        await world.send(chat_id, self.users[0], "not for long")
        if self._random.random() < 0.7:
            await world.store.chats.delete(chat_id, self.users[0])

    async def _private(self, world: World) -> None:
        """A private chat of the same two is deleted and made again."""
        one, other = self.users[:2]
        chat_id = await world.chat(one, other, chat_type="private", name=None)
        await world.send(chat_id, one, "private")
        await world.store.chats.delete(chat_id, one)

    async def _file(self, world: World) -> None:
        name, user_id = f"file{next(self._numbers)}", self._random.choice(self.users)
        self.said.add(name)
        await upload(world.store, user_id, name, content=name.encode() * 100)
        chat_id = self._random.choice(self.chats)
        if self._random.random() < 0.8:
            self._known(await world.send(chat_id, user_id, name, attachments=[name]))


@pytest.mark.long
@pytest.mark.parametrize(("seed", "is_paged"), [(1, True), (2, True), (3, False)])
async def test_a_backup_under_load(
    mongo_place: MongoPlace,
    mongo_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    is_paged: bool,
) -> None:
    """`is_paged`: read as from MongoDB, some documents at a time."""
    stores = [await mongo_place.open(), await mongo_place.open()]
    load = Load(stores, seed)
    await load.begin()
    tasks = [asyncio.create_task(load.run()) for _ in range(4)]
    while load.done < 150:
        await asyncio.sleep(0.02)
        for task in tasks:
            if task.done():
                task.result()
    before, done = dict(load.acked), load.done
    out = io.BytesIO()
    snapshot = await open_snapshot(mongo_place.url)
    if is_paged:
        snapshot._database.finds_many = True
        monkeypatch.setattr(message_reader, "AT_ONCE", 5)
        monkeypatch.setattr(log_index, "AT_ONCE", 20)
    await make_backup(snapshot, out, version="tests")
    await snapshot.close()
    meanwhile = load.done - done
    for task in tasks:
        assert not task.done()
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert meanwhile > 20
    for store in stores:
        await close(store)
    check(out, before, load.said, load.chats)
    await restore(out, f"sqlite:///{tmp_path}/restored.db")
    other = MongoPlace(mongo_url)
    await restore(out, other.url)
    store = await other.open()
    for chat_id in load.chats:
        sent = await World(store).send(chat_id, load.users[0], "goes on", created_at=at(9999))
        assert await World(store).head(chat_id) == sent.seq
    await close(store)
    await other.drop()


def records_of(backup: io.BytesIO) -> dict[str, list[Record]]:
    backup.seek(0)
    found: dict[str, list[Record]] = defaultdict(list)
    for item in BackupReader(backup).items():
        if isinstance(item, Batch):
            found[item.kind] += item.records
    return found


def check(backup: io.BytesIO, acked: dict[int, Message], said: set[str], chats: list[int]) -> None:
    found = records_of(backup)
    messages = {record["id"]: record for record in found["message"]}
    assert len(messages) == len(found["message"])
    for message_id, message in acked.items():
        record = messages[message_id]
        assert record["seq"] == message.seq
        assert record["changed_seq"] >= message.changed_seq
        if record["changed_seq"] == message.changed_seq and not record.get("deleted"):
            assert record["content"] == message.content
    users = {record["id"] for record in found["user"]}
    heads = {record["id"]: record["head_seq"] for record in found["chat"]}
    assert heads.keys() >= set(chats)
    last: dict[int, int] = defaultdict(int)
    attached: list[str] = []
    for record in messages.values():
        last[record["chat_id"]] = max(last[record["chat_id"]], record["changed_seq"])
        assert {record["sender_id"], *record.get("mentions", ())} <= users
        for reaction in record.get("reactions", ()):
            assert set(reaction["user_ids"]) <= users
        if "reply_to" in record:
            assert messages[record["reply_to"]]["chat_id"] == record["chat_id"]
        attached += [one["id"] for one in record.get("attachments", ())]
        if not record.get("deleted") and "edited_at" in record:
            texts = [version["content"] for version in record["versions"]] + [record["content"]]
            assert len(texts) == len(set(texts))
            assert said.issuperset(texts)
    assert {chat_id: head for chat_id, head in heads.items() if head} == dict(last)
    uploads = attached + [record["id"] for record in found["upload"]]
    assert len(uploads) == len(set(uploads))
    for record in found["member"]:
        assert record["user_id"] in users
        assert record["read_seq"] <= heads[record["chat_id"]]
        if "last_read_message_id" in record:
            assert messages[record["last_read_message_id"]]["seq"] == record["read_seq"]
    assert {record["user_id"] for record in found["ban"]} <= users
    pairs = [tuple(record["user_ids"]) for record in found["chat"] if "user_ids" in record]
    assert len(pairs) == len(set(pairs))
