"""The port of a measured server: how it starts, and which users and chats it has."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.cases import Case
from benchmarks.machine import on_core, two_cores

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "benchmarks"

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 15


@dataclass(frozen=True, slots=True)
class PlannedConnection:
    """A connection for the load client: the token of its user, its chat, and whether it sends or only listens. `port`:
    of another server than that of the others; 0 if there is one only."""

    token: str
    chat_id: int
    sends: bool
    port: int = 0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. The processor time and memory of `pids` are measured; `connections` are those to open, chat by
    chat."""

    port: int
    pids: Sequence[int]
    connections: Sequence[PlannedConnection]


class Target(Protocol):
    """A server that can be measured. `wire` is the name of one of the wires in `load/wire.go`."""

    @property
    def name(self) -> str: ...
    @property
    def wire(self) -> str: ...

    def start(self, directory: Path, case: Case) -> AbstractContextManager[Server]:
        """Runs the server on a free port of 127.0.0.1, with its data in `directory` and the users of the case.

        Raises: `RuntimeError` if the server does not start.
        """


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    directory: Path,
    settings: Mapping[str, str],
    *,
    beside_the_load: bool = False,
) -> Iterator[int]:
    """Runs a command that listens on `port` until the context ends: on the core of the servers, or on that of the load.
    Yields its process id.

    Raises: `RuntimeError` if nothing listens on the port in time.
    """
    log = directory / "server.log"
    with log.open("wb") as output, on_core(two_cores()[beside_the_load]):
        process = subprocess.Popen(  # noqa: S603 -- the command of a target in this package
            command,
            cwd=directory,
            env={"PATH": os.environ.get("PATH", os.defpath), **settings},
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_open(process, port, log)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_open(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")
