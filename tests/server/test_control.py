"""The socket of `vestnik user` when the server stops."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from handlers.chat_app import ChatApp
from server.control import Control, ask_server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no sockets in the file system")


class SlowOperator:
    """Stands for `ChatApp` and its operator, and acts when it is let."""

    def __init__(self) -> None:
        self.asked, self.let = asyncio.Event(), asyncio.Event()
        self.operator = self

    async def run(self, action: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.set()
        await self.let.wait()
        return {"did": action, "to": request["user"]}


@pytest.fixture
async def operator() -> SlowOperator:
    return SlowOperator()


@pytest.fixture
async def control(operator: SlowOperator, tmp_path: Path) -> AsyncIterator[Control]:
    control = Control(cast(ChatApp, operator), tmp_path)
    await control.open()
    yield control
    operator.let.set()
    await control.close()


async def test_what_is_begun_is_answered(control: Control, operator: SlowOperator, tmp_path: Path) -> None:
    asking = asyncio.create_task(ask_server(tmp_path, "ban", {"user": "ann"}))
    await operator.asked.wait()
    closing = asyncio.create_task(control.close())
    await asyncio.sleep(0)
    assert not closing.done()
    assert await ask_server(tmp_path, "ban", {"user": "bob"}) is None
    operator.let.set()
    assert await asking == {"ok": True, "did": "ban", "to": "ann"}
    await closing


async def test_what_is_not_begun_is_for_the_store(control: Control, tmp_path: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(tmp_path / "control.sock")
    await asyncio.sleep(0.05)  # the server has accepted it
    await control.close()
    writer.write(b'{"do": "ban", "user": "ann"}\n')
    assert json.loads(await reader.readline()) == {"closed": True}
    writer.close()
