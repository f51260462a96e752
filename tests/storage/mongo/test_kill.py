"""What was acked is there after a kill of one of two chat servers, or of the database server."""

import asyncio
import random
import signal
import subprocess
import sys
from typing import Any

import pytest

from storage.errors import Unavailable
from storage.mongo import MongoStore
from tests.storage.conftest import MongoPlace
from tests.storage.mongo.server import Server
from tests.storage.world import World, draft

_PROGRAM = """
import asyncio, random, sys
from domain.refusals import NotFound
from storage.mongo import MongoStore
from tests.storage.world import at, draft

async def main(url, chat_id, user_id, name):
    store = await MongoStore.open(url)
    script = random.Random(name)

    async def write(number):
        while True:
            client_id = f"{name} {number} {script.random()}"
            sent = await store.messages.append(draft(chat_id, user_id, client_id, client_id=client_id))
            print("sent", sent.message.id, sent.message.seq, sent.message.seq, flush=True)
            fate = script.random()
            if fate < 0.3:
                edited = await store.messages.edit(sent.message.id, user_id, "edited", at(1))
                print("edited", edited.id, edited.seq, edited.changed_seq, flush=True)
            if fate < 0.15:
                deleted = await store.messages.delete(sent.message.id, user_id, at(1))
                print("deleted", deleted.id, deleted.seq, deleted.changed_seq, flush=True)

    await asyncio.gather(*map(write, range(4)))

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
"""


def start(url: str, chat_id: int, user_id: int, name: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, url, f"{chat_id}", f"{user_id}", name],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.long
async def test_two_processes_write_and_one_is_killed_now_and_then(mongo_place: MongoPlace) -> None:
    store = await mongo_place.open()
    world = World(store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    survivor = start(mongo_place.url, chat_id, anna, "survivor")
    printed: list[str] = []

    def read(process: "subprocess.Popen[str]", count: int) -> None:
        assert process.stdout is not None
        printed.extend(process.stdout.readline() for _ in range(count))

    def finish(process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        process.send_signal(signal.SIGKILL)
        printed.extend(line for line in process.stdout if line.endswith("\n"))
        process.wait()
        process.stdout.close()

    for number, acks in enumerate((1, 7, 40)):
        victim = start(mongo_place.url, chat_id, boris, f"victim {number}")
        await asyncio.to_thread(read, victim, acks)
        await asyncio.to_thread(read, survivor, acks)
        await asyncio.to_thread(finish, victim)
    await asyncio.to_thread(finish, survivor)
    # This one looks only now, and tells all of it.
    last = await world.send(chat_id, anna, "last")
    await world.check_published(chat_id)
    published = {message.changed_seq: message for message in world.message_changes(chat_id)}
    assert last.seq == len(published)
    acked = [line.split() for line in printed if line.endswith("\n")]
    assert len(acked) > 96
    for kind, message_id, seq, changed_seq in acked:
        message = published[int(changed_seq)]
        assert (message.id, message.seq) == (int(message_id), int(seq))
        assert message.deleted == (kind == "deleted")
    contents = [message.content for message in published.values() if message.content not in ("", "edited")]
    assert len(contents) == len(set(contents))
    await store.close()


async def test_the_database_server_is_killed_in_a_burst_of_sends(own_server: Server) -> None:
    store = await MongoStore.open(own_server.url)
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    script = random.Random(3)
    acked: dict[str, Any] = {}

    async def send(client_id: str) -> None:
        while client_id not in acked:
            try:
                message_draft = draft(chat_id, anna, client_id, client_id=client_id)
                acked[client_id] = (await store.messages.append(message_draft)).message
            except Unavailable:
                await asyncio.sleep(0.2 * script.random())

    for burst in range(3):
        sends = asyncio.gather(*(send(f"{burst} {number}") for number in range(300)))
        while len(acked) < burst * 300 + 20 * burst:
            await asyncio.sleep(0)
        own_server.kill()
        await asyncio.sleep(script.random())
        await asyncio.to_thread(own_server.start)
        await asyncio.wait_for(sends, 60)
    await world.check_published(chat_id)
    stored = await world.everything(chat_id)
    assert {message.content: message for message in stored} == acked
    assert len(stored) == 900
    await store.close()
