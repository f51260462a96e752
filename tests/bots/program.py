"""A bot of examples/bots as a process, as a reader runs it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples" / "bots"
PACKAGE = Path(__file__).parents[2] / "packages" / "vestnik_bot"
START_S = 30
STOP_S = 15


class BotProgram:
    """One example with a working directory of its own; its log is `place/bot.log`."""

    def __init__(self, name: str, place: Path, url: str, token: str, **settings: str) -> None:
        self._path = EXAMPLES / name
        self.place = place
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")}
        self.environment = {
            **kept,
            "PYTHONPATH": str(PACKAGE),
            "VESTNIK_URL": url,
            "VESTNIK_TOKEN": token,
            **settings,
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        return (self.place / "bot.log").read_text("utf8")

    async def begin(self) -> None:
        """Starts the process, and does not wait for its connection."""
        with (self.place / "bot.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(self._path)),
                cwd=self.place,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    async def start(self) -> None:
        """Starts the process, and waits until it is connected."""
        seen = len(self.log) if (self.place / "bot.log").exists() else 0
        await self.begin()
        assert self._process is not None
        async with asyncio.timeout(START_S):
            while "is connected" not in self.log[seen:]:
                assert self._process.returncode is None, self.log[seen:]
                await asyncio.sleep(0.02)

    async def ended(self) -> int:
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), STOP_S)

    async def stop(self) -> None:
        """Stops the process by SIGTERM, which has to end it without an error."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        assert await self.ended() == 0, self.log

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
