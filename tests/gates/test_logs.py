"""The log of a session: the lines somebody greps for, and none of the secrets."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.clients.people import Person
from tests.clients.raw import RawClient

PASSWORD_MARK = "swordfish-and-more"
TEXT_MARK = "nobody-logs-this-text"

Logged = Callable[[], str]


@asynccontextmanager
async def process(
    tmp_path: Path, **settings: str
) -> AsyncIterator[tuple[int, Logged, asyncio.subprocess.Process]]:
    """`python -m server` as an operator runs it: its port, what it has written so far, the process."""
    env = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_CONFIG")
    }
    root = str(Path(__file__).parent.parent.parent)
    env.update(
        PYTHONPATH=root,
        PORT="0",
        HOST="127.0.0.1",
        DATA_DIR=str(tmp_path / "data"),
        BCRYPT_COST="4",
        **settings,
    )
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-m", "server",
        cwd=tmp_path, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert server.stdout is not None
    lines: list[str] = []
    serving: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def read(output: asyncio.StreamReader) -> None:
        async for line in output:
            lines.append(line.decode())
            port = re.search(r"http://127\.0\.0\.1:(\d+)", lines[-1])
            if port and not serving.done():
                serving.set_result(int(port[1]))

    reading = asyncio.create_task(read(server.stdout))
    try:
        async with asyncio.timeout(60):
            yield await serving, lambda: "".join(lines), server
    finally:
        if server.returncode is None:
            server.send_signal(signal.SIGTERM)
        await asyncio.wait_for(server.wait(), 15)
        await reading


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_a_session_leaves_websocket_lines_and_no_secret(tmp_path: Path, log_format: str) -> None:
    async with (
        process(tmp_path, LOG_LEVEL="debug", LOG_FORMAT=log_format) as (port, logged, server),
        ClientSession() as http,
    ):
        url, ws_url = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws"
        ann = Person(http, url, ws_url, "ann")
        await ann.register("ann", PASSWORD_MARK, email="ann@example.org")
        await ann.login("ann", PASSWORD_MARK)
        tokens = [ann.token, ann.refresh_token]
        chat_id = await ann.chat()
        client = await ann.joined(chat_id)
        by_header = await RawClient.open(http, ws_url, headers={"Authorization": f"Bearer {ann.token}"})
        by_protocol = await RawClient.open(http, ws_url, protocols=("bearer", str(ann.token)))
        refused = await RawClient.open(http, ws_url, f"{ann.token}x")
        assert await refused.closed() == 4401
        await client.done("send_message", chat_id=chat_id, content=TEXT_MARK)
        await client.done("refresh_token", token=ann.token)
        await client.command("refresh_token", token=f"{ann.token}y")
        await client.command("send_message", chat_id=chat_id, content=TEXT_MARK * 1000)
        await client.send_text(f'{{"broken": "{TEXT_MARK}')
        await ann.request("POST", "/messages", json={"chat_id": chat_id, "content": TEXT_MARK})
        await ann.request(
            "POST", "/auth/login", json={"username": "ann", "password": f"{PASSWORD_MARK}-wrong"}
        )
        await ann.request("POST", "/auth/refresh", json={"refresh_token": ann.refresh_token})
        async with http.get(f"{url}/socket.io/?EIO=4&transport=polling&token={ann.token}") as answer:
            assert answer.status == 200
            eio_sid = json.loads((await answer.text())[1:])["sid"]
        await client.drain()
        server.send_signal(signal.SIGTERM)
        for connection in (client, by_header, by_protocol):
            assert await connection.closed() == 1001
        assert await server.wait() == 0
    text = logged()
    lines = text.splitlines()
    assert sum("WebSocket connected" in line for line in lines) == 3
    assert sum("WebSocket closed" in line for line in lines) == 3
    assert sum("WebSocket refused" in line for line in lines) == 1
    for secret in (*tokens, *(str(tokens[0]).split(".")), PASSWORD_MARK, TEXT_MARK, eio_sid):
        assert str(secret) not in text
    assert "Traceback" not in text
    if log_format == "json":
        assert all({"event", "level", "timestamp"} <= json.loads(line).keys() for line in lines)


async def test_a_refused_origin_is_logged_with_the_setting_that_would_admit_it(tmp_path: Path) -> None:
    async with (
        process(tmp_path, CORS_ORIGINS="https://chat.example.org") as (port, logged, _),
        ClientSession() as http,
    ):
        headers = {"Origin": "https://evil.example.org"}
        async with http.get(f"http://127.0.0.1:{port}/api/users/me", headers=headers) as answer:
            assert answer.status == 403
    (line,) = [line for line in logged().splitlines() if "evil.example.org" in line]
    assert "CORS_ORIGINS" in line


@pytest.mark.parametrize(("key", "warned"), [("x" * 31, True), ("x" * 32, False), ("ы" * 16, False)])
async def test_a_short_key_is_warned_of_and_never_shown(tmp_path: Path, key: str, warned: bool) -> None:
    async with process(tmp_path, SECRET_KEY=key) as (_, logged, _):
        pass
    text = logged()
    assert ("SECRET_KEY is short" in text) is warned
    assert key not in text
