"""Stands between the driver and the server, and changes what the server answers to writes."""

import asyncio
import struct
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import bson

_HEADER = struct.Struct("<iiii")
_OP_MSG = 2013
_BODY_AT = _HEADER.size + 4 + 1  # after the flags and the kind of the first section


class WriteConcernProxy:
    """Answers to writes into `failing` collections say that the write concern was not met; the writes are made."""

    def __init__(self, url: str) -> None:
        self.failing: Collection[str] = ()
        self.failed = 0
        address = urlsplit(url)
        self._upstream = address.hostname, address.port
        self._path = address.path
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        """The URL to connect to."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return f"mongodb://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{self._path}"

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)
        await asyncio.sleep(0)  # in which the transports close

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        to_server: asyncio.StreamWriter | None = None
        try:
            upstream, to_server = await asyncio.open_connection(*self._upstream)
            while True:
                request = await _message(reader)
                to_server.write(request)
                answer = await _message(upstream)
                writer.write(self._refuse(answer) if self._is_to_fail(request) else answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            for end in (writer, to_server):
                if end is not None:
                    end.transport.abort()

    def _is_to_fail(self, request: bytes) -> bool:
        if _HEADER.unpack_from(request)[3] != _OP_MSG:
            return False
        command = _body(request)
        name = next(iter(command))
        return name in ("insert", "update") and command[name] in self.failing

    def _refuse(self, answer: bytes) -> bytes:
        self.failed += 1
        body = _body(answer) | {
            "writeConcernError": {"code": 64, "codeName": "WriteConcernFailed", "errmsg": "waiting timed out"}
        }
        rest = bson.encode(body)
        _, request_id, response_to, op = _HEADER.unpack_from(answer)
        head = _HEADER.pack(_BODY_AT + len(rest), request_id, response_to, op)
        return head + answer[_HEADER.size : _BODY_AT] + rest


async def _message(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(4)
    return length + await reader.readexactly(int.from_bytes(length, "little") - 4)


def _body(message: bytes) -> dict[str, Any]:
    size = int.from_bytes(message[_BODY_AT : _BODY_AT + 4], "little")
    return bson.decode(message[_BODY_AT : _BODY_AT + size])
