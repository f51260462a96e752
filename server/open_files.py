"""Open files: raises the limit, for each connection is one, and logs when they are used up."""

import asyncio
import contextlib
import errno
import os
import sys
import time

import structlog

log = structlog.get_logger("vestnik")

CHECK_EVERY_S = 1.0
LINE_EVERY_S = 60.0


def allow_open_files() -> None:
    """Raises the limit, usually 1,024, as far as the process may."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS reports it as unlimited, but does not accept that
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class OpenFilesWatch:
    """Checks once a second whether another file can be opened, and logs at most one line a minute. The event loop does
    not report it: uvloop silently closes what it cannot accept."""

    def __init__(self) -> None:
        self._logged_s = float("-inf")
        self._exhausted = False
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._watch = asyncio.create_task(self._run())

    def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    def check(self) -> None:
        """Checks once, and logs what has changed."""
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._short_of_files(error.errno)
            return
        if self._exhausted:
            self._exhausted = False
            log.warning("files can be opened again")

    def _short_of_files(self, number: int) -> None:
        now_s = time.monotonic()
        if now_s - self._logged_s < LINE_EVERY_S:
            return
        self._exhausted = True
        self._logged_s = now_s
        whose = (
            "RLIMIT_NOFILE (ulimit -n, LimitNOFILE)"
            if number == errno.EMFILE
            else "fs.file-max, of the system"
        )
        log.error("open files are exhausted; new connections are turned away", limit=_limit(), setting=whose)

    async def _run(self) -> None:
        while True:
            self.check()
            await asyncio.sleep(CHECK_EVERY_S)


def _limit() -> int | None:
    """How many files this process may have open; None if the system does not say."""
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
