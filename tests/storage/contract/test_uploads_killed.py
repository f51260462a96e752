"""The server dies at each step of what it does with files. What a message has is whole afterwards, nothing else stays,
and the quota counts what is there."""

import errno
import itertools
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from domain.acts import AccountUpdate
from domain.files import file_ids_of, thumbnail_id
from domain.refusals import NotFound
from storage.errors import Unavailable
from storage.mongo import MongoStore
from storage.ports import Store
from tests.storage.conftest import MongoPlace, Place, SqlitePlace
from tests.storage.kept import all_ids, chats_removed, clean, keep, picture, read, traces, upload
from tests.storage.world import World, at

LARGE = b"x" * 300_000

STEPS = ("mkdir", "open", "write", "fsync", "rename", "unlink")
"""What is done with a folder."""


class Death:
    """The server dies at step `last`: that step and later ones do nothing, or it is done and nobody hears of it."""

    def __init__(self, last: int, *, is_done: bool = False) -> None:
        self._last, self._is_done = last, is_done
        self.steps = 0

    @property
    def is_over(self) -> bool:
        """Whether the server is dead."""
        return self.steps > self._last

    def step(self) -> None:
        self.steps += 1
        if self.is_over:
            raise Unavailable("dead")

    async def around(self, call: Callable[[], Awaitable[Any]]) -> Any:
        self.steps += 1
        if self.is_over:
            if self._is_done and self.steps == self._last + 1:
                await call()
            raise AutoReconnect("dead")
        return await call()


