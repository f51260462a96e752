"""Pictures in threads: two at once, one after the other where memory is short, and fair."""

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

import pytest

from handlers.pictures import workers as module
from handlers.pictures.processing import Picture
from handlers.pictures.small import THUMBNAIL
from handlers.pictures.workers import Memory, PictureWorkers
from handlers.wire.errors import ChatError
from storage.histogram import Histogram
from tests.patience import within
from tests.pictures.made import jpeg


@pytest.fixture
def workers() -> Iterator[PictureWorkers]:
    made = PictureWorkers(10**6, Histogram((1,)))
    yield made
    made.close()


async def process(workers: PictureWorkers, turn_of: str = "1", **more: Any) -> Picture:
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as cleaned:
        source.write(jpeg())
        return await workers.process(source, "image/jpeg", cleaned, wanted=THUMBNAIL, turn_of=turn_of, **more)


class Blocking:
    """Stands for `process`, and waits until it may go on. Counts how many run at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_end = threading.Event()
        self.running = self.most = 0
        self.order: list[str] = []
        monkeypatch.setattr(module, "process", self)

    def __call__(self, source: BinaryIO, *_args: Any, **_options: Any) -> Picture:
        self.running += 1
        self.most = max(self.most, self.running)
        self.may_end.wait(5)
        self.running -= 1
        return Picture(1, 1, None)


async def test_two_are_decoded_at_once(workers: PictureWorkers, monkeypatch: pytest.MonkeyPatch) -> None:
    blocking = Blocking(monkeypatch)
    tasks = [asyncio.create_task(process(workers, str(number % 3))) for number in range(6)]
    async with within(5):
        while blocking.running < 2:
            await asyncio.sleep(0.01)
    blocking.may_end.set()
    await asyncio.gather(*tasks)
    assert blocking.most == 2


async def test_users_take_turns(workers: PictureWorkers, monkeypatch: pytest.MonkeyPatch) -> None:
    blocking = Blocking(monkeypatch)
    ended: list[str] = []

    async def one(user: str) -> None:
        await process(workers, user)
        ended.append(user)

    tasks = [asyncio.create_task(one("greedy")) for _ in range(10)]
    await asyncio.sleep(0)
    tasks.append(asyncio.create_task(one("modest")))
    async with within(5):
        while blocking.running < 2:
            await asyncio.sleep(0.01)
    blocking.may_end.set()
    await asyncio.gather(*tasks)
    assert "modest" in ended[:5]


async def test_who_has_gone_is_not_decoded_for(workers: PictureWorkers) -> None:
    with pytest.raises(ChatError) as refused:
        await process(workers, gone=lambda: True)
    assert refused.value.code == "bad_request"


async def test_the_files_are_not_let_go_while_a_thread_uses_them(
    workers: PictureWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocking = Blocking(monkeypatch)
    task = asyncio.create_task(process(workers))
    async with within(5):
        while not blocking.running:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.sleep(0.05)
    assert not task.done()
    blocking.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_times_are_counted() -> None:
    seconds = Histogram((1,))
    workers = PictureWorkers(10**6, seconds)
    assert (await process(workers)).small
    assert sum(seconds.counts) == 1
    workers.close()


def test_memory_is_shared_and_never_more() -> None:
    memory = Memory(100)
    used = most = 0
    lock = threading.Lock()

    def use(size: int) -> None:
        nonlocal used, most
        for _ in range(200):
            with memory.reserve(size):
                with lock:
                    used += size
                    most = max(most, used)
                with lock:
                    used -= size

    threads = [threading.Thread(target=use, args=(size,)) for size in (100, 60, 50, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (used, most) == (0, 100)
