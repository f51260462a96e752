"""`python -m server` as an operator runs it, on a port of its own; tests stop it, kill it and start it again."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile

from aiohttp import ClientSession

from tests.clients.forked import ForkedProcess, can_fork
from tests.clients.people import Person
from tests.clients.ports import HeldPort

SERVING = re.compile(r"^(?=.*serving).*http://(?:127\.0\.0\.1|localhost):(\d+)", re.MULTILINE)
START_S = 60
STOP_S = 15
ROOT = Path(__file__).parents[2]

KEPT = ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_CONFIG")
"""What a program gets of the environment of the tests."""

Environment = dict[str, str | bytes]


def environment(**settings: str | bytes) -> Environment:
    """The environment of a server on a free port with these settings."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    return {**kept, "PYTHONPATH": str(ROOT), "HOST": "127.0.0.1", "PORT": "0", "BCRYPT_COST": "4", **settings}


async def run(place: Path, *words: str, **settings: str | bytes) -> tuple[int, str, str]:
    """Runs `python -m server` with these words to its end; the exit status, standard output and standard error."""
    if can_fork(settings):
        return await _run_forked(place, words, environment(**settings))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", *words),
        cwd=place,
        env=environment(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), START_S)
    return process.returncode or 0, output.decode(), errors.decode()


async def _run_forked(place: Path, words: Sequence[str], settings: Environment) -> tuple[int, str, str]:
    with TemporaryFile() as output, TemporaryFile() as errors:
        process = ForkedProcess(words, place, settings, output.fileno(), errors.fileno())
        try:
            status = await asyncio.wait_for(process.wait(), START_S)
        finally:
            process.send_signal(signal.SIGKILL)
        for file in (output, errors):
            file.seek(0)
        return status, output.read().decode(), errors.read().decode()


async def refused_start(place: Path, **settings: str | bytes) -> str:
    """The single line that a refused start prints."""
    status, output, errors = await run(place, **settings)
    assert (status, "serving" in output) == (1, False)
    (line,) = errors.splitlines()
    return line


INHERIT = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "vestnik"}
os.execv(sys.argv[2], sys.argv[2:])
"""
"""A Python program that passes a socket on as systemd does. Its arguments are the socket's file descriptor and the
command to run."""


class Program:
    """The server as a process. Its log is `place/log`; data and port stay over restarts. If `listener` is set, the
    process inherits that socket, as from systemd."""

    def __init__(self, place: Path, http: ClientSession, **settings: str) -> None:
        self.place, self.http = place, http
        self._held_port = HeldPort()
        self.port = self._held_port.number
        self._settings = settings
        self.listener: socket.socket | None = None
        self._process: asyncio.subprocess.Process | ForkedProcess | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return (self.place / "log").read_text()

    async def start(self) -> None:
        """Starts the process and returns when it serves."""
        settings = {"PORT": str(self.port), "DATA_DIR": str(self.place / "data"), **self._settings}
        seen = len(self.log) if (self.place / "log").exists() else 0
        with (self.place / "log").open("ab") as log:
            self._process = await self._begin(environment(**settings), log.fileno())
        async with asyncio.timeout(START_S):
            while not (found := SERVING.search(self.log, seen)):
                assert self._process.returncode is None, self.log[seen:]
                await asyncio.sleep(0.02)
        self.port = int(found[1])

    async def _begin(self, settings: Environment, log: int) -> asyncio.subprocess.Process | ForkedProcess:
        command, files = [sys.executable, "-u", "-m", "server"], []
        if self.listener is not None:
            files = [self.listener.fileno()]
            command = [sys.executable, "-c", INHERIT, str(files[0]), *command]
        elif can_fork(settings):
            return ForkedProcess((), self.place, settings, log, log)
        return await asyncio.create_subprocess_exec(
            *command, cwd=self.place, env=settings, stdout=log, stderr=log, pass_fds=files
        )

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self, within_s: float) -> int:
        """Waits for the end; the exit status, negative if a signal ended the process."""
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), within_s)

    async def command_line(self, *words: str) -> tuple[int, str, str]:
        """Runs `vestnik` with these words beside the server, with its settings: see `run`."""
        return await run(self.place, *words, **{"DATA_DIR": str(self.place / "data"), **self._settings})

    async def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
        assert await self.ended(10) == -signal.SIGKILL

    async def stop(self) -> int:
        """Stops the process by SIGTERM; the exit status."""
        self.send_signal(signal.SIGTERM)
        return await self.ended(STOP_S)

    async def close(self) -> None:
        if self.is_running:
            await self.kill()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def stranger(self, username: str) -> Person:
        """A person without an account."""
        return Person(self.http, self.url, self.url.replace("http", "ws") + "/ws", username)

    async def person(self, username: str) -> Person:
        """A new user, logged in."""
        person = self.stranger(username)
        person.id = (await person.register(username))["id"]
        await person.login(username)
        return person


@asynccontextmanager
async def running(place: Path, **settings: str) -> AsyncIterator[Program]:
    """A program that serves, with its log and data in this folder; at the end it is stopped."""
    async with ClientSession() as http:
        program = Program(place, http, **settings)
        try:
            await program.start()
            yield program
            if program.is_running:
                await program.stop()
        finally:
            await program.close()
