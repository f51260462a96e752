"""Measures what streams cost: `python -m benchmarks.streams [MEMBERS] [ROUNDS]`, on Linux with two cores.

Ten bots send five updates a second each, of 200 characters, to a room of 1,000 members. The server runs on one core,
bots and members on the other. Ordinary messages at the same rate, and streams in ten rooms with the same members, run
on the same server in turns with them. Shown are the medians: the share of a core, the events that a member got, and the
processor time of a delivery.
"""

import asyncio
import base64
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median

from benchmarks.machine import all_busy_s, cpu_s, on_core, raise_open_files_limit, two_cores
from benchmarks.vestnik import add_chat, add_users, seed, serving, token_of
from storage.ports import Store

BOTS = 10
UPDATES_PER_S = 5
CHARACTERS = 200
MEMBERS = 1_000

ROUNDS = 3
WARMUP_S, MEASURE_S = 2.0, 10.0
DIALLED_AT_ONCE = 32

NOTHING, STREAMS, MESSAGES, ROOMS = "nothing", "streams", "messages", "streams in ten rooms"

Frame = dict[str, object]


def text_frame(text: str) -> bytes:
    """A masked WebSocket text frame; the mask is zero, which leaves the text as it is."""
    payload = text.encode()
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2)
    return b"\x81" + length + bytes(4) + payload


def raw_frame(name: str, payload: Frame) -> str:
    return json.dumps({"type": name, **payload})


def socketio_frame(name: str, payload: Frame) -> str:
    return "42" + json.dumps([name, payload])


FRAMES: dict[str, Callable[[str, Frame], str]] = {"raw": raw_frame, "socketio": socketio_frame}


class Member(asyncio.Protocol):
    """A connection that joins chats, and counts events without reading them. `joined` is done after the last ack."""

    def __init__(self, wire: str, token: str, chat_ids: Sequence[int]) -> None:
        self.events = 0
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wire = wire
        self._token = token
        self._chat_ids = chat_ids
        self._head = b""
        self._is_joining = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        path = "/ws" if self._wire == "raw" else "/socket.io/?EIO=4&transport=websocket"
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Authorization: Bearer {self._token}\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if self.joined.done():
            self.events += data.count(b'"message_stream"') + data.count(b'"new_message"')
            return
        if self._wire == "socketio" and not self._head:
            self._transport.write(text_frame("40"))
        self._head += data
        if not self._is_joining and b'"connected"' in self._head:
            self._is_joining = True
            for chat_id in self._chat_ids:
                self.send("join_chat", {"chat_id": chat_id})
            self.send("ping", {})
        if b'"pong"' in self._head:
            self.joined.set_result(None)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.joined.done():
            self.joined.set_exception(ConnectionError(self._head[:300].decode(errors="replace")))

    def send(self, name: str, payload: Frame) -> None:
        self._transport.write(text_frame(FRAMES[self._wire](name, payload)))


@dataclass(frozen=True, slots=True)
class Plan:
    """The tokens of bots and members, all of whom are in the rooms."""

    bots: Sequence[str]
    members: Sequence[str]
    chat_ids: Sequence[int]


async def fill(store: Store, members: int) -> Plan:
    user_ids = await add_users(store, BOTS + members)
    chat_ids = [await add_chat(store, f"chat {number}", user_ids) for number in range(BOTS)]
    tokens = [token_of(user_id) for user_id in user_ids]
    return Plan(tokens[:BOTS], tokens[BOTS:], chat_ids)


@dataclass(frozen=True, slots=True)
class Figures:
    """`busy` and `others` are shares of a core; `events_per_s` is what one member got."""

    busy: float
    others: float
    events_per_s: float


