"""Rounds to medians, medians to a table."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmarks.cases import Case
from benchmarks.load_client import Round

OTHERS_BUSY_MAX = 0.1
"""More of a core than this for other processes, and the figures are too low."""

CLIENT_BUSY_MAX = 0.9
"""With more, the client may be what is measured. At a fixed rate it waits awake, and is busy by intent."""

_FIGURES = tuple(name for name in Round.__slots__ if name not in ("checks", "examples"))


@dataclass(frozen=True, slots=True)
class Result:
    """A case and its rounds, at least one."""

    case: Case
    rounds: Sequence[Round]

    def median(self, figure: str) -> float:
        return median(float(getattr(one, figure)) for one in self.rounds)

    def per(self, figure: str) -> float:
        """Server µs for each of what `figure` counts in a second; the median of the rounds."""
        return median(one.server_busy * 1e6 / max(float(getattr(one, figure)), 1e-9) for one in self.rounds)

    def wrong(self) -> list[str]:
        """What the checks found, in words."""
        return [f"{self.case.name}: {one.checks} {one.examples}" for one in self.rounds if one.checks]

    def doubts(self) -> list[str]:
        """Why the figures may say less than they seem to."""
        doubts = []
        if (others := self.median("others_busy")) > OTHERS_BUSY_MAX:
            doubts.append(f"{self.case.name}: other processes took {others:.0%} of a core")
        if self.case.mode != "latency" and (busy := self.median("client_busy")) > CLIENT_BUSY_MAX:
            doubts.append(f"{self.case.name}: the load client was busy {busy:.0%} of the time")
        return doubts

    def as_json(self) -> dict[str, Any]:
        return {
            "case": asdict(self.case),
            "median": {
                **{figure: self.median(figure) for figure in _FIGURES},
                "cpu_us_per_delivery": self.per("deliveries_per_s"),
                "cpu_us_per_message": self.per("messages_per_s"),
            },
            "rounds": [asdict(one) for one in self.rounds],
        }


_COLUMNS = (
    "case",
    "deliveries/s",
    "messages/s",
    "µs CPU per delivery",
    "µs CPU per message",
    "to the last member, ms (p50 / p99)",
    "ack, ms (p50 / p99)",
    "RSS, MiB",
    "KiB per connection",
)


def table(results: Iterable[Result]) -> str:
    """Markdown; the medians of each case in a line."""
    rows = [_COLUMNS, ("---", *("---:" for _ in _COLUMNS[1:])), *map(_row, results)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(result: Result) -> tuple[str, ...]:
    figure = result.median
    return (
        result.case.name,
        f"{figure('deliveries_per_s'):,.0f}",
        f"{figure('messages_per_s'):,.0f}",
        f"{result.per('deliveries_per_s'):.2f}",
        f"{result.per('messages_per_s'):.0f}",
        f"{figure('delivered_p50_ms'):.1f} / {figure('delivered_p99_ms'):.1f}",
        f"{figure('acked_p50_ms'):.1f} / {figure('acked_p99_ms'):.1f}",
        f"{figure('rss_mib'):.0f}",
        f"{figure('kib_per_connection'):.0f}",
    )
