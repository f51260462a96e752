"""python -m benchmarks: measures this checkout and prints a table."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import load_client
from benchmarks.cases import CASES, Case
from benchmarks.load_client import Round, Timing
from benchmarks.machine import allow_many_files, describe, on_core, two_cores
from benchmarks.results import Result, table
from benchmarks.targets import Target, Vestnik

FULL = Timing(warmup_s=2, measure_s=5)
QUICK = Timing(warmup_s=0.5, measure_s=1)
ROUNDS = 5


def main(argv: Sequence[str] | None = None) -> int:
    """0 if all went well, 1 if a delivery was lost, doubled or out of order, or nothing could be measured."""
    options = _options(argv)
    try:
        results = measure(Vestnik(), options)
    except RuntimeError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 1
    sys.stdout.write(table(results))
    if options.json:
        report = {
            "machine": describe(Path(tempfile.gettempdir())),
            "quick": options.quick,
            "results": [result.as_json() for result in results],
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    wrong = [line for result in results for line in result.wrong()]
    doubts = [line for result in results for line in result.doubts()]
    sys.stderr.writelines(f"WRONG: {line}\n" for line in wrong)
    sys.stderr.writelines(f"doubtful: {line}\n" for line in doubts)
    return 1 if wrong else 0


def measure(target: Target, options: argparse.Namespace) -> list[Result]:
    """Every case once, and again in the next round, so that a slow minute of the machine does not hit one case alone.

    Raises: `RuntimeError` if there is nothing to measure with.
    """
    allow_many_files()
    cores = two_cores()
    client = load_client.build()
    cases = [case for case in CASES if options.only in case.name]
    rounds: dict[Case, list[Round]] = {case: [] for case in cases}
    for number in range(1 if options.quick else options.rounds):
        for case in cases:
            sys.stderr.write(f"round {number + 1}: {case.name}\n")
            rounds[case].append(_measure_once(target, client, case, QUICK if options.quick else FULL, cores))
    return [Result(case, rounds[case]) for case in cases]


def _measure_once(target: Target, client: Path, case: Case, timing: Timing, cores: tuple[int, int]) -> Round:
    """On a fresh server with empty data: no round inherits what another left behind."""
    server_core, client_core = cores
    with (
        tempfile.TemporaryDirectory(prefix="vestnik-bench-") as directory,
        on_core(server_core),
        target.start(Path(directory)) as server,
        on_core(client_core),
    ):
        return load_client.run(client, server, case, timing)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description="Measures the server of this checkout."
    )
    parser.add_argument(
        "--quick", action="store_true", help="one short round: a smoke test, not a measurement"
    )
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help=f"medians are of so many rounds ({ROUNDS})"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases with this in their name")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures of all rounds go here")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
