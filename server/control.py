"""How the command line reaches a running server: a Unix socket in `DATA_DIR` that only its owner may use.

Each connection carries one request and one answer, each a line of JSON: `{"do", "user", …}`, then `{"ok": true, …}` or
`{"error", "fields"}`, or `{"closed": true}` by a server that stops. `handlers.operator` has what can be done.
"""

import asyncio
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

from handlers.chat_app import ChatApp
from handlers.wire.errors import ChatError
from handlers.wire.exceptions import as_chat_error
from handlers.wire.json import dumps, loads

log = structlog.get_logger("vestnik")

ANSWER_TIMEOUT_S = 60.0

ACTS_TIMEOUT_S = 2.0
"""How long a server that stops waits for the acts that it has begun."""

ANSWER_BYTES_MAX = 4 * 1024 * 1024
"""More than a page of accounts has."""

_ADDRESS_BYTES_MAX = 103
"""So much every system takes; Linux 107."""


class Control:
    """The server's end of the socket. If the socket cannot be made, the server runs without it."""

    def __init__(self, chat_app: ChatApp, data_dir: Path) -> None:
        self._chat_app = chat_app
        self._path = _socket_in(data_dir)
        self._server: asyncio.Server | None = None
        self._acting: set[asyncio.Task[Any] | None] = set()
        self._closed = False

    async def open(self) -> None:
        try:
            listener = _bind(self._path)
            self._server = await asyncio.start_unix_server(self._serve, sock=listener)
        except (
            OSError,
            AttributeError,
            NotImplementedError,
        ) as error:  # the latter: a system without such sockets
            log.warning("`vestnik user` cannot reach this server", socket=str(self._path), reason=str(error))

    async def close(self) -> None:
        """Takes no more requests, and waits a while for those that it has taken."""
        self._closed = True
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        if self._acting:
            await asyncio.wait(filter(None, self._acting), timeout=ACTS_TIMEOUT_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, ValueError, KeyError, TypeError):  # gone, or no `vestnik user`
                request = loads(await reader.readline())
                self._acting.add(asyncio.current_task())
                answer = {"closed": True} if self._closed else await self._do(request["do"], request)
                writer.write(dumps(answer) + b"\n")
                await writer.drain()
        finally:
            self._acting.discard(asyncio.current_task())
            writer.close()

    async def _do(self, action: str, request: Mapping[str, Any]) -> Mapping[str, object]:
        try:
            result = await self._chat_app.operator.run(action, request)
        except Exception as raised:
            error = as_chat_error(raised)
            return {"error": error.message, "fields": error.fields or {}}
        if action not in ("list", "bot_list"):
            log.info("account changed from the command line", action=action, user=_shown(request["user"]))
        return {"ok": True, **result}


async def ask_server(data_dir: Path, action: str, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Asks the server that runs on `data_dir` for an action on an account, and returns what came of it once it is done;
    None if no server runs there, or one that stops and has not begun. Raises: `ChatError`, with what went wrong."""
    try:
        with _short(_socket_in(data_dir)) as path:
            reader, writer = await asyncio.open_unix_connection(path, limit=ANSWER_BYTES_MAX)
    except (OSError, AttributeError, NotImplementedError):
        return None
    try:
        writer.write(dumps({**request, "do": action}) + b"\n")
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            line = await reader.readline()
    except (OSError, TimeoutError):
        line = b""
    finally:
        writer.close()
    if not line:
        raise ChatError("unavailable", "the running server did not answer")
    answer: Mapping[str, Any] = loads(line)
    if "closed" in answer:
        return None
    if "error" in answer:
        raise ChatError("bad_request", answer["error"], fields=answer.get("fields"))
    return answer


def _shown(user: str) -> str:
    """A name as the log shows it: email addresses are left out."""
    return "[an email address]" if "@" in user else user


def _socket_in(data_dir: Path) -> Path:
    return data_dir / "control.sock"


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """The path, or another one to the same place: the address of a socket is short. Raises: `OSError`."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        link = f"/proc/self/fd/{folder}"
        is_long = len(os.fsencode(path)) > _ADDRESS_BYTES_MAX
        yield f"{link}/{path.name}" if is_long and os.path.exists(link) else str(path)
    finally:
        os.close(folder)


def _bind(path: Path) -> socket.socket:
    """The listening socket; one that a killed server left behind is replaced. Raises: `OSError`, also if another server
    listens there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        socket.socket(socket.AF_UNIX) as probe,
        _short(path) as short,
        suppress(ConnectionRefusedError, FileNotFoundError),
    ):
        probe.connect(short)
        raise OSError("another server with the same DATA_DIR listens there")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        with _short(path) as short:
            listener.bind(short)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener
