"""examples/js under Node, as a reader runs it, against the real server."""

import asyncio
import shutil
import sqlite3
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.conftest import Server
from tests.socketio.node import DRIVER, need_node

EXAMPLES = Path(__file__).parents[2] / "examples" / "js"
TIMEOUT_S = 20.0


class Terminal:
    """The running example."""

    def __init__(self, process: Process) -> None:
        self.process = process

    async def read(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        async with asyncio.timeout(TIMEOUT_S):
            return (await self.process.stdout.readline()).decode().rstrip("\n")

    async def write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()

    async def end(self) -> int:
        """Ends its input; the exit status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(TIMEOUT_S):
            return await self.process.wait()


@asynccontextmanager
async def terminal(
    folder: Path, server: Server, token: str, chat_id: int, program: str | None = None
) -> AsyncIterator[Terminal]:
    """Runs the example, or another program beside it, with what `npm install` would have installed."""
    need_node()
    copy = folder / "js"
    shutil.copytree(EXAMPLES, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(DRIVER.parent / "node_modules")
    if program is not None:
        (copy / "node.mjs").write_text(program, "utf8")
    env = {
        "PATH": str(Path(str(shutil.which("node"))).parent),
        "VESTNIK_URL": server.url,
        "VESTNIK_TOKEN": token,
    }
    process = await asyncio.create_subprocess_exec(
        "node", "node.mjs", str(chat_id), cwd=copy, env=env, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        yield Terminal(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_prints_what_is_said_and_sends_what_is_typed(server: Server, tmp_path: Path) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    await ann.say(chat_id, "before")
    async with terminal(tmp_path, server, bob.token or "", chat_id) as shown:
        assert await shown.read() == f"{ann.id}: before"
        await shown.write("Привет!")
        assert await shown.read() == f"{bob.id}: Привет!"
        message = await ann.say(chat_id, "hello")
        assert await shown.read() == f"{ann.id}: hello"
        await ann.post(f"/messages/{message['id']}/reactions/👍")
        await ann.say(chat_id, "after a reaction")
        assert await shown.read() == f"{ann.id}: after a reaction"
        page = await ann.get(f"/chats/{chat_id}/messages")
        assert [one["content"] for one in page["messages"]][1] == "Привет!"
        assert await shown.end() == 0


async def test_it_recovers_what_was_said_while_it_was_away_and_sends_once(
    server: Server, tmp_path: Path
) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    await ann.say(chat_id, "before")
    async with terminal(tmp_path, server, bob.token or "", chat_id) as shown:
        assert await shown.read() == f"{ann.id}: before"
        await server.stop()
        await shown.write("typed while the server is away")
        await server.start()
        await ann.say(chat_id, "said first")
        lines = {await shown.read(), await shown.read()}
        assert lines == {f"{ann.id}: said first", f"{bob.id}: typed while the server is away"}
        contents = [one["content"] for one in (await ann.get(f"/chats/{chat_id}/messages"))["messages"]]
        assert contents.count("typed while the server is away") == 1


CONTENTS = """
import { io } from 'socket.io-client'
import { openChat } from './chat.js'
const { VESTNIK_URL: server, VESTNIK_TOKEN } = process.env
const onChange = (messages) => console.log(messages.map(({ content }) => content).join())
openChat({ io, server, token: () => VESTNIK_TOKEN, chatId: Number(process.argv[2]), onChange })
"""
"""Prints what the chat is after each change."""


async def test_it_loads_all_anew_after_a_restore(server: Server, tmp_path: Path) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    await ann.say(chat_id, "one")
    async with terminal(tmp_path, server, bob.token or "", chat_id, CONTENTS) as shown:
        assert await shown.read() == "one"
        await server.stop()
        with sqlite3.connect(server.config.data_dir / "vestnik.db") as database:
            database.execute("UPDATE meta SET value = 'other' WHERE key = 'epoch'")
            database.execute("UPDATE messages SET content = 'another'")
        database.close()
        await server.start()
        assert await shown.read() == "another"
        await ann.say(chat_id, "two")
        assert await shown.read() == "another,two"


async def test_a_token_that_is_refused_is_said(server: Server, tmp_path: Path) -> None:
    async with terminal(tmp_path, server, "nonsense", 1) as shown:
        assert shown.process.stderr is not None
        async with asyncio.timeout(TIMEOUT_S):
            assert (await shown.process.stderr.readline()).startswith(b"refused: ")
        assert await shown.end() == 0, "there is nothing to send"
