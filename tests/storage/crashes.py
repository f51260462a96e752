"""A program that kills itself at each step of what is done with files, and the same steps for the tests.

`python -m tests.storage.crashes URL FOLDER SCENARIO` forks children: each opens the store and prepares; the first one
kills itself before the first step, the next one before the second step, and so on, until one gets to the end. With
SQLite, each child has a store of its own in the folder; with MongoDB, a user and a chat of its own. A line is printed
for each child: its number, and the step at which it died.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from storage.files import folder
from storage.mongo import MongoStore, schema
from storage.ports import Store
from storage.sqlite import SqliteStore
from storage.sqlite.writer import Writer
from tests.storage.kept import chats_removed, keep, picture, upload
from tests.storage.world import World, at, draft

CONTENT = b"x" * 300_000
"""More than a piece of a file."""

END = "end"
"""The step at which a child gets to the end."""

_AT_ONCE = 6
"""How many children run at the same time: they mostly wait for the disk. FerretDB does one thing after the other."""


def name_of(scenario: str, number: int) -> str:
    """The beginning of all names and ids of a child."""
    return f"{scenario}-{number}"


async def begin(store: Store, name: str) -> None:
    """Makes the user of a child, another one who stays, and their chat."""
    world = World(store)
    await world.chat(await world.user(name), await world.user(f"{name}-other"))


async def ids_of(store: Store, name: str) -> tuple[int, int | None]:
    """The user of a child, whose account may have ended, and the chat, None if it is gone."""
    user, other = await store.users.find(name), await store.users.find(f"{name}-other")
    assert other is not None
    summaries, _ = await store.chats.list_for(other.id, cursor=None, limit=1)
    chat_id = summaries[0].chat.id if summaries else 0
    # A deletion that is in the log alone is seen from here on.
    members, _ = await store.chats.members(chat_id, cursor=None, limit=9)
    if not members:
        assert user is not None
        return user.id, None
    (user_id,) = {member.user_id for member in members} - {other.id}
    return user_id, chat_id


async def ids_before(store: Store, name: str) -> tuple[int, int]:
    """The same while the chat is there."""
    user_id, chat_id = await ids_of(store, name)
    assert chat_id is not None
    return user_id, chat_id


async def send(store: Store, name: str) -> None:
    user_id, chat_id = await ids_before(store, name)
    ids = [f"{name}a", f"{name}b"]
    await store.messages.append(draft(chat_id, user_id, "", attachments=ids, client_id=name))


async def _nothing(_store: Store, _name: str) -> None:
    pass


async def _upload(store: Store, name: str) -> None:
    user_id, _ = await ids_before(store, name)
    await picture(store, user_id, f"{name}a", content=CONTENT)


async def _add_uploads(store: Store, name: str) -> None:
    user_id, _ = await ids_before(store, name)
    await picture(store, user_id, f"{name}a")
    await upload(store, user_id, f"{name}b")


async def _add_message(store: Store, name: str) -> None:
    await _add_uploads(store, name)
    await send(store, name)


async def _delete_message(store: Store, name: str) -> None:
    user_id, chat_id = await ids_before(store, name)
    (message,) = (await store.messages.history(chat_id, limit=9)).messages
    await store.messages.delete(message.id, user_id, at(1))
    await delete_bytes(store, name)


async def delete_bytes(store: Store, name: str) -> None:
    """What the server does when it hears of files that are in the queue."""
    due = [one for one in await store.uploads.removals(1000) if one.startswith(name)]
    await store.files.delete(due)
    await store.uploads.removed(due)


async def _add_avatars(store: Store, name: str) -> None:
    user_id, chat_id = await ids_before(store, name)
    for file_id in (f"{name}me", f"{name}us"):
        await keep(store.files, file_id)
    await store.users.set_avatar(user_id, f"{name}me")
    await store.chats.set_avatar(chat_id, user_id, f"{name}us", at(1))


async def _replace_avatars(store: Store, name: str) -> None:
    user_id, chat_id = await ids_before(store, name)
    await keep(store.files, f"{name}me2")
    await store.users.set_avatar(user_id, f"{name}me2")
    await keep(store.files, f"{name}us2")
    await store.chats.set_avatar(chat_id, user_id, f"{name}us2", at(2))
    await delete_bytes(store, name)


async def _add_all(store: Store, name: str) -> None:
    user_id, _ = await ids_before(store, name)
    await _add_message(store, name)
    await _add_avatars(store, name)
    await picture(store, user_id, f"{name}w")


async def _delete_chat(store: Store, name: str) -> None:
    user_id, chat_id = await ids_before(store, name)
    await store.chats.delete(chat_id, user_id)
    await chats_removed(store)
    await delete_bytes(store, name)


async def _end_account(store: Store, name: str) -> None:
    user_id, _ = await ids_before(store, name)
    await store.users.delete(user_id)
    await delete_bytes(store, name)


Act = Callable[[Store, str], Awaitable[None]]

SCENARIOS: Mapping[str, tuple[Act, Act]] = {
    "upload": (_nothing, _upload),
    "attach": (_add_uploads, send),
    "given-up": (_add_uploads, send),
    "delete": (_add_message, _delete_message),
    "avatar": (_add_avatars, _replace_avatars),
    "chat": (_add_all, _delete_chat),
    "account": (_add_all, _end_account),
}
"""What is prepared, and what is done then step by step."""


WRITES = ("insert_one", "insert_many", "update_one", "update_many", "delete_one", "delete_many", "bulk_write")


class Steps:
    """Counts the steps once it is `counting`, and kills this process before step `die_at`."""

    def __init__(self, die_at: int) -> None:
        self.counting = False
        self._die_at = self._left = die_at

    def step(self, what: str) -> None:
        if not self.counting:
            return
        self._left -= 1
        if self._left == 0:
            _say(self._die_at, what)
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, call: Callable[..., Any], what: str) -> Callable[..., Any]:
        @wraps(call)
        def stepping(*args: Any, **more: Any) -> Any:
            self.step(what)
            return call(*args, **more)

        return stepping

    def watch_sqlite(self) -> None:
        """Steps: each change of the folder and of its files, each commit, and when that is done."""
        commit = self.before(Writer._commit, "commit")

        def committing(writer: Writer) -> None:
            commit(writer)
            self.step("committed")

        Writer._commit = committing  # type: ignore[method-assign]
        watched = {name: self.before(getattr(os, name), name) for name in ("write", "fsync", "rename")}
        folder.os = SimpleNamespace(**{**vars(os), **watched})  # type: ignore[assignment]
        Path.unlink = self.before(Path.unlink, "unlink")  # type: ignore[method-assign]

    def watch_mongo(self, store: MongoStore) -> None:
        """Steps: each write to the collections that matter."""
        from motor.motor_asyncio import AsyncIOMotorCollection

        steps = self
        database = store._database
        places = {
            one.name
            for one in (
                *(database.uploads, database.quotas, database.claims, database.freed_files, database.files),
                *(database.file_pieces, database.file_writings, database.changes, database.messages),
                *(database.users, database.chats, database.admin_acts),
            )
        }
        for name in WRITES:
            original = getattr(AsyncIOMotorCollection, name)

            def writing(
                place: Any, *args: Any, name: str = name, original: Any = original, **more: Any
            ) -> Any:
                if place.name in places:
                    steps.step(f"{place.name}.{name}")
                return original(place, *args, **more)

            setattr(AsyncIOMotorCollection, name, writing)


def _say(number: int, what: str) -> None:
    """One write, so that children do not mix their lines."""
    os.write(1, f"{number} {what}\n".encode())


async def _prepared(_database: object) -> None:
    """The indexes are there, and FerretDB takes a second to say so."""


async def open_for(url: str, directory: Path, name: str) -> Store:
    """The store of a child."""
    if url.startswith("mongodb"):
        schema.prepare = _prepared  # type: ignore[assignment]
        return await MongoStore.open(url)
    return await SqliteStore.open(directory / name / "vestnik.db")


async def _child(url: str, directory: Path, scenario: str, number: int) -> None:
    name = name_of(scenario, number)
    steps = Steps(number)
    (directory / name).mkdir(exist_ok=True)
    store = await open_for(url, directory, name)
    prepare, act = SCENARIOS[scenario]
    await begin(store, name)
    await prepare(store, name)
    if isinstance(store, MongoStore):
        steps.watch_mongo(store)
    else:
        steps.watch_sqlite()
    steps.counting = True
    await act(store, name)
    steps.counting = False
    await store.close()


def _fork(url: str, directory: Path, scenario: str, number: int) -> int:
    child = os.fork()
    if child == 0:
        asyncio.run(_child(url, directory, scenario, number))
        os._exit(0)
    return child


def main(url: str, directory: Path, scenario: str) -> None:
    first, ended, at_once = 1, False, 2 if url.startswith("mongodb") else _AT_ONCE
    while not ended:
        numbers = range(first, first + at_once)
        children = [_fork(url, directory, scenario, number) for number in numbers]
        for number, child in zip(numbers, children, strict=True):
            _, status = os.waitpid(child, 0)
            if not os.WIFSIGNALED(status):
                assert os.waitstatus_to_exitcode(status) == 0, (scenario, number)
                _say(number, END)
                ended = True
        first += at_once


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
