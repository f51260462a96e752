"""`python -m tests.attacks [KIND …]` prints a table of what a bystander notices."""

import argparse
import asyncio
import statistics
import tempfile
from pathlib import Path

from tests.attacks.arena import Arena, Outcome
from tests.attacks.kinds import KINDS


async def _outcomes(kind: str, options: argparse.Namespace) -> list[Outcome]:
    found = []
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory() as place:
            settings = {"PYTHONPATH": options.server} if options.server else {}
            async with Arena.open(Path(place), options.connections, **settings) as arena:
                found.append(
                    await arena.attack(kind, options.connections, options.seconds, rest_s=options.rest)
                )
    return found


def _row(kind: str, outcomes: list[Outcome]) -> str:
    def median(pick: str, name: str) -> float:
        return statistics.median(getattr(outcome, pick)[name] for outcome in outcomes)

    grown = statistics.median(outcome.rss_peak_mib - outcome.rss_before_mib for outcome in outcomes)
    kept = statistics.median(outcome.rss_after_mib - outcome.rss_before_mib for outcome in outcomes)
    stop = statistics.median(outcome.stop_s for outcome in outcomes)
    cpu = statistics.median(outcome.cpu for outcome in outcomes)
    swarm = outcomes[-1].swarm
    return (
        f"| {kind} | {median('socket', 'p50'):.1f} | {median('socket', 'p99'):.1f} | {median('socket', 'max'):.0f} | "
        f"{median('rest', 'p99'):.1f} | {cpu:.0%} | {grown:+.0f} | {kept:+.0f} | {stop:.1f} | "
        f"{swarm['opened']} | {swarm['ended']} | {swarm['written_bytes'] / 2**20:.0f} | {swarm['close_codes']} |"
    )


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[[], *KINDS], metavar="KIND")
    parser.add_argument("--connections", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument(
        "--rest", type=float, default=0, help="seconds from the attack until the memory is measured"
    )
    parser.add_argument("--server", default="", help="a checkout whose server is attacked; default: this one")
    options = parser.parse_args()
    print(
        "| attack | p50 ms | p99 | max | REST p99 | CPU | RSS MiB | after | SIGTERM s | opened | ended | MiB | codes |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for kind in options.kinds or KINDS:
        print(_row(kind, await _outcomes(kind, options)), flush=True)


asyncio.run(_main())
