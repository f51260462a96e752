"""One Socket.IO connection at a time: commands with their acks, and events in order."""

import asyncio
from collections.abc import Callable
from typing import Any

import socketio

from vestnik_bot.errors import Ended, Unsent

Json = dict[str, Any]

CONNECT_S = 30
ACK_S = 30
FINAL = {4401: "the token does not work", 4403: "the token was renewed, or the account has ended"}
TOO_MANY_PAUSE_S = 30
"""Before another attempt of a user who has too many connections."""


class Connection:
    """Calls `on_event(name, payload)` for each event, in order, and without an `await` in between."""

    def __init__(self, url: str, token: str, on_event: Callable[[str, Json], None]) -> None:
        self._url = url
        self._token = token
        self._on_event = on_event
        self._client: Any = None
        self._waiting: set[asyncio.Future[Json]] = set()
        self._lost = asyncio.Event()
        self._hello: asyncio.Future[Json] = asyncio.Future()
        self._closing: Json = {}

    async def open(self) -> Json:
        """Connects; the payload of `connected`. Raises `Unsent` if it has to be tried again, `Ended` if not."""
        client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self._client, self._closing = client, {}
        self._lost, self._hello = asyncio.Event(), asyncio.Future()
        client.on("*", self._event)
        client.on("connect_error", self._refused)
        client.on("disconnect", self._end)
        try:
            await client.connect(
                self._url,
                auth={"token": self._token},
                transports=["websocket"],
                namespaces=["/"],
                wait_timeout=CONNECT_S,
            )
            async with asyncio.timeout(CONNECT_S):
                return await self._hello
        except (socketio.exceptions.ConnectionError, TimeoutError) as error:
            await self.close()
            self._check_end()
            raise Unsent(f"no connection: {error}", self._pause_s()) from None

    async def lost(self) -> None:
        """Returns by raising, once the connection is gone: `Ended` if another one would be refused, else `Unsent`."""
        await self._lost.wait()
        await self.close()
        self._check_end()
        raise Unsent("the connection is lost", self._pause_s())

    async def call(self, command: str, payload: Json, on_ack: Callable[[Json], None] | None = None) -> Json:
        """Sends a command; its ack, which `on_ack` gets before any later event. Raises `Unsent` without an ack."""
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()

        def take(ack: Json) -> None:
            if not answer.done():
                if on_ack is not None:
                    on_ack(ack)
                answer.set_result(ack)

        self._waiting.add(answer)
        try:
            if self._lost.is_set() or self._client is None:
                raise Unsent("not connected")
            await self._client.emit(command, payload, callback=take)
            async with asyncio.timeout(ACK_S):
                return await answer
        except (socketio.exceptions.SocketIOError, TimeoutError) as error:
            raise Unsent(f"no ack: {error}") from None
        finally:
            self._waiting.discard(answer)

    async def send(self, command: str, payload: Json) -> None:
        """Sends a command that needs no ack and may be lost."""
        try:
            if self._client is not None and not self._lost.is_set():
                await self._client.emit(command, payload)
        except socketio.exceptions.SocketIOError:
            pass

    async def close(self) -> None:
        self._end()
        client, self._client = self._client, None
        if client is not None:
            await client.disconnect()

    def _event(self, name: str, payload: Json) -> None:
        if name == "connected" and not self._hello.done():
            self._hello.set_result(payload)
        elif name == "closing":
            self._closing = payload
        else:
            self._on_event(name, payload)

    def _refused(self, error: object = None) -> None:
        data = error.get("data") if isinstance(error, dict) else None
        if isinstance(data, dict):
            self._closing = {"code": data.get("close_code"), "reason": data.get("message")}

    def _end(self, *_: object) -> None:
        self._lost.set()
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(Unsent("the connection is lost"))

    def _check_end(self) -> None:
        why = FINAL.get(self._closing.get("code", 0))
        if why is not None:
            raise Ended(why)

    def _pause_s(self) -> float | None:
        if self._closing.get("code") == 4429:
            return TOO_MANY_PAUSE_S
        pause_ms = self._closing.get("retry_in_ms")
        return None if pause_ms is None else pause_ms / 1000
