"""What was acked is on disk, even if the process dies in the next moment."""

import signal
import subprocess
import sys
from pathlib import Path

from storage.sqlite import SqliteStore
from tests.storage.world import World

_PROGRAM = """
import asyncio, sys
from pathlib import Path
from storage.sqlite import SqliteStore
from tests.storage.world import World, draft

async def main():
    store = await SqliteStore.open(Path(sys.argv[1]))
    async def sender(number):
        while True:
            appended = await store.messages.append(draft(1, 1, f"from {number}"))
            print(appended.message.id, appended.message.seq, flush=True)
    await asyncio.gather(*map(sender, range(16)))

asyncio.run(main())
"""


async def test_kill_in_the_middle_of_sends(path: Path) -> None:
    store = await SqliteStore.open(path)
    world = World(store)
    await world.chat(await world.user())
    await store.close()
    acked: list[tuple[int, int]] = []
    for acks in (1, 300, 1000):
        server = subprocess.Popen([sys.executable, "-c", _PROGRAM, path], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        lines = [server.stdout.readline() for _ in range(acks)]
        server.send_signal(signal.SIGKILL)
        lines += server.stdout.read().splitlines(keepends=True)
        assert server.wait() == -signal.SIGKILL
        server.stdout.close()
        acked += [tuple(map(int, line.split())) for line in lines if line.endswith("\n")]
        store = await SqliteStore.open(path)
        stored = await store.messages.changed_since(1, 0, limit=1_000_000)
        assert set(acked) <= {(message.id, message.seq) for message in stored}
        assert [message.seq for message in stored] == list(range(1, len(stored) + 1))
        state = await store.chats.load(1)
        assert state is not None
        assert state.chat.head_seq == len(stored)
        await store.close()
    assert len(set(acked)) == len(acked) >= 1301
