"""A client of the Socket.IO gate that speaks the protocol by hand, on a WebSocket or by polling."""

import asyncio
import itertools
from typing import Any

from aiohttp import ClientSession

from tests.clients.client import TIMEOUT_S, Client, Frame
from tests.clients.wires import Wire


class SocketIOClient(Client):
    """One connection. The last event, `closing`, shows in `closed` and `close_reason` and not in the inbox, so that the
    client behaves as a raw one."""

    def __init__(
        self, wire: type[Wire], http: ClientSession, url: str, token: str, params: dict[str, str]
    ) -> None:
        super().__init__()
        self._wire = wire(http, url, token, self._see, params)
        self._numbers = itertools.count(1)
        self._frame_ids: dict[int, Any] = {}
        self._end = asyncio.create_task(self._wait_for_the_end())

    async def open(self) -> "SocketIOClient":
        """Connects; the first frame, `connected`, is in the inbox then. After a refusal `closed` returns its code."""
        await self._wire.open()
        return self

    async def send(self, frame: Frame) -> None:
        fields = dict(frame)
        name, number = fields.pop("type"), None
        if (frame_id := fields.pop("id", None)) is not None:
            number = next(self._numbers)
            self._frame_ids[number] = frame_id
        await self._wire.send(number, name, fields)

    async def closed(self) -> int:
        async with asyncio.timeout(TIMEOUT_S):
            await asyncio.shield(self._end)
        self.close_reason = self._wire.close_reason
        return self._wire.close_code or 1006

    async def close(self) -> None:
        await self._wire.leave()
        await self._wire.close()
        await self._end

    def cut(self) -> None:
        self._wire.cut()

    def _see(self, frame: Frame) -> None:
        if frame["type"] == "closing":
            return
        if "id" in frame:
            frame["id"] = self._frame_ids.pop(frame["id"])
        self._take_in(frame)

    async def _wait_for_the_end(self) -> None:
        await self._wire.over.wait()
        self._take_in(None)
