"""Answers that nobody reads: what they cost the server, and whether it gives the memory back."""

import asyncio
import os
import socket
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.clients.people import Person
from tests.clients.program import Program
from tests.gates.test_stuck_peers import MIB, proc_only, resident_bytes

CONNECTIONS = 60
LARGE = "\x01" * 10_000
"""60,000 bytes as JSON: 200 such messages are a page of 12 MB."""

LONG = os.environ.get("VESTNIK_LONG_TESTS") == "on"
"""The long form waits until the server has cut everybody off by itself, and a minute after that."""


class Greedy:
    """A connection that asks for a page, again and again, and reads nothing."""

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
    """The most that is resident within this time."""
    most = 0
    async with asyncio.timeout(seconds + 5):
        for _ in range(int(seconds * 20)):
            most = max(most, resident_bytes(program.pid, "VmRSS"))
            await asyncio.sleep(0.05)
    return most


@proc_only
@pytest.mark.parametrize("times", [1, 50])
async def test_sixty_pages_that_nobody_reads_are_bounded_and_given_back(tmp_path: Path, times: int) -> None:
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
            most = await highest_bytes(program, 60 if LONG else 3)
            bob = await program.person("bob")  # who is served meanwhile as ever
            assert (await bob.get("/users/me"))["username"] == "bob"
            for greedy in everybody:
                greedy.close()
            await asyncio.sleep(60 if LONG else 12)
            after = resident_bytes(program.pid, "VmRSS")
            print(f"before {before / MIB:.0f} MiB, most {most / MIB:.0f}, after {after / MIB:.0f}")  # noqa: T201
            assert most - before < 100 * MIB
            assert after - before < 30 * MIB
        finally:
            await program.close()
