"""`python -m server` as a process that starts in milliseconds: it is forked from one that has imported the server.

A start by the interpreter takes half a second of the processor, and the tests start hundreds.
"""

import asyncio
import io
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["server.cli", "server.serving", "storage.mongo.store"])

Environment = Mapping[str, str | bytes]


def can_fork(settings: Environment) -> bool:
    """Whether a process with these settings may be forked: what the interpreter reads at its start, and the coverage of
    processes, need a new interpreter."""
    return "COVERAGE_PROCESS_CONFIG" not in settings and not any(
        name.startswith(("PYTHON", "LC_")) for name in settings.keys() - {"PYTHONPATH"}
    )


class ForkedProcess:
    """Has of `asyncio.subprocess.Process` what tests use. Standard output and error go to two files, which this process
    may close as soon as the other one is started."""

    def __init__(
        self,
        words: Sequence[str],
        place: Path,
        settings: Environment,
        output: int,
        errors: int,
        main: Callable[[list[str]], object] | None = None,
    ) -> None:
        """`main`: a function of a module, to run in place of the server; it gets the words."""
        # Each is closed in the end by its `Connection`, so it has to be a file descriptor of its own.
        files = [Connection(os.dup(file), readable=False) for file in (output, errors)]
        self._process = _CONTEXT.Process(
            target=_serve, args=(list(words), str(place), dict(settings), *files, main)
        )
        module = sys.modules["__main__"].__dict__
        started_from = module.pop("__file__", None)  # the forked process would import pytest
        try:
            self._process.start()
        finally:
            if started_from is not None:
                module["__file__"] = started_from
            for file in files:
                file.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    async def wait(self) -> int:
        """Waits for the end; the exit status, negative if a signal ended the process."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()
        assert self.returncode is not None
        return self.returncode


def _serve(
    words: list[str],
    place: str,
    settings: Environment,
    output: Connection,
    errors: Connection,
    main: Callable[[list[str]], object] | None,
) -> None:
    """What the forked process runs: `python -u -m server` with these words, or `main`."""
    from server.cli import main as serve  # it is imported already

    for file, number in ((output, 1), (errors, 2)):
        os.dup2(file.fileno(), number)
        file.close()
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.FileIO(number, "w"), encoding="utf8", write_through=True, errors=how)
        for number, how in ((1, "strict"), (2, "backslashreplace"))
    )
    os.chdir(place)
    os.environb.clear()
    for name, value in settings.items():
        os.environb[os.fsencode(name)] = os.fsencode(value)
    sys.argv = ["vestnik", *words]
    sys.exit((main or serve)(words))  # type: ignore[arg-type]
