"""Memory given back to the system, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from server import memory

PROGRAM = """
import asyncio, sys
from concurrent.futures import ThreadPoolExecutor
from server import memory

def resident():
    return memory._resident_bytes() // 2**20

async def main():
    memory.CHECK_EVERY_S = 0.1
    giving_back = memory.GivingBack()
    giving_back.start()
    before = resident()
    with ThreadPoolExecutor(4) as pool:
        for size in (1 << 20, 60_000):
            loop = asyncio.get_running_loop()
            number = (100 << 20) // size
            made = await asyncio.gather(*(loop.run_in_executor(pool, bytearray, size) for _ in range(number)))
            kept = made[::50]
            most = resident()
            del made
            for _ in range(100):
                if resident() - before < 20:
                    break
                await asyncio.sleep(0.05)
            print(before, most, resident())
    await giving_back.stop()
    await giving_back.stop()

memory.tune()
asyncio.run(main())
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="has no /proc")
def test_what_a_burst_took_is_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    for line in done.stdout.splitlines():
        before, most, after = map(int, line.split())
        assert most - before > 80
        assert after - before < 20


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_libc", lambda: None)
    memory.tune()
    giving_back = memory.GivingBack()
    giving_back.start()
    assert giving_back._task is None
