"""A client of the raw gate."""

import asyncio
import json
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from tests.clients.client import TIMEOUT_S, Client, Frame
from tests.clients.documented import see_frame

ENDS = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


class RawClient(Client):
    """One raw connection, read in the background."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        super().__init__()
        self.socket = socket
        self._asked: dict[Any, Any] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(
        cls, http: ClientSession, url: str, token: str | None = None, **options: Any
    ) -> "RawClient":
        """Connects with the token in the query. Options are those of aiohttp's `ws_connect`."""
        if token is not None:
            options["params"] = {"token": token, **options.get("params", {})}
        return cls(await http.ws_connect(url, **options))

    async def send(self, frame: Frame) -> None:
        if type(frame.get("id")) in (int, str):
            self._asked[frame["id"]] = frame.get("type")
        await self.send_text(json.dumps(frame))

    async def send_text(self, text: str) -> None:
        await self.socket.send_str(text)

    async def closed(self) -> int:
        async with asyncio.timeout(TIMEOUT_S):
            await asyncio.shield(self._reader)
        code = self.socket.close_code
        assert code is not None
        return code

    async def close(self) -> None:
        await self.socket.close()
        await self._reader

    def cut(self) -> None:
        self.socket._response.close()

    async def _read(self) -> None:
        while True:
            message = await self.socket.receive()
            if message.type is WSMsgType.TEXT:
                frame = json.loads(message.data)
                see_frame(frame, self._asked.pop(frame.get("id"), None))
                self._take_in(frame)
            elif message.type is WSMsgType.CLOSE:
                self.close_reason = message.extra or ""
            if message.type in ENDS:
                self._take_in(None)
                return
