"""Connections that speak their protocol by hand: a callback sees each frame at once and in order, and a test can cut
the connection at any moment."""

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType

from tests.clients.documented import see_frame

Frame = dict[str, Any]
See = Callable[[Frame], None]

CLOSE_PACKET = "1"


class Wire:
    """One connection. `see` gets every frame and every answer as the raw protocol writes them; `params` go with the
    token when the client connects."""

    def __init__(
        self, http: ClientSession, url: str, token: str | None, see: See, params: dict[str, str] | None = None
    ) -> None:
        self.params = params or {}
        self.close_code: int | None = None
        self.close_reason = ""
        self.over = asyncio.Event()
        self._http, self._url, self._token, self._see = http, url, token, see
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Frame | None]] = {}
        self._asked: dict[Any, str] = {}
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> bool:
        """Whether the connection came about: the server has sent `connected`."""
        opened = asyncio.get_running_loop().create_future()
        self._answers[0] = opened
        self._reader = asyncio.create_task(self._run())
        return await opened is not None

    async def start(self, name: str, **fields: Any) -> "asyncio.Future[Frame | None]":
        """Sends a command. Returns a future of the answer: None if the connection ends before it."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        if self.over.is_set():
            self._end()
        else:
            await self.send(number, name, fields)
        return answer

    async def send(self, number: int | None, name: str, fields: Frame) -> None:
        """Sends a command; with a number it asks for an answer, which `see` gets. A broken connection is cut."""
        if number is not None:
            self._asked[number] = name
        try:
            await self._write(number, name, fields)
        except (ClientError, OSError):
            self.cut()

    async def ask(self, name: str, **fields: Any) -> Frame | None:
        """The answer to a command, None if the connection ends before it."""
        return await (await self.start(name, **fields))

    def cut(self) -> None:
        """Drops the connection as a lost network does: `see` gets nothing from now on."""
        self._abort()
        self._end()

    async def leave(self) -> None:
        """Ends the connection as a client does that closes it."""
        raise NotImplementedError

    async def close(self) -> None:
        self.cut()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _run(self) -> None:
        try:
            await self._read()
        except (ClientError, OSError, TimeoutError):
            pass
        finally:
            self._end()

    def _take(self, frame: Frame) -> None:
        if self.over.is_set():
            return
        see_frame(frame, self._asked.pop(frame.get("id"), None))
        self._see(frame)
        number = 0 if frame["type"] == "connected" else frame.get("id")
        answer = None if number is None else self._answers.pop(number, None)
        if answer is not None and not answer.done():
            answer.set_result(frame)

    def _end(self) -> None:
        self.over.set()
        for answer in self._answers.values():
            if not answer.done():  # else the task that waited was cancelled
                answer.set_result(None)
        self._answers.clear()

    async def _write(self, number: int | None, name: str, fields: Frame) -> None:
        raise NotImplementedError

    async def _read(self) -> None:
        raise NotImplementedError

    def _abort(self) -> None:
        raise NotImplementedError


class RawWire(Wire):
    _socket: ClientWebSocketResponse | None = None

    async def _read(self) -> None:
        query = {"token": str(self._token), **self.params}
        async with self._http.ws_connect(f"{self._url}/ws", params=query) as socket:
            self._socket = socket
            while (message := await socket.receive()).type is WSMsgType.TEXT:
                self._heard(message.data)
            self.close_code, self.close_reason = socket.close_code, str(message.extra or "")

    def _heard(self, text: str) -> None:
        self._take(json.loads(text))

    async def _write(self, number: int | None, name: str, fields: Frame) -> None:
        assert self._socket is not None
        frame = {"type": name, **({} if number is None else {"id": number}), **fields}
        await self._socket.send_str(json.dumps(frame))

    async def leave(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    def _abort(self) -> None:
        if self._socket is None:
            if self._reader is not None:
                self._reader.cancel()
            return
        connection = self._socket._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()


class SocketIOWire(RawWire):
    """Socket.IO over a WebSocket."""

    async def _read(self) -> None:
        query = {"EIO": "4", "transport": "websocket"}
        async with self._http.ws_connect(f"{self._url}/socket.io/", params=query) as socket:
            self._socket = socket
            while (message := await socket.receive()).type is WSMsgType.TEXT:
                if (word := self._packet(message.data)) is not None:
                    await socket.send_str(word)
            if self.close_code is None:  # else the event `closing` has said it
                self.close_code = socket.close_code

    def _packet(self, packet: str) -> str | None:
        """The packet that answers one packet of the server, None if it needs no answer."""
        if packet.startswith("0"):
            return "40" + json.dumps({"token": self._token, **self.params})
        if packet == "2":
            return "3"
        if packet.startswith("42"):
            name, payload = json.loads(packet[2:])
            if name == "closing":
                self.close_code, self.close_reason = payload["code"], json.dumps(payload)
            self._take({"type": name, **payload})
        elif packet.startswith("43"):
            digits = packet[2 : packet.index("[")]
            (answer,) = json.loads(packet[2 + len(digits) :])
            frame = {"type": "ack", **answer} if answer["ok"] else {"type": "error", **answer["error"]}
            self._take({**frame, "id": int(digits)})
        elif packet.startswith("44"):
            refusal = json.loads(packet[2:])
            self.close_code, self.close_reason = refusal["data"]["close_code"], refusal["message"]
            self._end()
        elif not packet.startswith("40") and packet != "6":
            self._end()
        return None

    async def _write(self, number: int | None, name: str, fields: Frame) -> None:
        assert self._socket is not None
        await self._socket.send_str(self._event(number, name, fields))

    @staticmethod
    def _event(number: int | None, name: str, fields: Frame) -> str:
        return f"42{'' if number is None else number}" + json.dumps([name, fields])


class PollingWire(SocketIOWire):
    """Socket.IO over HTTP. The packets of one turn of the event loop go in one POST, and there is one POST at a
    time."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._query = {"EIO": "4", "transport": "polling"}
        self._waiting: list[str] = []
        self._posting: asyncio.Task[None] | None = None

    async def _read(self) -> None:
        while not self.over.is_set():
            async with self._http.get(f"{self._url}/socket.io/", params=self._query) as answer:
                if answer.status != 200:
                    return
                packets = (await answer.text()).split("\x1e")
            for packet in packets:
                if packet.startswith("0"):
                    self._query["sid"] = json.loads(packet[1:])["sid"]
                if (word := self._packet(packet)) is not None:
                    self._post(word)

    async def _write(self, number: int | None, name: str, fields: Frame) -> None:
        self._post(self._event(number, name, fields))

    async def leave(self) -> None:
        if not self.over.is_set():
            self._post(CLOSE_PACKET)
        if self._posting is not None:
            await asyncio.gather(self._posting, return_exceptions=True)

    def _post(self, packet: str) -> None:
        self._waiting.append(packet)
        if self._posting is None or self._posting.done():
            self._posting = asyncio.create_task(self._post_all())

    async def _post_all(self) -> None:
        try:
            while self._waiting and not self.over.is_set():
                body, self._waiting = "\x1e".join(self._waiting), []
                async with self._http.post(
                    f"{self._url}/socket.io/", params=self._query, data=body
                ) as answer:
                    if answer.status != 200:
                        return
        except (ClientError, OSError):
            self._end()

    def _abort(self) -> None:
        for task in (self._posting, self._reader):
            if task is not None:
                task.cancel()


WIRES: dict[str, type[Wire]] = {"raw": RawWire, "socketio": SocketIOWire, "polling": PollingWire}
