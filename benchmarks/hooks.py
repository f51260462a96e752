"""Measures what outgoing hooks cost: `python -m benchmarks.hooks [MESSAGES]`, on Linux.

The server of this checkout, on SQLite, takes messages one after the other over REST: first in a chat without hooks,
then in one with ten. Shown is the processor time of the server for each message, and what each delivery adds.
The receivers are this process, on one kept connection for each hook.
"""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from benchmarks.machine import cpu_s
from benchmarks.targets import free_port
from benchmarks.vestnik import add_chat, add_users, seed, serving, token_of
from domain.hooks import Hook
from storage.ports import Store

HOOKS = 10
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
CONTENT = "x" * 100


class Receiver(asyncio.Protocol):
    """Answers each request with 204; `taken` counts them for all connections."""

    taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            Receiver.taken += 1
            self._transport.write(ANSWER)


async def prepare(store: Store, url: str) -> tuple[str, int, int]:
    """A user, a chat without hooks, and one with some."""
    (user_id,) = await add_users(store, 1)
    plain, hooked = [await add_chat(store, name, [user_id]) for name in ("plain", "hooked")]
    for number in range(HOOKS):
        draft = Hook(
            0,
            hooked,
            "outgoing",
            f"hook {number}",
            0,
            user_id,
            datetime.now(UTC),
            target_url=url,
            events=("new_message",),
        )
        await store.hooks.create(draft, secret="s" * 43)
    return token_of(user_id), plain, hooked


async def send(http: ClientSession, url: str, token: str, chat_id: int, count: int) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(count):
        body: dict[str, Any] = {"chat_id": chat_id, "content": CONTENT}
        async with http.post(f"{url}/api/messages", json=body, headers=headers) as answer:
            if answer.status != 201:
                raise RuntimeError(await answer.text())


async def measure(port: int, pid: int, token: str, plain: int, hooked: int, messages: int) -> None:
    async with ClientSession() as http:
        url = f"http://127.0.0.1:{port}"
        for chat_id in (plain, hooked):  # once, so that both are warm
            await send(http, url, token, chat_id, 50)
        await until(50 * HOOKS)
        before = cpu_s([pid])
        await send(http, url, token, plain, messages)
        without_s = cpu_s([pid]) - before
        before, began = cpu_s([pid]), time.monotonic()
        await send(http, url, token, hooked, messages)
        await until((50 + messages) * HOOKS)
        with_s, took_s = cpu_s([pid]) - before, time.monotonic() - began
    deliveries = messages * HOOKS
    sys.stdout.write(
        f"a message: {without_s / messages * 1e3:.2f} ms without hooks, {with_s / messages * 1e3:.2f} ms with {HOOKS}\n"
        f"a delivery: {(with_s - without_s) / deliveries * 1e3:.3f} ms; {deliveries / took_s:.0f} a second\n"
    )


async def until(count: int) -> None:
    while Receiver.taken < count:  # noqa: ASYNC110 -- an event would cost each request something
        await asyncio.sleep(0.005)


def main() -> None:
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 500

    async def run(port: int, receiver_port: int, pid: int, seeded: tuple[str, int, int]) -> None:
        server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", receiver_port)
        async with server:
            await measure(port, pid, *seeded, messages)

    with tempfile.TemporaryDirectory() as folder:
        receiver_port = free_port()
        seeded = seed(Path(folder), lambda store: prepare(store, f"http://127.0.0.1:{receiver_port}/"))
        with serving(Path(folder), WEBHOOK_PRIVATE="on") as (port, pid):
            asyncio.run(run(port, receiver_port, pid, seeded))


if __name__ == "__main__":
    main()
