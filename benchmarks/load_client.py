"""Builds the load client, runs it against a server, and looks at the server meanwhile."""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import CONTENT_CHARS, Case
from benchmarks.machine import all_busy_s, cpu_s, rss_bytes
from benchmarks.targets import ROOT, Server

SOURCE = ROOT / "benchmarks" / "load"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a case runs."""

    warmup_s: float
    measure_s: float


@dataclass(frozen=True, slots=True)
class Round:
    """One run of one case. Busy: the share of one core. `checks`: what went wrong, each counted; empty is good."""

    deliveries_per_s: float
    messages_per_s: float
    acks_per_s: float
    delivered_p50_ms: float
    delivered_p99_ms: float
    acked_p50_ms: float
    acked_p99_ms: float
    server_busy: float
    client_busy: float
    others_busy: float
    rss_mib: float
    kib_per_connection: float
    checks: dict[str, int]
    examples: list[str]


@dataclass(frozen=True, slots=True)
class _Look:
    """The server and the machine at one moment."""

    at_s: float
    server_s: float
    all_s: float
    rss_bytes: int


def build() -> Path:
    """The load client, compiled into the ignored `build/`. Raises: `RuntimeError` without a Go compiler that can."""
    binary = ROOT / "build" / "benchmarks" / "load"
    try:
        subprocess.run(["go", "build", "-o", binary, "."], cwd=SOURCE, check=True)  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError(f"the load client needs Go 1.24 or newer to be built: {error}") from None
    return binary


def run(client: Path, server: Server, case: Case, timing: Timing) -> Round:
    """Raises: `RuntimeError` if the client could not go through with it."""
    seats = server.seats(case)
    plan = {
        "mode": case.mode,
        "wire": case.wire,
        "port": server.port,
        "outstanding": case.outstanding,
        "rate": case.rate,
        "content_chars": CONTENT_CHARS,
        **asdict(timing),
        "connections": [asdict(seat) for seat in seats],
    }
    looks = {"empty": _look(server.pids)}
    with _started(client, plan) as lines:
        for line in lines:
            told = json.loads(line)
            looks[told["phase"]] = _look(server.pids)
            if told["phase"] == "report":
                return _round(told, looks, len(seats))
    raise RuntimeError(f"{case.name}: the load client ended without a report")


@contextmanager
def _started(client: Path, plan: dict[str, Any]) -> Iterator[Iterator[str]]:
    """What the client writes, line by line."""
    process = subprocess.Popen(  # noqa: S603 -- what was built above
        [client], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(plan))
        process.stdin.close()
        yield process.stdout
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _look(pids: Sequence[int]) -> _Look:
    return _Look(time.monotonic(), cpu_s(pids), all_busy_s(), rss_bytes(pids))


def _round(report: dict[str, Any], looks: dict[str, _Look], connections: int) -> Round:
    start, end = looks["measuring"], looks["measured"]
    elapsed_s = end.at_s - start.at_s
    server_busy = (end.server_s - start.server_s) / elapsed_s
    client_busy = report["client_busy"]
    checks = report["checks"]
    return Round(
        deliveries_per_s=report["deliveries_per_s"],
        messages_per_s=report["messages_per_s"],
        acks_per_s=report["acks_per_s"],
        delivered_p50_ms=report["delivered_ms"]["p50"],
        delivered_p99_ms=report["delivered_ms"]["p99"],
        acked_p50_ms=report["acked_ms"]["p50"],
        acked_p99_ms=report["acked_ms"]["p99"],
        server_busy=server_busy,
        client_busy=client_busy,
        others_busy=max(0.0, (end.all_s - start.all_s) / elapsed_s - server_busy - client_busy),
        rss_mib=end.rss_bytes / 2**20,
        kib_per_connection=(looks["joined"].rss_bytes - looks["empty"].rss_bytes) / 2**10 / connections,
        checks={name: count for name, count in checks.items() if name != "examples" and count},
        examples=checks["examples"] or [],
    )
