"""What the benchmarks' load client counts and checks."""

import subprocess
from pathlib import Path

from tests.clients.programs import need

SOURCE = Path(__file__).parents[2] / "benchmarks" / "load"


def test_its_own_tests() -> None:
    done = subprocess.run([need("go"), "test", "./..."], cwd=SOURCE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
