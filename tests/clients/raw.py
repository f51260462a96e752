"""A client of the raw gate that keeps everything it is told."""

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

Frame = dict[str, Any]

TIMEOUT_S = 5.0


class RawClient:
    """One raw connection, read in the background into an inbox. `chat_updated`, which comes in its own time and to
    whoever has not joined, has an inbox of its own."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.close_reason = ""
        self._arriving: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._inbox: deque[Frame] = deque()
        self._updates: asyncio.Queue[Frame] = asyncio.Queue()
        self._waiting = asyncio.Lock()
        self._ids = itertools.count(1)
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
        await self.send_text(json.dumps(frame))

    async def send_text(self, text: str) -> None:
        await self.socket.send_str(text)

    async def command(self, name: str, **fields: Any) -> Frame:
        """Sends a command with an id and returns its ack or error; all else that comes meanwhile stays in the inbox."""
        frame_id = next(self._ids)
        await self.send({"type": name, "id": frame_id, **fields})
        return await self.answer_to(frame_id)

    async def done(self, name: str, **fields: Any) -> Frame:
        """As `command`, for one that has to succeed."""
        answer = await self.command(name, **fields)
        assert answer["type"] == "ack", answer
        return answer

    async def answer_to(self, frame_id: int | str) -> Frame:
        """The ack of, or the error for, the frame with this id."""
        return await self._first(
            lambda frame: frame["type"] in ("ack", "error") and frame.get("id") == frame_id
        )

    async def next(self, name: str | None = None) -> Frame:
        """The next frame, or the next of this type; those before it stay in the inbox."""
        return await self._first(lambda frame: name in (None, frame["type"]))

    async def drain(self) -> list[Frame]:
        """Everything the server had for this client up to the answer to a ping; the inbox is empty then."""
        await self.done("ping")
        return [frame for frame in self.take() if frame["type"] != "pong"]

    def take(self) -> list[Frame]:
        """What is in the inbox: all that came before the answer, or the event, that was waited for last."""
        frames = list(self._inbox)
        self._inbox.clear()
        return frames

    async def nothing_more(self, *names: str) -> None:
        """Nothing (of these types; none given: of any) has come, up to the answer to a ping."""
        frames = [frame for frame in await self.drain() if not names or frame["type"] in names]
        assert frames == []

    async def update(self) -> Frame:
        """The next `chat_updated`."""
        async with asyncio.timeout(TIMEOUT_S):
            return await self._updates.get()

    async def updates(self) -> list[Frame]:
        """Every `chat_updated` that has come, up to the answer to a ping, and was not taken before."""
        await self.done("ping")
        return [self._updates.get_nowait() for _ in range(self._updates.qsize())]

    async def closed(self) -> int:
        """Waits for the server to end the connection. Returns the close code; `close_reason` is there then."""
        async with asyncio.timeout(TIMEOUT_S):
            await asyncio.shield(self._reader)
        code = self.socket.close_code
        assert code is not None
        return code

    async def close(self) -> None:
        await self.socket.close()
        await self._reader

    async def _read(self) -> None:
        while True:
            message = await self.socket.receive()
            if message.type is WSMsgType.TEXT:
                frame = json.loads(message.data)
                (self._updates if frame["type"] == "chat_updated" else self._arriving).put_nowait(frame)
            elif message.type is WSMsgType.CLOSE:
                self.close_reason = message.extra or ""
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                self._arriving.put_nowait(None)
                return

    async def _first(self, wanted: Callable[[Frame], bool]) -> Frame:
        async with (
            asyncio.timeout(TIMEOUT_S),
            self._waiting,
        ):  # one reads on at a time, the others find what it left
            for frame in self._inbox:
                if wanted(frame):
                    self._inbox.remove(frame)
                    return frame
            while (frame := await self._arriving.get()) is not None:
                if wanted(frame):
                    return frame
                self._inbox.append(frame)
            self._arriving.put_nowait(None)
        raise ConnectionError(
            f"closed with {self.socket.close_code} {self.close_reason!r}, has {self._inbox}"
        )
