"""The attackers, as a process: `python -m tests.attacks.swarm` reads its orders as JSON from standard input."""

import asyncio
import contextlib
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.attacks.frames import request
from tests.attacks.kinds import KINDS, POLLING, Account, Attack

READ_BYTES = 64 * 1024


@dataclass
class Tally:
    """The result of a swarm."""

    opened: int = 0
    ended: int = 0
    refused: int = 0
    written_bytes: int = 0
    close_codes: Counter[int] = field(default_factory=Counter)


class Swarm:
    """`connections` connections to a port of this machine for `seconds` seconds."""

    def __init__(self, port: int, seconds: float) -> None:
        self._port = port
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + seconds
        self.tally = Tally()

    async def run(self, attacks: list[Attack]) -> None:
        tasks = [asyncio.create_task(self._attack(attack)) for attack in attacks]
        await asyncio.wait(tasks, timeout=self._seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _attack(self, attack: Attack) -> None:
        while self._loop.time() < self._until:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                self.tally.refused += 1
                await asyncio.sleep(0.05)
                continue
            self.tally.opened += 1
            try:
                await (self._poll if attack.polls else self._write)(attack, reader, writer)
            except (OSError, EOFError, ValueError):
                self.tally.ended += 1
            finally:
                writer.transport.abort()
            if not attack.comes_back:
                return

    async def _write(
        self, attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(attack.opening)
        if attack.opening.startswith(b"GET "):
            await reader.readuntil(b"\r\n\r\n")
        writer.write(attack.greeting)
        if attack.waits:
            while True:
                writer.write(attack.chunk)
                if not await reader.read(READ_BYTES):
                    raise EOFError
        reading = asyncio.create_task(self._read(reader)) if attack.reads else None
        try:
            while attack.chunk:
                writer.write(attack.chunk)
                await writer.drain()
                self.tally.written_bytes += len(attack.chunk)
                if reading is not None and reading.done():
                    raise EOFError
            await (reading or asyncio.sleep(self._seconds))
        finally:
            if reading is not None:
                reading.cancel()
                with contextlib.suppress(asyncio.CancelledError, OSError):
                    await reading
        raise EOFError

    async def _read(self, reader: asyncio.StreamReader) -> None:
        last = b""
        while data := await reader.read(READ_BYTES):
            last = (last + data)[-200:]
        for found in re.finditer(rb"\x88[\x02-\x7d](\x03[\xe8-\xff]|[\x0f-\x13].)", last):
            self.tally.close_codes[int.from_bytes(found[1], "big")] += 1

    async def _poll(self, attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened = await self._ask(reader, writer, request("GET", POLLING))
        sid = json.loads(opened[1:])["sid"]
        path = f"{POLLING}&sid={sid}"
        await self._ask(reader, writer, request("POST", path, attack.opening))
        await self._ask(reader, writer, request("GET", path))
        while True:
            answer = await self._ask(reader, writer, request("POST", path, attack.chunk))
            self.tally.written_bytes += len(attack.chunk)
            if answer != b"ok":
                raise EOFError

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, blob: bytes) -> bytes:
        writer.write(blob)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if length is None:
            raise EOFError
        return await reader.readexactly(int(length[1]))


async def _main() -> None:
    orders: dict[str, Any] = json.loads(sys.stdin.readline())
    accounts = orders["accounts"]
    make = KINDS[orders["kind"]]
    swarm = Swarm(orders["port"], orders["seconds"])
    await swarm.run([make(Account(**accounts[n % len(accounts)], n=n)) for n in range(orders["connections"])])
    tally = swarm.tally
    print(json.dumps({**vars(tally), "close_codes": {str(code): n for code, n in tally.close_codes.items()}}))


if __name__ == "__main__":
    asyncio.run(_main())
