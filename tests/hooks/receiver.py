"""A receiver of hooks that takes what it gets, fails, hangs, lies or is gone, as a test wants."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from domain.frozen import frozen
from tests.clients.ports import HeldPort
from tests.patience import within

WITHIN_S = 20.0


@frozen
class Answer:
    """What the receiver says. `hang`: it says nothing. `cut`: it closes the connection without a word. `drip_s`: the
    pause between the bytes of its body."""

    status: int = 200
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()
    hang: bool = False
    cut: bool = False
    drip_s: float = 0.0

    def head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Word", *(f"{name}: {value}" for name, value in self.headers)]
        if not any(name.lower() == "content-length" for name, _ in self.headers):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode()


@frozen
class Request:
    """One request that came in whole."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def frame(self) -> Any:
        return json.loads(self.body)

    @property
    def delivery(self) -> str:
        return self.headers["x-vestnik-delivery"]

    def is_signed_with(self, secret: str) -> bool:
        """Whether the signature is that of PROTOCOL: over time, dot and body."""
        signed = self.headers["x-vestnik-timestamp"].encode() + b"." + self.body
        digest = hmac.new(secret.encode(), signed, "sha256").hexdigest()
        return self.headers["x-vestnik-signature"] == f"sha256={digest}"


OK = Answer()
Behave = Callable[[Request], Answer]


class Receiver:
    """Listens on a port of its own, which stays the same when it stops and starts. `behave` says what it answers."""

    def __init__(self) -> None:
        self._held_port = HeldPort()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[Any]] = set()
        self._came = asyncio.Condition()
        self.requests: list[Request] = []
        self.behave: Behave = lambda request: OK
        self.at_once = 0
        self.at_once_max = 0
        """How many requests were being answered at the same time, at most."""
        self.connections = 0

    @property
    def port(self) -> int:
        return self._held_port.number

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def answers(self, *answers: Answer) -> None:
        """Gives these answers, one after the other, and the last of them from then on."""
        left = list(answers)
        self.behave = lambda request: left.pop(0) if len(left) > 1 else left[0]

    async def start(self, **options: Any) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, reuse_address=True, **options
        )

    async def stop(self) -> None:
        """Is gone, with all connections."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._serving):
            task.cancel()
        if self._serving:
            await asyncio.wait(self._serving)

    @property
    def frames(self) -> list[Any]:
        return [request.frame for request in self.requests]

    @property
    def contents(self) -> list[str]:
        """The contents of all new messages, as they came."""
        return [frame["message"]["content"] for frame in self.frames if frame["type"] == "new_message"]

    async def until(self, holds: Callable[[], bool], within_s: float = WITHIN_S) -> None:
        """Waits until this holds after a request has come in."""
        async with within(within_s), self._came:
            await self._came.wait_for(holds)

    async def count(self, number: int) -> list[Request]:
        """Waits for this number of requests; all that have come."""
        await self.until(lambda: len(self.requests) >= number)
        return self.requests

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.connections += 1
        try:
            # Cancelled: the receiver stops.
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._serving.discard(task)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(line, headers, body)
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        try:
            answer = self.behave(request)
            async with self._came:
                self.requests.append(request)
                self._came.notify_all()
            if answer.hang:
                await asyncio.Event().wait()
            if answer.cut:
                return False
            await self._write(writer, answer)
            return True
        finally:
            self.at_once -= 1

    async def _write(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        writer.write(answer.head())
        if not answer.drip_s:
            writer.write(answer.body)
        else:
            for byte in answer.body:
                writer.write(bytes((byte,)))
                await writer.drain()
                await asyncio.sleep(answer.drip_s)
        await writer.drain()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.stop()
