"""One connection of a user, on any wire: events and answers as the raw protocol writes them."""

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any

from tests.patience import SLACK

Frame = dict[str, Any]

TIMEOUT_S = 5.0 * SLACK


class Client(ABC):
    """Keeps all frames it receives in an inbox. `chat_updated`, which comes at its own pace and also to connections
    that have not joined, has an inbox of its own."""

    def __init__(self) -> None:
        self.close_reason = ""
        self._arriving: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._inbox: deque[Frame] = deque()
        self._updates: asyncio.Queue[Frame] = asyncio.Queue()
        self._waiting = asyncio.Lock()
        self._ids = itertools.count(1)

    @abstractmethod
    async def send(self, frame: Frame) -> None:
        """Sends a command; with an `id` it asks for an answer."""

    @abstractmethod
    async def closed(self) -> int:
        """Waits for the server to end the connection. Returns the close code; `close_reason` is there then."""

    @abstractmethod
    async def close(self) -> None:
        """Closes the connection with a closing handshake."""

    @abstractmethod
    def cut(self) -> None:
        """Drops the connection without a closing handshake."""

    async def command(self, name: str, **fields: Any) -> Frame:
        """Sends a command with an id and returns its ack or error; all else that comes meanwhile stays in the inbox."""
        frame_id = next(self._ids)
        await self.send({"type": name, "id": frame_id, **fields})
        return await self.answer_to(frame_id)

    async def done(self, name: str, **fields: Any) -> Frame:
        """As `command`, for a command that has to succeed."""
        answer = await self.command(name, **fields)
        assert answer["type"] == "ack", answer
        return answer

    async def answer_to(self, frame_id: int | str) -> Frame:
        """The ack of, or the error for, the command with this id."""
        return await self._first(
            lambda frame: frame["type"] in ("ack", "error") and frame.get("id") == frame_id
        )

    async def next(self, name: str | None = None) -> Frame:
        """The next frame, or the next of this type; frames before it stay in the inbox."""
        return await self._first(lambda frame: name in (None, frame["type"]))

    async def drain(self) -> list[Frame]:
        """All frames that the server had for this client up to the answer to a ping; the inbox is empty then."""
        await self.done("ping")
        return [frame for frame in self.take() if frame["type"] != "pong"]

    def take(self) -> list[Frame]:
        """Empties the inbox: the frames before the answer, or the event, that was waited for last."""
        frames = list(self._inbox)
        self._inbox.clear()
        return frames

    async def nothing_more(self, *names: str) -> None:
        """Asserts that no frame (of these types; none given: of any) has come, up to the answer to a ping."""
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

    def _take_in(self, frame: Frame | None) -> None:
        """A frame has arrived; None: the connection is over."""
        is_update = frame is not None and frame["type"] == "chat_updated"
        (self._updates if is_update else self._arriving).put_nowait(frame)  # type: ignore[arg-type]

    async def _first(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The next frame that is wanted; frames before it stay in the inbox."""
        async with (
            asyncio.timeout(TIMEOUT_S),
            self._waiting,
        ):  # one task reads on at a time, the others search what it left in the inbox
            for frame in self._inbox:
                if wanted(frame):
                    self._inbox.remove(frame)
                    return frame
            while (arrived := await self._arriving.get()) is not None:
                if wanted(arrived):
                    return arrived
                self._inbox.append(arrived)
            self._arriving.put_nowait(None)
        raise ConnectionError(f"closed with {await self.closed()} {self.close_reason!r}, has {self._inbox}")
