"""`kill -9` at every step of what is done with files: after that nothing is left over, and nothing is missing that a
message, a user or a chat has."""

import asyncio
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from domain.files import file_ids_of
from domain.refusals import BadReference
from storage.mongo import MongoStore
from storage.ports import Store
from tests.storage.conftest import MongoPlace
from tests.storage.crashes import END, SCENARIOS, ids_of, name_of, open_for, send
from tests.storage.kept import all_ids, clean, read, traces

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no fork and no SIGKILL")

SHORT = ("attach",)
"""What takes less than a quarter of a minute on FerretDB."""

STEPS_MIN = {"upload": 8, "attach": 2, "given-up": 2, "delete": 5, "avatar": 10, "chat": 5, "account": 5}
"""How many steps each scenario has at least, with SQLite: what is patched there must not get lost."""


async def deaths(url: str, directory: Path, scenario: str) -> Mapping[str, str]:
    """Runs the program; the step at which each child died, by its name."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.storage.crashes", url, str(directory), scenario),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await program.communicate()
    assert program.returncode == 0
    lines = [line.split(" ", 1) for line in out.decode().splitlines()]
    steps = {name_of(scenario, int(number)): step for number, step in lines}
    assert sum(step != END for step in steps.values()) >= STEPS_MIN[scenario]
    return steps


async def expected(store: Store, name: str) -> set[str]:
    """The files that messages, the user and the chat of one child have, all of which can be read."""
    user_id, chat_id = await ids_of(store, name)
    user = await store.users.get(user_id)
    files = {user.avatar_id if user is not None else None}
    if chat_id is not None:
        state = await store.chats.load(chat_id)
        files.add(state.chat.avatar_id if state is not None else None)
        for message in (await store.messages.history(chat_id, limit=10)).messages:
            files.update(file_ids_of(message.attachments))
    found = {file_id for file_id in files if file_id is not None}
    for file_id in found:
        assert await read(store.files, file_id), file_id
    return found


async def used_bytes(store: Store, name: str, files: set[str]) -> None:
    """The quota of the user has what these files take, without thumbnails."""
    user_id, _ = await ids_of(store, name)
    sizes = [await store.files.size(one) or 0 for one in files if one in (f"{name}a", f"{name}b")]
    assert await store.uploads.used_bytes(user_id) == sum(sizes)


async def go_on(store: Store, scenario: str, name: str) -> None:
    """What clients see at first is whole; then somebody uses the chat, and the user goes on with what they did."""
    user_id, chat_id = await ids_of(store, name)
    if chat_id is not None:
        for message in (await store.messages.history(chat_id, limit=10)).messages:
            for file_id in file_ids_of(message.attachments):
                assert await read(store.files, file_id), file_id
    await expected(store, name)
    if scenario == "attach":
        await send(store, name)
        assert {f"{name}a", f"{name}a.t", f"{name}b"} <= await expected(store, name)
    elif scenario == "delete" and chat_id is not None:
        for message in (await store.messages.history(chat_id, limit=10)).messages:
            await store.messages.delete(message.id, user_id, message.created_at)
        assert await expected(store, name) == set()
    elif scenario == "upload":
        for upload_id in (f"{name}a", f"{name}b"):
            found = await store.uploads.get(upload_id)
            for file_id in file_ids_of([found] if found is not None else ()):
                assert await read(store.files, file_id), file_id


async def check(store: Store, scenario: str, names: Collection[str]) -> None:
    """Checks the children of one store."""
    for name in names:
        await go_on(store, scenario, name)
    await clean(store)
    everything: set[str] = set()
    for name in names:
        files = await expected(store, name)
        await used_bytes(store, name, files)
        everything |= files
    assert set(await all_ids(store.files)) == everything
    assert await traces(store) == len(everything) * (2 if isinstance(store, MongoStore) else 1)
    if scenario == "given-up":
        for name in names:
            await send_again(store, name)


async def send_again(store: Store, name: str) -> None:
    """A message that is there is found again by its client_id; uploads that have expired are gone."""
    if await expected(store, name):
        await send(store, name)
    else:
        with pytest.raises(BadReference):
            await send(store, name)


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_in_a_folder(tmp_path: Path, scenario: str) -> None:
    for name, step in (await deaths("sqlite", tmp_path, scenario)).items():
        store = await open_for("sqlite", tmp_path, name)
        try:
            await check(store, scenario, [name])
        except BaseException as error:
            error.add_note(f"{name} died at {step}")
            raise
        await store.close()


SLOW = [pytest.param(scenario, marks=pytest.mark.long) for scenario in SCENARIOS if scenario not in SHORT]


@pytest.mark.long
@pytest.mark.parametrize("scenario", [*SHORT, *SLOW])
async def test_in_a_database(mongo_place: MongoPlace, tmp_path: Path, scenario: str) -> None:
    await (await mongo_place.open()).close()
    steps = await deaths(mongo_place.url, tmp_path, scenario)
    store = await mongo_place.open()
    try:
        await check(store, scenario, steps)
    except BaseException as error:
        error.add_note(str(steps))
        raise
    await store.close()
