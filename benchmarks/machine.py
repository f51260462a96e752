"""What Linux reports about processes, cores and disks."""

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
    """One core for the server and one for the load: the first two that this process may use at the first call.

    Raises: `RuntimeError` if the process may use only one.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RuntimeError("two cores are needed: one for the server, one for the load")
    return cores[0], cores[1]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Processes that are started in this context run on that core only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_open_files_limit() -> None:
    """Raises the limit of open files to the hard limit, for this process and for those it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def cpu_s(pids: Iterable[int]) -> float:
    """The processor time that these processes have used so far: user and system, all threads."""
    ticks = 0
    for pid in pids:
        # The command in parentheses may contain any character; after it, utime and stime are fields 12 and 13.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks * _TICK_S


def rss_bytes(pids: Iterable[int]) -> int:
    """The resident memory of these processes."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids) * _PAGE_BYTES


def all_busy_s() -> float:
    """The processor time that everything on this machine has used so far."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = (
        int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) * _TICK_S


def describe(directory: Path) -> dict[str, str]:
    """Describes the machine, and the file system that takes the durable writes in `directory`."""
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
