"""README.md: its commands and programs, run as a reader runs them against the demo that `make run` serves."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.clients.ports import HeldPort
from tests.clients.programs import need
from tests.clients.rest import RestClient
from tests.deploy.pages import ROOT, Shell, blocks
from tests.deploy.test_deploy_page import PAGE
from tests.deploy.walks import STUBS, why_not
from tests.socketio.node import DRIVER, need_node

README = "README.md"
START_S = 60
SAID_S = 20

NODE = """
import { io } from 'socket.io-client'
import WsSocket from 'ws'
globalThis.WebSocket ??= WsSocket // part of Node from 22 on
const token = process.env.TOKEN
"""


@asynccontextmanager
async def demo(place: Path) -> AsyncIterator[tuple[str, str]]:
    """Runs the first block of the page, `make run`; the address, and the password that it prints."""
    assert blocks(README)[0] == "make run\n"
    port = HeldPort().number
    shell = Shell(place / "programs", ROOT, {}, STUBS)
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", blocks(README)[0]),
        cwd=ROOT,
        env={"PATH": shell.path, "PORT": str(port), "DATA_DIR": str(place / "data"), "BCRYPT_COST": "4"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        process_group=0,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(START_S):
            while not (found := re.search(rb"password: (\S+)", await process.stderr.readline())):
                assert not process.stderr.at_eof()
        yield f"http://localhost:{port}", found[1].decode()
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        await process.communicate()


async def wait_for(bob: RestClient, chat_id: int, content: str) -> None:
    """Returns when a message with that content is in the chat."""
    async with asyncio.timeout(SAID_S):
        while True:
            page = await bob.get(f"/chats/{chat_id}/messages")
            if any(message["content"] == content for message in page["messages"]):
                return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def program(*command: str, cwd: Path, **variables: str) -> AsyncIterator[None]:
    """A program that runs until it is stopped."""
    env = {"PATH": os.environ["PATH"], **variables}
    process = await asyncio.create_subprocess_exec(*command, cwd=cwd, env=env)
    try:
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_commands_and_programs_of_the_page(tmp_path: Path) -> None:
    need("make")
    need_node()
    async with demo(tmp_path) as (url, password), ClientSession() as http:
        bob = RestClient(http, url)
        await bob.login("bob", password)
        (chat,) = (chat for chat in (await bob.get("/chats"))["chats"] if chat["name"] == "Demo")
        changed = {
            "localhost:8000": url.removeprefix("http://"),
            "PASSWORD": password,
            'main("TOKEN")': f'main("{bob.token}")',
        }
        changed |= {'"chat_id": 1': f'"chat_id": {chat["id"]}', "chat_id: 1": f"chat_id: {chat['id']}"}
        shell = Shell(tmp_path / "shell", tmp_path, {**changed, "$TOKEN": bob.token}, STUBS)
        printed = [
            await shell.run(block)
            for block in blocks(README)[1:]
            if why_not(block) is None and block not in blocks(PAGE)
        ]
        login, lists = printed
        assert json.loads(login)["user"]["username"] == "alice"
        chats, message = lists.strip().replace("}{", "}\n{").splitlines()
        assert len(json.loads(chats)["chats"]) == 2
        assert json.loads(message)["content"] == "Hello from curl"

        def source(kind: str, number: int) -> str:
            text = blocks(README, kind)[number]
            for ours, theirs in changed.items():
                text = text.replace(ours, theirs)
            return text

        (tmp_path / "hello.py").write_text(source("python", 0))
        async with program(sys.executable, "hello.py", cwd=tmp_path):
            await wait_for(bob, chat["id"], "Hello from Python")
        (tmp_path / "node_modules").symlink_to(DRIVER.parent / "node_modules")
        for number, content in enumerate(("Привет!", "Hello")):
            (tmp_path / f"{number}.mjs").write_text(NODE + source("js", number))
            async with program("node", f"{number}.mjs", cwd=tmp_path, TOKEN=bob.token):
                await wait_for(bob, chat["id"], content)


@pytest.mark.parametrize("name", ["README.md", PAGE])
def test_the_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r'(?:\]\(|src=")([^)"#]+)', page.read_text("utf8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