@asynccontextmanager
async def mortal(place: Place, death: Death, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A server for which each call of the database, or of the folder, is a step."""
    store = await place.open()
    with monkeypatch.context() as patched:
        if isinstance(store, MongoStore):
            database = store._database
            original = database.once

            async def once(call: Callable[[], Awaitable[Any]]) -> Any:
                if death.is_over:
                    database.close()
                return await original(lambda: death.around(call))

            patched.setattr(database, "once", once)
        else:
            for name in STEPS:
                patched.setattr(os, name, _in_folder(getattr(os, name), death))
        yield store
        with suppress(Unavailable):
            await store.close()


def _in_folder(original: Callable[..., Any], death: Death) -> Callable[..., Any]:
    """The call as it is, except in the threads of a folder of files."""

    def call(*args: Any, **options: Any) -> Any:
        if threading.current_thread().name.startswith("files"):
            try:
                death.step()
            except Unavailable:
                raise OSError(errno.EIO, "dead") from None
        return original(*args, **options)

    return call


class Life:
    """What a server does with files, and what it has acked of that."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.contents: dict[str, bytes] = {}
        self.sent: dict[int, list[str]] = {}
        self.deleted: set[int] = set()

    def name(self, word: str) -> str:
        return f"{word}{self._number}"

    async def prepare(self, store: Store) -> None:
        world = World(store)
        self.anna, self.boris = [await world.user(self.name(one)) for one in ("anna", "boris")]
        self.chat_id = await world.chat(self.anna, self.boris)
        self.doomed_id = await world.chat(self.anna)
        for word, chat_id in (("old", self.chat_id), ("doomed", self.doomed_id)):
            await self._picture(store, self.anna, word)
            await self._send(store, chat_id, word)
        (self.old_id,) = (one for one, names in self.sent.items() if names == [self.name("old")])
        await self._avatar(store, "first")

    async def live(self, store: Store, death: Death) -> None:
        """Raises: `Unavailable` when the server is dead."""
        await self._picture(store, self.anna, "new")
        death.step()
        await self._send(store, self.chat_id, "new")
        death.step()
        await store.messages.delete(self.old_id, self.anna, at(1))
        self.deleted.add(self.old_id)
        await _empty_queue(store, death)
        await self._avatar(store, "second")
        await _empty_queue(store, death)
        await self._picture(store, self.anna, "waiting")
        death.step()
        await store.uploads.discard([self.name("waiting")])
        await _empty_queue(store, death)
        await self._picture(store, self.anna, "late")
        death.step()
        await store.uploads.expire(at(10_000), 10)
        await _empty_queue(store, death)
        await self._upload(store, self.boris, "his")
        death.step()
        await store.users.update(self.boris, AccountUpdate(deleted=True))
        await _empty_queue(store, death)
        await store.chats.delete(self.doomed_id, self.anna)
        self.sent = {one: names for one, names in self.sent.items() if names != [self.name("doomed")]}
        death.step()
        await chats_removed(store)
        await _empty_queue(store, death)

    async def check(self, store: Store) -> None:
        """Holds what there is, after everything was cleaned, against what was acked."""
        world, expected = World(store), set[str]()
        attached: dict[int, list[str]] = {}
        used = 0
        for chat_id in (self.chat_id, self.doomed_id):
            if await store.chats.load(chat_id) is None:
                continue
            for message in await world.everything(chat_id):
                attached[message.id] = [one.id for one in message.attachments]
                expected.update(file_ids_of(message.attachments))
                used += sum(one.size for one in message.attachments)
        for message_id, names in self.sent.items():
            assert attached[message_id] == ([] if message_id in self.deleted else names) or (
                message_id == self.old_id and attached[message_id] == []
            )
        anna = await store.users.get(self.anna)
        assert anna is not None
        assert anna.avatar_id in (self.name("first"), self.name("second"))
        assert set(await all_ids(store.files)) == expected | {anna.avatar_id}
        for file_id in expected | {anna.avatar_id}:
            assert await read(store.files, file_id) == self.contents[file_id]
        assert await store.uploads.used_bytes(self.anna) == used
        assert await store.uploads.used_bytes(self.boris) == 0
        assert (await store.uploads.totals()).size_bytes == used

    async def end(self, store: Store) -> None:
        """Deletes all that there is."""
        for chat_id in (self.chat_id, self.doomed_id):
            with suppress(NotFound):
                await store.chats.delete(chat_id, self.anna)
        await store.users.set_avatar(self.anna, None)
        await clean(store)
        assert await traces(store) == 0
        assert await store.uploads.used_bytes(self.anna) == 0
        if isinstance(store, MongoStore):
            assert await store._database.count(store._database.claims, {}) == 0

    async def _picture(self, store: Store, user_id: int, word: str) -> None:
        name = self.name(word)
        self.contents |= {name: LARGE, thumbnail_id(name): b"small"}
        await picture(store, user_id, name, content=LARGE)

    async def _upload(self, store: Store, user_id: int, word: str) -> None:
        await upload(store, user_id, self.name(word))

    async def _send(self, store: Store, chat_id: int, word: str) -> None:
        name = self.name(word)
        sent = await World(store).send(chat_id, self.anna, "", attachments=[name], client_id=name)
        self.sent[sent.id] = [name]

    async def _avatar(self, store: Store, word: str) -> None:
        name = self.name(word)
        self.contents[name] = b"bytes"
        await keep(store.files, name)
        await store.users.set_avatar(self.anna, name)


async def _empty_queue(store: Store, death: Death) -> None:
    while True:
        death.step()
        if not (due := await store.uploads.removals(100)):
            return
        death.step()
        await store.files.delete(due)
        death.step()
        await store.uploads.removed(due)


async def one_life(place: Place, number: int, death: Death, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Returns whether the server died."""
    life = Life(number)
    store = await place.open()
    await life.prepare(store)
    await store.close()
    async with mortal(place, death, monkeypatch) as store:
        try:
            await life.live(store, death)
        except Unavailable:
            assert death.is_over
    store = await place.open()
    await World(store).send(life.chat_id, life.anna)
    await clean(store)
    await life.check(store)
    await life.end(store)
    await store.close()
    return death.is_over


async def lives(place: Place, first: int, stride: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server dies at every such step."""
    for last in itertools.count(first, stride):
        for is_done in (False, True) if isinstance(place, MongoPlace) else (False,):
            number = 2 * last + is_done
            if not await one_life(place, number, Death(last, is_done=is_done), monkeypatch):
                return


async def test_the_server_dies_at_any_step(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await lives(place, 3, 5 if isinstance(place, SqlitePlace) else 37, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("first", range(8))
async def test_the_server_dies_at_every_step(
    place: Place, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lives(place, first, 8, monkeypatch)