class Load:
    """Bots and members of one server over one wire."""

    def __init__(self, wire: str, port: int, pid: int, plan: Plan) -> None:
        self._wire, self._port, self._pid, self._plan = wire, port, pid, plan
        self._numbers = iter(range(sys.maxsize))

    async def open(self) -> None:
        gate = asyncio.Semaphore(DIALLED_AT_ONCE)

        async def dial(token: str, chat_ids: Sequence[int]) -> Member:
            async with gate:
                loop = asyncio.get_running_loop()
                _, member = await loop.create_connection(
                    lambda: Member(self._wire, token, chat_ids), "127.0.0.1", self._port
                )
                await member.joined
                return member

        plan = self._plan
        self.bots = await asyncio.gather(*(dial(token, ()) for token in plan.bots))
        self.members = await asyncio.gather(*(dial(token, plan.chat_ids) for token in plan.members))

    async def measure(self, what: str) -> Figures:
        """Lets each bot send at its own moments, and measures the server meanwhile."""
        work = [asyncio.ensure_future(self._send(number, what)) for number in range(BOTS)]
        await asyncio.sleep(WARMUP_S)
        before = self._sample()
        await asyncio.sleep(MEASURE_S)
        at_s, server_s, all_s, own_s, events = (
            later - sooner for later, sooner in zip(self._sample(), before, strict=True)
        )
        for task in work:
            task.cancel()
        await asyncio.sleep(1)
        others_s = max(0.0, all_s - server_s - own_s)
        return Figures(server_s / at_s, others_s / at_s, events / at_s / len(self.members))

    def _sample(self) -> tuple[float, float, float, float, int]:
        events = sum(member.events for member in self.members)
        return time.monotonic(), cpu_s([self._pid]), all_busy_s(), time.process_time(), events

    async def _send(self, bot: int, what: str) -> None:
        chat_ids = cycle(self._plan.chat_ids[bot : bot + 1] if what == ROOMS else self._plan.chat_ids[:1])
        await asyncio.sleep(bot / BOTS / UPDATES_PER_S)
        due = time.monotonic()
        while what != NOTHING:
            content = f"{next(self._numbers):0{CHARACTERS}}"
            payload: Frame = {"chat_id": next(chat_ids), "content": content}
            if what == MESSAGES:
                self.bots[bot].send("send_message", {**payload, "client_id": secrets.token_hex(8)})
            else:
                self.bots[bot].send("stream_message", {**payload, "stream_id": f"answer {bot}"})
            due += 1 / UPDATES_PER_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))


@contextmanager
def measured_server(members: int) -> Iterator[tuple[int, int, Plan]]:
    with tempfile.TemporaryDirectory(prefix="vestnik-bench-") as name:
        plan = seed(Path(name), lambda store: fill(store, members))
        with serving(Path(name), PING_INTERVAL_S="600") as (port, pid):
            yield port, pid, plan


async def rounds(wire: str, port: int, pid: int, plan: Plan, count: int) -> dict[str, list[Figures]]:
    load = Load(wire, port, pid, plan)
    await load.open()
    found: dict[str, list[Figures]] = {what: [] for what in (NOTHING, STREAMS, MESSAGES, ROOMS)}
    for number in range(count):
        for what in found if number % 2 == 0 else reversed(found):
            found[what].append(await load.measure(what))
    return found


def report(wire: str, members: int, found: dict[str, list[Figures]]) -> Iterator[str]:
    yield f"{wire}, {members} members: of a core, events/s of a member, µs of a delivery (others, of a core)"
    for what, figures in found.items():
        busy, events = (
            median(one.busy for one in figures),
            median(one.events_per_s for one in figures),
        )
        each = f"{busy * 1e6 / (events * members):6.2f}" if events else "      "
        others = " ".join(f"{one.others:.0%}" for one in figures)
        yield f"  {what:22} {busy:6.1%} {events:6.1f} {each} ({others})"


def main(members: int = MEMBERS, count: int = ROUNDS) -> None:
    raise_open_files_limit()
    for wire in FRAMES:
        with measured_server(members) as (port, pid, plan), on_core(two_cores()[1]):
            found = asyncio.run(rounds(wire, port, pid, plan, count))
        for line in report(wire, members, found):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
