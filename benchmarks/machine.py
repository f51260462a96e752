"""What Linux tells about processes, cores and disks."""

import os
import platform
import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@cache
def two_cores() -> tuple[int, int]:
    """One core for the server and one for the load: those that were allowed when this was first asked.

    Raises: `RuntimeError` where there are not two.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RuntimeError("two cores are needed: one for the server, one for the load")
    return cores[0], cores[1]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Processes started within run on that core only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def allow_many_files() -> None:
    """Raises the limit of open files, for this process and those it starts, as far as it goes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def cpu_s(pids: Iterable[int]) -> float:
    """Processor time used so far, user and system, of all threads."""
    ticks = 0
    for pid in pids:
        # The command in parentheses may hold anything; after it, utime and stime are fields 12 and 13.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks * _TICK_S


def rss_bytes(pids: Iterable[int]) -> int:
    """Memory resident now."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids) * _PAGE_BYTES


def all_busy_s() -> float:
    """Processor time used so far by everything on this machine."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = (
        int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) * _TICK_S


def describe(directory: Path) -> dict[str, str]:
    """The machine, and the file system on which a durable write in `directory` ends."""
    models = [
        line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")
    ]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "file_system": _file_system(directory),
    }


def _file_system(directory: Path) -> str:
    """The type of the file system that holds a directory."""
    found, longest = "unknown", -1
    for line in _lines("/proc/self/mounts"):
        _, mounted_at, kind, *_ = line.split()
        if directory.resolve().is_relative_to(mounted_at) and len(mounted_at) > longest:
            found, longest = kind, len(mounted_at)
    return found


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
