"""Builds the load client, runs it against a server, and samples the server meanwhile."""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import CONTENT_CHARS, Case, Timing
from benchmarks.machine import all_busy_s, cpu_s, rss_bytes
from benchmarks.runs import Figures
from benchmarks.targets import BUILD, ROOT, Server

SOURCE = ROOT / "benchmarks" / "load"

DIALERS = 32
"""The load client opens this many connections at a time."""


@dataclass(frozen=True, slots=True)
class _Sample:
    """The server and the machine at one moment: processor seconds used by the server and by everything, and the RSS."""

    at_s: float
    server_s: float
    all_s: float
    rss_bytes: int


def build(package: str = ".") -> Path:
    """Compiles the load client, or another program in its folder, into `build/`, which git ignores; returns the path.

    Raises: `RuntimeError` without a suitable Go compiler.
    """
    binary = BUILD / (package.removeprefix("./") if package != "." else "load")
    try:
        subprocess.run(["go", "build", "-o", binary, package], cwd=SOURCE, check=True)  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError(f"the load client needs Go 1.24 or newer to be built: {error}") from None
    return binary


def run(
    client: Path, server: Server, case: Case, wire: str, timing: Timing, rate: float = 0
) -> tuple[Figures, list[str]]:
    """Runs one case. Returns the figures, and what the checks found. Raises: `RuntimeError` if the client fails."""
    plan = {
        "mode": case.mode,
        "wire": wire,
        "port": server.port,
        "dialers": DIALERS,
        "outstanding": case.outstanding,
        "rate": rate,
        "content_chars": CONTENT_CHARS,
        **asdict(timing),
        "connections": [asdict(connection) for connection in server.connections],
    }
    samples, phases = {"empty": _sample(server.pids)}, {}
    with _started(client, plan) as lines:
        for line in lines:
            phase = json.loads(line)
            samples[phase["phase"]], phases[phase["phase"]] = _sample(server.pids), phase
    if "report" not in phases:
        raise RuntimeError(f"{case.name}: the load client ended without a report")
    checks = phases["report"]["checks"]
    counts = {name: count for name, count in checks.items() if name != "examples" and count}
    return _figures(phases, samples, case), [f"{counts} {checks['examples']}"] if counts else []


@contextmanager
def _started(client: Path, plan: dict[str, Any]) -> Iterator[Iterator[str]]:
    """Starts the client with a plan. Yields the lines that it writes; kills it in the end."""
    process = subprocess.Popen(  # noqa: S603 -- `build` made this program
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


def _sample(pids: Sequence[int]) -> _Sample:
    return _Sample(time.monotonic(), cpu_s(pids), all_busy_s(), rss_bytes(pids))


def _figures(phases: dict[str, dict[str, Any]], samples: dict[str, _Sample], case: Case) -> Figures:
    report, start, end = phases["report"], samples["measuring"], samples["measured"]
    empty, connected, joined = samples["empty"], samples["connected"], samples["joined"]
    elapsed_s = end.at_s - start.at_s
    server_busy = (end.server_s - start.server_s) / elapsed_s
    client_busy = report["client_busy"]
    figures = {
        "connects_per_s": phases["connected"]["per_s"],
        "joins_per_s": phases["joined"]["per_s"],
        "cpu_us_per_connect": (connected.server_s - empty.server_s) * 1e6 / case.connections,
        "cpu_us_per_join": (joined.server_s - connected.server_s) * 1e6 / case.connections,
        "kib_per_connection": (joined.rss_bytes - empty.rss_bytes) / 2**10 / case.connections,
        "rss_mib": end.rss_bytes / 2**20,
        "server_busy": server_busy,
        "client_busy": client_busy,
        "others_busy": max(0.0, (end.all_s - start.all_s) / elapsed_s - server_busy - client_busy),
    }
    if case.senders:
        figures |= {name: report[name] for name in ("writes_per_s", "bytes_per_write")}
        for name in ("deliveries", "messages", "acks"):
            per_s = report[f"{name}_per_s"]
            figures[f"{name}_per_s"] = per_s
            figures[f"cpu_us_per_{name.removesuffix('s').replace('ie', 'y')}"] = (
                server_busy * 1e6 / max(per_s, 1e-9)
            )
        for name in ("delivered", "acked"):
            figures |= {f"{name}_{point}_ms": report[f"{name}_ms"][point] for point in ("p50", "p99")}
    return figures
