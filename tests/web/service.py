"""frontend/src/services/websocket.js under Node, driven by tests/node/service.mjs."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.patience import SLACK
from tests.socketio.node import DRIVER, need_node

_DRIVER = DRIVER.parent / "service.mjs"
_TIMEOUT_S = 15.0 * SLACK

Line = dict[str, Any]


class Service:
    """One service; each line it prints is kept until the test asks for it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._said: deque[Line] = deque()

    async def next(self, kind: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next line of this kind (log, state, frame, ack, error, sent) that matches."""
        async with asyncio.timeout(_TIMEOUT_S):
            while True:
                for line in self._said:
                    if kind in line and wanted(line[kind]):
                        self._said.remove(line)
                        return line[kind]
                assert self._process.stdout is not None
                text = await self._process.stdout.readline()
                assert text, f"the service is gone, having said {list(self._said)}"
                self._said.append(json.loads(text))

    async def frame(self, name: str) -> Line:
        frame: Line = await self.next("frame", lambda frame: frame["type"] == name)
        return frame

    async def log(self, start: str) -> list[str]:
        """The next line in the console that begins so."""
        line: list[str] = await self.next("log", lambda line: line[0].startswith(start))
        return line

    async def request(self, **frame: Any) -> Line:
        """The ack of a frame."""
        await self._order({"request": frame})
        ack: Line = await self.next("ack")
        return ack

    async def send(self, **frame: Any) -> bool:
        await self._order({"send": frame})
        return bool(await self.next("sent"))

    async def _order(self, order: Line) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()


@asynccontextmanager
async def open_service(url: str, *tokens: str) -> AsyncIterator[Service]:
    """Connects with the first token, and with the next whenever it needs a fresh one."""
    need_node()
    process = await asyncio.create_subprocess_exec(
        "node", str(_DRIVER), url, *tokens, stdin=PIPE, stdout=PIPE
    )
    try:
        yield Service(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.communicate(), 5 * SLACK)
        except TimeoutError:
            process.kill()
            await process.wait()
