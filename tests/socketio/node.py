"""The official client of Socket.IO, under Node, driven by tests/node/client.mjs."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.socketio.windows import TIMEOUT_S, Ack, Event, Notice, Window

DRIVER = Path(__file__).parent.parent / "node" / "client.mjs"
LINE_BYTES_MAX = 64 * 1024 * 1024


def missing() -> str | None:
    """What has to be installed before the official client can run; None if nothing."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (DRIVER.parent / "node_modules" / "socket.io-client").is_dir():
        return "tests/node/node_modules is missing: run npm ci in tests/node"
    return None


def need_node() -> None:
    """Skips the test without Node; where everything has to be tested, fails it."""
    lack = missing()
    if lack is not None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(lack)


class NodeProcess:
    """A process that drives clients, shared by all tests; each has it for itself, from a `Node` being entered to its
    exit. Without a command it is that of the official client."""

    def __init__(
        self, command: Sequence[str | Path] = ("node", DRIVER), env: dict[str, str] | None = None
    ) -> None:
        self._command = command
        self._env = env
        self._popen: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def socket(self) -> socket.socket:
        """What the driver reads and writes; a process is started if there is none."""
        if self._socket is None:
            self._socket, theirs = socket.socketpair()
            self._popen = subprocess.Popen(
                self._command, stdin=theirs.fileno(), stdout=theirs.fileno(), env=self._env
            )
            theirs.close()
        return self._socket.dup()

    def stop(self) -> None:
        """Ends the process; the next test gets a new one."""
        if self._popen is not None and self._socket is not None:
            self._socket.close()
            try:
                self._popen.wait(5)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()
            self._popen = self._socket = None


class Node:
    """Any number of official clients in one process. They are gone when it is exited."""

    def __init__(self, process: NodeProcess) -> None:
        self._process = process
        self._clients: list[NodeClient] = []

    async def __aenter__(self) -> "Node":
        self._lines, self._orders = await asyncio.open_connection(
            sock=self._process.socket(), limit=LINE_BYTES_MAX
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.order({"do": "reset"})
        try:
            await asyncio.wait_for(self._reader, TIMEOUT_S)
        except BaseException:
            self._process.stop()
            raise
        finally:
            self._orders.close()

    async def open(
        self, url: str, token: str | None = None, *, version: str | None = None, **options: Any
    ) -> "NodeClient":
        """A client on its way; options are those of the official client, `auth` being made of the token if given."""
        if token is not None:
            options["auth"] = {"token": token, **options.get("auth", {})}
        client = NodeClient(self, len(self._clients))
        self._clients.append(client)
        more = {} if version is None else {"version": version}
        await client.order("connect", url=url, options=options, **more)
        return client

    async def order(self, order: dict[str, Any]) -> None:
        self._orders.write(json.dumps(order).encode() + b"\n")
        await self._orders.drain()

    async def _read(self) -> None:
        """Hands out what the clients see, until all of them are gone."""
        while (line := json.loads(await self._lines.readline()))["what"] != "reset":
            client = self._clients[line.pop("client")]
            what = line.pop("what")
            if what == "event":
                client.see(Event(line["name"], tuple(line["args"])))
            elif what == "ack":
                client.see(Ack(line["call"], tuple(line["answer"])))
            else:
                client.see(Notice(what, line))


class NodeClient(Window):
    """One official client."""

    def __init__(self, node: Node, number: int) -> None:
        super().__init__()
        self._node = node
        self._number = number

    async def order(self, do: str, **more: Any) -> None:
        await self._node.order({"do": do, "client": self._number, **more})

    async def emit(self, name: str, *args: Any) -> None:
        await self.order("emit", name=name, args=args)

    async def start(self, name: str, *args: Any) -> int:
        call = next(self._calls)
        await self.order("ask", name=name, args=args, call=call)
        return call

    async def burst(self, name: str, payloads: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The answers to many events, all sent in one turn."""
        numbers = [next(self._calls) for _ in payloads]
        calls = [
            {"name": name, "args": [payload], "call": number}
            for payload, number in zip(payloads, numbers, strict=True)
        ]
        await self.order("burst", calls=calls)
        return [await self.answer_to(number) for number in numbers]

    async def close(self) -> None:
        await self.order("disconnect")
        await self.notice("disconnect")
