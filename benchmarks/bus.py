"""What the bus costs a server for each event: the processor time of the sender and of a receiver, over a real Redis.

A batch is what the store commits at once: it becomes one frame. Encoding an event for the clients is no part of this,
and neither is handing it to their sockets: a server does both without a bus as well.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from benchmarks.runs import Figures
from benchmarks.targets import ROOT, free_port, running
from domain.changes import MessageCreated
from domain.models import Message
from handlers.live.hub import Blobs
from server.logs import configure_logs
from server.nodes.bus import Bus
from server.nodes.bus_frames import Frame
from server.nodes.bus_inbox import Inbox
from server.nodes.bus_spreader import BusSpreader

NAME = "an event over the bus"

BATCHES = (1, 8, 64)
"""How many events are in a batch."""

EVENT_BYTES = 433
CHATS = 50
KEY = "the secret key of both, 32 bytes or more"

PATIENCE_S = 60.0
"""A receiver that was so slow that Redis cut it off waits in vain."""


def is_possible() -> bool:
    """Whether redis-server is installed."""
    return shutil.which("redis-server") is not None


def measure(events: int) -> tuple[Figures, list[str]]:
    """For each size of a batch the µs of processor time for an event, `send_1_us` and `receive_1_us` and so on.

    Raises: `RuntimeError` if the receiver did not get them all.
    """
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="vestnik-bench-") as directory, redis(Path(directory)) as url:
        for batch in BATCHES:
            count = max(1, events // 8 if batch == 1 else events) // batch * batch
            with subprocess.Popen(  # noqa: S603 -- this very program
                [sys.executable, "-m", "benchmarks.bus", url, str(count)], cwd=ROOT, stdout=subprocess.PIPE
            ) as receiver:
                figures[f"send_{batch}_us"] = _run(_send(url, batch, count))
                output, _ = receiver.communicate()
            if receiver.returncode:
                raise RuntimeError("events were lost on the bus: is the machine busy?")
            figures[f"receive_{batch}_us"] = json.loads(output)
    return figures, []


@contextmanager
def redis(directory: Path) -> Iterator[str]:
    """Runs redis-server. Yields its URL."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with running(command, port, directory, {}):
        yield f"redis://127.0.0.1:{port}"


def _run(work: Any) -> float:
    """On the loop that the server runs on, without its log lines."""
    configure_logs("ERROR", "console")
    try:
        import uvloop
    except ImportError:
        return float(asyncio.run(work))
    return float(uvloop.run(work))


class _Hub:
    """Has the bytes of each event already."""

    def __init__(self) -> None:
        self._blobs = (b"r" * EVENT_BYTES, b"s" * EVENT_BYTES)

    def emit_encoded(self, event: str, payload: Any, *, room: str) -> Blobs:
        return self._blobs


class _Positions:
    """The row that comes next in each chat."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def received(self, chat_id: int, n: int, seq: int) -> str:
        if n != self._next.get(chat_id, 1):
            return "ahead"
        self._next[chat_id] = n + 1
        return "next"


async def _send(url: str, batch: int, count: int) -> float:
    """Waits for a receiver, sends it batch after batch, and returns the µs of an event."""
    bus = Bus(url, "bench", "sender", KEY, heard=lambda frame: None, missed=lambda: None, living=lambda: 2)
    await bus.open()
    while bus.counters.hearers < 2:
        bus.publish(0)
        await asyncio.sleep(0.02)
    spreader = BusSpreader(cast(Any, _Hub()), bus)
    batches = [_batch(range(start, start + batch)) for start in range(0, count, batch)]
    began = time.process_time()
    for rows in batches:
        spreader.begin(rows, 1)
        for _, change in rows:
            spreader.emit(change, "new_message", {}, "room")
        spreader.flush()
        await bus.drained()
    used_s = time.process_time() - began
    await bus.close()
    return used_s / count * 1e6


def _batch(numbers: Sequence[int]) -> Sequence[tuple[int, MessageCreated]]:
    """The rows of a batch: one chat after the other gets a message."""
    rows = []
    for number in numbers:
        n = number // CHATS + 1
        message = SimpleNamespace(chat_id=number % CHATS + 1, changed_seq=n, sender_id=7)
        rows.append((n, MessageCreated(cast(Message, message))))
    return rows


async def _receive(url: str, count: int) -> float:
    """Receives so many events, in order, and returns the µs of one."""
    got, began = 0, 0.0
    done = asyncio.Event()

    def hand_out(chat_id: int, seq: int, sender_id: int, blobs: Blobs, *, new: bool) -> None:
        nonlocal got
        got += 1

    def heard(frame: Frame) -> None:
        nonlocal began
        if frame.messages:
            began = began or time.process_time()
            inbox.take(frame.messages)
            if got == count:
                done.set()

    bus = Bus(url, "bench", "receiver", KEY, heard=heard, missed=lambda: None, living=lambda: 2)
    inbox = Inbox(cast(Any, _Positions()), bus.counters, stale=lambda: False)
    inbox.hand_out = hand_out
    await bus.open()
    await asyncio.wait_for(done.wait(), PATIENCE_S)
    used_s = time.process_time() - began
    await bus.close()
    return used_s / count * 1e6


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_run(_receive(sys.argv[1], int(sys.argv[2])))))
