"""The log of a session: it has the documented lines and no secret."""

import json
import signal
from pathlib import Path

import pytest

from tests.clients.program import STOP_S, running
from tests.clients.raw import RawClient

PASSWORD_MARK = "swordfish-and-more"
TEXT_MARK = "nobody-logs-this-text"


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_a_session_leaves_websocket_lines_and_no_secret(tmp_path: Path, log_format: str) -> None:
    # With an admin, so that no setup link stands between the lines of the log.
    admin = {"ADMIN_USERNAME": "root", "ADMIN_PASSWORD": f"{PASSWORD_MARK}-of-root"}
    async with running(tmp_path, LOG_LEVEL="debug", LOG_FORMAT=log_format, **admin) as program:
        http, url = program.http, program.url
        ann = program.stranger("ann")
        ws_url = ann.ws_url
        await ann.register("ann", PASSWORD_MARK, email="ann@example.org")
        await ann.login("ann", PASSWORD_MARK)
        tokens = [ann.token, ann.refresh_token]
        chat_id = await ann.chat()
        client = await ann.open_raw()
        await client.done("join_chat", chat_id=chat_id)
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
        program.send_signal(signal.SIGTERM)
        for connection in (client, by_header, by_protocol):
            assert await connection.closed() == 1001
        assert await program.ended(STOP_S) == 0
    text = program.log
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
    async with running(tmp_path, CORS_ORIGINS="https://chat.example.org") as program:
        headers = {"Origin": "https://evil.example.org"}
        async with program.http.get(f"{program.url}/api/users/me", headers=headers) as answer:
            assert answer.status == 403
    (line,) = [line for line in program.log.splitlines() if "evil.example.org" in line]
    assert "CORS_ORIGINS" in line


@pytest.mark.parametrize(("key", "warned"), [("x" * 31, True), ("ы" * 16, False)])
async def test_a_short_key_is_warned_of_and_never_shown(tmp_path: Path, key: str, warned: bool) -> None:
    async with running(tmp_path, SECRET_KEY=key) as program:
        pass
    assert ("SECRET_KEY is short" in program.log) is warned
    assert key not in program.log
