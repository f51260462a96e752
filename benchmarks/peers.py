"""The servers that Vestnik is compared with, each a small program in `peers/`. They store nothing and only deliver."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.targets import BUILD, ROOT, PlannedConnection, Server, free_port, running

SOURCES = ROOT / "benchmarks" / "peers"

_VENV = BUILD / "venv"
_NODE = BUILD / "node"


@dataclass(frozen=True)
class Peer:
    """A server that takes the port as the last argument of its command. `install` gets what the server needs to run,
    and raises `RuntimeError` if it cannot."""

    name: str
    wire: str
    command: Sequence[str | Path]
    install: Callable[[], None]

    @contextmanager
    def start(self, directory: Path, case: Case) -> Iterator[Server]:
        port = free_port()
        settings = {"NODE_ENV": "production"}
        with running([*map(str, self.command), str(port)], port, directory, settings) as pid:
            yield Server(port, (pid,), list(_connections(case)))


def _connections(case: Case) -> Iterator[PlannedConnection]:
    for chat in range(case.chats):
        for nth in range(case.members):
            yield PlannedConnection("not-checked", chat + 1, nth < case.senders)


def _install_centrifuge() -> None:
    _run(["go", "build", "-o", BUILD / "centrifuge", "."], SOURCES / "centrifuge")


def _install_node() -> None:
    """Runs `npm ci` if the lock file has changed since the last installation."""
    lock, installed = SOURCES / "node" / "package-lock.json", _NODE / "installed"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        _NODE.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / "node" / name, _NODE / name)
        _run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], _NODE)
        shutil.copy(lock, installed)
    for source in (SOURCES / "node").glob("*.js"):
        shutil.copy(source, _NODE / source.name)


def _install_python() -> None:
    """Makes a separate virtual environment if the requirements have changed since the last installation."""
    wanted, installed = SOURCES / "python" / "requirements.txt", _VENV / "installed"
    if not installed.exists() or installed.read_bytes() != wanted.read_bytes():
        _run([sys.executable, "-m", "venv", "--clear", _VENV], ROOT)
        _run([_VENV / "bin" / "pip", "install", "--quiet", "-r", wanted], ROOT)
        shutil.copy(wanted, installed)


def _run(command: Sequence[str | Path], directory: Path) -> None:
    try:
        subprocess.run(command, cwd=directory, check=True)  # noqa: S603 -- the commands above
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError(f"{' '.join(map(str, command))}: {error}") from None


def _python(program: str) -> Sequence[str | Path]:
    return _VENV / "bin" / "python", SOURCES / "python" / program


CENTRIFUGE = Peer("centrifuge (Go)", "centrifuge", [BUILD / "centrifuge"], _install_centrifuge)
SOCKET_IO = Peer("Socket.IO (Node)", "socketio", ["node", _NODE / "socketio.js"], _install_node)
WS = Peer("ws (Node)", "raw", ["node", _NODE / "ws.js"], _install_node)
FASTAPI = Peer("FastAPI", "raw", _python("connection_manager.py"), _install_python)
PYTHON_SOCKETIO = Peer("python-socketio", "socketio", _python("plain_socketio.py"), _install_python)

PEERS = (CENTRIFUGE, SOCKET_IO, WS, FASTAPI, PYTHON_SOCKETIO)
