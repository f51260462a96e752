"""The servers that can be measured: how each is started, and how people and chats come into it."""

import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import jwt

from benchmarks.cases import Case

ROOT = Path(__file__).resolve().parent.parent

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 15
TOKEN_TTL_S = 3600


@dataclass(frozen=True, slots=True)
class Seat:
    """A connection to be: who, in which chat, and whether he sends or only listens."""

    token: str
    chat_id: int
    sends: bool


class Server(Protocol):
    """A server that runs."""

    @property
    def port(self) -> int: ...

    @property
    def pids(self) -> Sequence[int]:
        """The processes whose time and memory count."""

    def seats(self, case: Case) -> list[Seat]:
        """Creates the case's users and chats; one seat for each connection, chat by chat."""


class Target(Protocol):
    """Something to measure. It speaks one of the wires, with the same commands and events."""

    name: str

    def start(self, directory: Path) -> AbstractContextManager[Server]:
        """Runs the server on a free port of 127.0.0.1, with its data in `directory`, until the context ends.

        Raises: `RuntimeError` if it does not come up.
        """


class Vestnik:
    """This checkout, with its defaults but for limits on rates and the cost of a password."""

    name = "vestnik"

    @contextmanager
    def start(self, directory: Path) -> Iterator[Server]:
        port, secret = _free_port(), secrets.token_urlsafe(32)
        settings = {
            "PYTHONPATH": str(ROOT),
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "DATA_DIR": str(directory),
            "SECRET_KEY": secret,
            "RATE_LIMITS": "off",
            "BCRYPT_COST": "4",
            "LOG_LEVEL": "warning",
        }
        log = directory / "server.log"
        with log.open("wb") as output:
            # In a directory of its own, where no .env lies.
            process = subprocess.Popen(
                [sys.executable, "-m", "server"],
                cwd=directory,
                env={"PATH": os.defpath, **settings},
                stdout=output,
                stderr=output,
            )
        try:
            _wait_until_ready(process, port, log)
            yield _Vestnik(port, (process.pid,), secret)
        finally:
            _stop(process)


@dataclass(frozen=True, slots=True)
class _Vestnik:
    port: int
    pids: Sequence[int]
    secret: str

    def seats(self, case: Case) -> list[Seat]:
        seats = []
        with _Rest(self.port) as rest:
            for chat in range(case.chats):
                user_ids = [self._user(rest, f"c{chat}u{number}") for number in range(case.members)]
                tokens = [self._token(user_id) for user_id in user_ids]
                body = {"name": f"chat {chat}", "chat_type": "group", "member_ids": user_ids[1:]}
                chat_id = rest.post("/api/chats", body, tokens[0])["id"]
                seats += [Seat(token, chat_id, number < case.senders) for number, token in enumerate(tokens)]
        return seats

    @staticmethod
    def _user(rest: "_Rest", name: str) -> int:
        user = rest.post("/api/auth/register", {"username": name, "password": "correct horse"})
        return int(user["id"])

    def _token(self, user_id: int) -> str:
        """As another backend with the same key would mint it."""
        return jwt.encode({"sub": str(user_id), "exp": int(time.time()) + TOKEN_TTL_S}, self.secret, "HS256")


class _Rest:
    """One kept-alive connection to the REST API."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=START_TIMEOUT_S)

    def __enter__(self) -> "_Rest":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.close()

    def post(self, path: str, body: dict[str, Any], token: str | None = None) -> dict[str, Any]:
        """Raises: `RuntimeError` for any answer but 201."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._http.request("POST", path, json.dumps(body), headers)
        response = self._http.getresponse()
        answer = response.read()
        if response.status != http.client.CREATED:
            raise RuntimeError(f"POST {path}: {response.status} {answer[:200]!r}")
        created: dict[str, Any] = json.loads(answer)
        return created


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        if _ready(port):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _ready(port: int) -> bool:
    probe = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        probe.request("GET", "/health/ready")
        return probe.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        probe.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
