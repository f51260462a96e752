"""A program beside the nodes that listens on a port: Redis, a proxy."""

import asyncio
import os
import signal
import time
from abc import ABC, abstractmethod
from pathlib import Path

from tests.clients.ports import HeldPort

START_S = 20.0


def suspend(pid: int) -> None:
    """Suspends a process, and returns when it has stopped."""
    os.kill(pid, signal.SIGSTOP)
    while Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "T":
        time.sleep(0.001)


class Process(ABC):
    """Its files and its log are in a folder of its own. The port stays the same when it is started again."""

    def __init__(self, place: Path) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.place = place
        self._held_port = HeldPort()
        self.port = self._held_port.number
        self._process: asyncio.subprocess.Process | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments."""

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def log(self) -> str:
        path = self.place / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    async def start(self) -> None:
        """Starts the program and returns when its port is open."""
        with (self.place / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command(), cwd=self.place, stdout=log, stderr=log
            )
        async with asyncio.timeout(START_S):
            while not await self._is_open():
                assert self._process.returncode is None, self.log
                await asyncio.sleep(0.01)

    async def _is_open(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    async def kill(self) -> None:
        """Does nothing if the program does not run."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    def pause(self) -> None:
        """Suspends the program (SIGSTOP); its port and connections stay open."""
        assert self._process is not None
        suspend(self._process.pid)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
