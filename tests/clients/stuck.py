"""A client that joins a chat and then reads nothing, until it reads all at once."""

import asyncio
import json
from typing import Any

from tests.clients.bare import CLOSE, TEXT, BareSocket, frame
from tests.clients.people import Person
from tests.engine.peers import Peer

Received = tuple[str, dict[str, Any]]


class StuckReader:
    """A person's connection over one of the wires of `tests.clients.wires`."""

    def __init__(self, wire: str, person: Person) -> None:
        self._wire = wire
        self._person = person
        self._peer = Peer(person.http, f"{person.url}/socket.io/")
        self._sid = ""
        self._socket: BareSocket | None = None
        self._posting: asyncio.Future[tuple[int, str]] | None = None

    async def join(self, chat_id: int, after_seq: int | None = None) -> None:
        """Connects and joins; reads up to the ack, with `after_seq` up to the first replayed message, and no
        further."""
        port = int(self._person.url.rpartition(":")[2])
        join = json.dumps({"chat_id": chat_id, "after_seq": after_seq})
        awaited = '"ok":true' if after_seq is None else '"new_message"'
        connect = "40" + json.dumps({"token": self._person.token})
        if self._wire == "polling":
            self._sid = (await self._peer.open())["sid"]
            # Not waited for: the answer comes when the join is done, and a replay may wait for the polls.
            url = self._peer.at(sid=self._sid)
            body = connect + "\x1e" + f'421["join_chat",{join}]'
            self._posting = asyncio.ensure_future(self._peer.request("POST", url, data=body))
            while awaited not in (await self._peer.poll(self._sid))[1]:
                pass
            return
        path = "/socket.io/?EIO=4&transport=websocket"
        if self._wire == "raw":
            path = f"/ws?token={self._person.token}"
        self._socket = await BareSocket.open(port, path, receive_buffer_bytes=4096)
        if self._wire == "raw":
            self._socket.send(frame(TEXT, f'{{"type":"join_chat","id":1,{join[1:]}'.encode()))
        else:
            self._socket.send(frame(TEXT, connect.encode()))
            self._socket.send(frame(TEXT, f'421["join_chat",{join}]'.encode()))
        while awaited.encode() not in (await self._socket.next()).payload:
            pass

    async def read_all(self) -> tuple[list[Received], int | None]:
        """All events up to the end, and the close code: of the close frame, or of the event `closing`."""
        if self._socket is None:
            return await self._poll_all()
        received: list[Received] = []
        try:
            while (got := await self._socket.next()).opcode != CLOSE:
                received += _events(got.payload.decode())
        except ConnectionError:
            return received, _code(received)
        return received, got.close_code

    async def _poll_all(self) -> tuple[list[Received], int | None]:
        received: list[Received] = []
        while True:
            status, body = await self._peer.poll(self._sid)
            if status != 200:
                return received, _code(received)
            for packet in body.split("\x1e"):
                received += _events(packet)

    def close(self) -> None:
        if self._posting is not None:
            self._posting.cancel()
        if self._socket is not None:
            self._socket.close()


def _code(received: list[Received]) -> int | None:
    """The code in the event `closing`, if it is the last."""
    name, payload = received[-1] if received else ("", {})
    return payload["code"] if name == "closing" else None


def _events(text: str) -> list[Received]:
    if text.startswith("42"):
        name, payload = json.loads(text[2:])
        return [(name, payload)]
    if text.startswith("{"):
        payload = json.loads(text)
        return [(payload.pop("type"), payload)]
    return []
