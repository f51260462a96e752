"""Answers that clients do not read: the memory they cost, and that the server gives it back."""

import asyncio
import socket
import time
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.clients.people import Person
from tests.clients.program import Program
from tests.gates.test_stuck_peers import MIB, proc_only, resident_bytes

CONNECTIONS = 60
LARGE = "\x01" * 10_000
"""60,000 bytes as JSON: 200 such messages are a page of 12 MB."""


class Greedy:
    """A connection that asks for a page again and again and reads nothing."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.socket()

    async def ask(self, path: str, token: str | None, times: int = 1) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, ("127.0.0.1", self._port))
        head = f"GET /api{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        await loop.sock_sendall(self._socket, head.encode() * times)

    def close(self) -> None:
        self._socket.close()


async def person_with_pages(program: Program, messages: int = 200) -> tuple[Person, int]:
    ann = await program.person("ann")
    chat_id = await ann.chat()
    client = await ann.connect()
    for number in range(messages):
        await client.send({"type": "send_message", "chat_id": chat_id, "content": LARGE, "id": f"m{number}"})
    for number in range(messages):
        await client.answer_to(f"m{number}")
    await client.close()
    return ann, chat_id


async def highest_bytes(program: Program, seconds: float) -> int:
    """The highest resident memory within this time."""
    most, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        most = max(most, resident_bytes(program.pid, "VmRSS"))
        await asyncio.sleep(0.05)
    return most


@proc_only
@pytest.mark.parametrize(
    ("times", "seconds"),
    [(50, 3), *(pytest.param(times, 60, marks=pytest.mark.long) for times in (1, 50))],
    ids=["short", "once", "long"],
)
async def test_sixty_pages_that_nobody_reads_are_bounded_and_given_back(
    tmp_path: Path, times: int, seconds: int
) -> None:
    async with ClientSession() as http:
        program = Program(tmp_path, http)
        try:
            await program.start()
            ann, chat_id = await person_with_pages(program)
            path = f"/chats/{chat_id}/messages?limit=200"
            for _ in range(3):
                await ann.get(path)
            before = resident_bytes(program.pid, "VmRSS")
            everybody = [Greedy(program.port) for _ in range(CONNECTIONS)]
            for greedy in everybody:
                await greedy.ask(path, ann.token, times)
            most = await highest_bytes(program, seconds)
            bob = await program.person("bob")  # others are served meanwhile
            assert (await bob.get("/users/me"))["username"] == "bob"
            for greedy in everybody:
                greedy.close()
            assert most - before < 100 * MIB, (before, most)
            async with asyncio.timeout(60):
                while (after := resident_bytes(program.pid, "VmRSS")) - before >= 30 * MIB:
                    await asyncio.sleep(0.2)
            print(f"before {before / MIB:.0f} MiB, most {most / MIB:.0f}, after {after / MIB:.0f}")  # noqa: T201
        finally:
            await program.close()
