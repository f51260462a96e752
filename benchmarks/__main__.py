"""python -m benchmarks: measures the server of this checkout next to other chat servers."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import floor, load_client, report, runs, schedule
from benchmarks.machine import describe, raise_open_files_limit, two_cores
from benchmarks.peers import PEERS
from benchmarks.runs import Runs

DOCS = Path(__file__).resolve().parent.parent / "docs"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark. Returns 1 if Vestnik lost, repeated or reordered a delivery, or if the benchmark failed."""
    options = _options(argv)
    path = runs.runs_file("quick" if options.quick else "full")
    if options.fresh:
        path.unlink(missing_ok=True)
    done = Runs(path)
    try:
        _measure(done, options)
    except RuntimeError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("benchmarks: interrupted; the same command continues from here\n")
        return 1
    sys.stdout.write(report.tables(done))
    if options.docs:
        report.write(DOCS, done, describe(Path(tempfile.gettempdir())))
    sys.stderr.writelines(f"WRONG: {line}\n" for line in report.wrong(done, schedule.OURS))
    sys.stderr.writelines(f"wrong, of a peer: {line}\n" for line in report.wrong(done, PEERS))
    sys.stderr.writelines(f"doubtful: {line}\n" for line in report.doubts(done))
    return 1 if report.wrong(done, schedule.OURS) else 0


def _measure(done: Runs, options: argparse.Namespace) -> None:
    raise_open_files_limit()
    _, client_core = two_cores()
    client, floor_program = load_client.build(), floor.build()
    for peer in PEERS:
        peer.install()
    os.sched_setaffinity(0, {client_core})  # of everything except the servers
    extent = schedule.QUICK if options.quick else schedule.FULL
    schedule.Bench(done, client, floor_program, extent, options.only).run()


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description="Measures the server of this checkout next to its peers."
    )
    parser.add_argument(
        "--quick", action="store_true", help="one short round: a smoke test, not a measurement"
    )
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only cases whose 'target: case' contains TEXT"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="discard the runs of these sources and start again"
    )
    parser.add_argument(
        "--docs", action="store_true", help="write the tables, the plot and the figures into docs/"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
