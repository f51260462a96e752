"""The way from the command line to a running server: a socket in `DATA_DIR` that only its owner may use.

One request and one answer for each connection, each a line of JSON: `{"do", "user"}`, `{"ok"}` or `{"error"}`.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from handlers.commands import moderation
from handlers.dispatch import as_chat_error
from handlers.wire.errors import ChatError
from handlers.wire.json import dumps, loads
from storage.ports import Store

log = structlog.get_logger("vestnik")

ACTIONS: Mapping[str, Callable[[Store, str], Awaitable[None]]] = {
    "ban": moderation.ban,
    "unban": moderation.unban,
    "delete": moderation.delete,
}
"""What can be done to a user."""

ANSWER_TIMEOUT_S = 60.0


class Control:
    """The server's end. Where there can be none, the server does without."""

    def __init__(self, store: Store, data_dir: Path) -> None:
        self._store = store
        self._path = _socket_in(data_dir)
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        try:
            door = _bind(self._path)
            self._server = await asyncio.start_unix_server(self._serve, sock=door)
        except (
            OSError,
            AttributeError,
            NotImplementedError,
        ) as error:  # the latter: a system without such sockets
            log.warning("`vestnik user` cannot reach this server", socket=str(self._path), reason=str(error))

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, ValueError, KeyError, TypeError):  # gone, or none of ours
                request = loads(await reader.readline())
                writer.write(dumps(await self._do(request["do"], request["user"])) + b"\n")
                await writer.drain()
        finally:
            writer.close()

    async def _do(self, deed: str, user: str) -> Mapping[str, object]:
        try:
            await ACTIONS[deed](self._store, user)
        except Exception as error:
            return {"error": as_chat_error(error).message}
        log.info("account changed from the command line", deed=deed, user=_shown(user))
        return {"ok": True}


async def ask_server(data_dir: Path, deed: str, user: str) -> bool:
    """Has a running server do it; False if none runs here. Raises: `ChatError`, with what went wrong."""
    try:
        reader, writer = await asyncio.open_unix_connection(_socket_in(data_dir))
    except (OSError, AttributeError, NotImplementedError):
        return False
    try:
        writer.write(dumps({"do": deed, "user": user}) + b"\n")
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            line = await reader.readline()
    except (OSError, TimeoutError):
        line = b""
    finally:
        writer.close()
    if not line:
        raise ChatError("unavailable", "the running server did not answer")
    answer = loads(line)
    if "error" in answer:
        raise ChatError("bad_request", answer["error"])
    return True


def _shown(user: str) -> str:
    """A username; an email address is not for the log."""
    return "[an email address]" if "@" in user else user


def _socket_in(data_dir: Path) -> Path:
    return data_dir / "control.sock"


def _bind(path: Path) -> socket.socket:
    """The socket, in place of one that a killed server has left. Raises: `OSError`, also if another server listens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as probe, suppress(ConnectionRefusedError, FileNotFoundError):
        probe.connect(str(path))
        raise OSError("another server with the same DATA_DIR listens there")
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        door.bind(str(path))
    except OSError:
        door.close()
        raise
    finally:
        os.umask(mask)
    return door
