"""A server that speaks MongoDB's protocol: the one that is there, or FerretDB, built when it is first needed.

`MONGODB_URL` names a running one; else a `mongod` on the PATH is started; else the Go program in tests/ferretdb. It
is built once, into a cache outside of the tree, which takes a minute or two.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.clients.go_programs import Missing, build
from tests.clients.ports import HeldPort

_SOURCES = Path(__file__).parents[2] / "ferretdb"
_START_S = 60.0


class Server:
    """A server that a test starts, kills and starts again on the same data and the same port."""

    def __init__(self, directory: Path) -> None:
        self._command = _command()
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._held_port = HeldPort()
        self._port = self._held_port.number
        self.url = f"mongodb://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        command = [
            part.format(address=f"127.0.0.1:{self._port}", port=self._port, directory=self._directory)
            for part in self._command
        ]
        with (self._directory.parent / f"{self._directory.name}.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=_environment())
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"the server did not start, see {self._directory}.log")

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


def _command() -> list[str]:
    """Raises: `Missing`."""
    mongod = shutil.which("mongod")
    if mongod is not None:
        return [mongod, "--bind_ip", "127.0.0.1", "--port", "{port}", "--dbpath", "{directory}", "--quiet"]
    try:
        return [str(build(_SOURCES)), "{address}", "{directory}"]
    except Missing as missing:
        raise Missing(f"no MONGODB_URL, no mongod on the PATH, and {missing}") from None


def _environment() -> dict[str, str]:
    return os.environ | {"DO_NOT_TRACK": "1", "FERRETDB_TELEMETRY": "disable"}
