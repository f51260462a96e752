"""What the kernel takes to write what a server has written: the same bytes, in as many writes, to as many sockets."""

import json
import subprocess
from pathlib import Path

from benchmarks import load_client
from benchmarks.cases import Case
from benchmarks.machine import two_cores
from benchmarks.runs import Figures

MEASURE_S = 2
ROUNDS = 2
"""How many writes to each socket may be unread: a server writes on while the members read."""


def name_of(target: str) -> str:
    """The name under which the floor of a target's runs is kept."""
    return f"floor of {target}"


def build() -> Path:
    return load_client.build("./floor")


def measure(program: Path, case: Case, fan_out: Figures) -> tuple[Figures, list[str]]:
    """Measures the floor of one run of a case. `times` is the CPU that the server took for a delivery in that run,
    over what the kernel alone takes for its share of a write."""
    server_core, client_core = two_cores()
    words = [case.connections, round(fan_out["bytes_per_write"]), ROUNDS, MEASURE_S, server_core, client_core]
    done = subprocess.run(  # noqa: S603 -- `build` made this program
        [program, *map(str, words)], stdout=subprocess.PIPE, check=True, timeout=60
    )
    per_write: float = json.loads(done.stdout)["cpu_us_per_write"]
    per_delivery = per_write * fan_out["writes_per_s"] / fan_out["deliveries_per_s"]
    return {
        "cpu_us_per_write": per_write,
        "cpu_us_per_delivery": per_delivery,
        "times": fan_out["cpu_us_per_delivery"] / per_delivery,
    }, []
