"""Writes the medians of all runs as Markdown tables, a plot and a file of figures."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import bus, floor, nodes, plot
from benchmarks.cases import (
    CROWD,
    HALF_PEAK,
    ONE_SENDER,
    ROOM_50,
    ROOM_200,
    ROOM_1000,
    ROOM_5000,
    SENDS,
    Case,
)
from benchmarks.goals import goals
from benchmarks.growth import REQUESTS
from benchmarks.runs import Runs
from benchmarks.schedule import ALL, GROWTH, RAW
from benchmarks.targets import Target

OTHERS_BUSY_MAX = 0.1
"""If other processes take a larger share of a core than this, the figures are too low."""

CLIENT_BUSY_MAX = 0.9
"""If the load client is busy for a larger share of the time, it may itself limit the figures. At a fixed rate it polls,
and is busy by design."""

PLOT = "![Deliveries a second in rooms of 200 and of 1,000](performance.svg)"
BEGIN, END = "<!-- written by make bench -->\n", "<!-- to here -->\n"

FLOOR = "times"
"""The one figure of a table that is kept with the floor of the target."""

_Column = tuple[str, str, str]  # heading, figure, format

_FAN_OUT: Sequence[_Column] = (
    ("deliveries/s", "deliveries_per_s", ",.0f"),
    ("µs CPU per delivery", "cpu_us_per_delivery", ".2f"),
    ("× floor", FLOOR, ".2f"),
    ("to the last member, p50 ms", "delivered_p50_ms", ".1f"),
    ("p99 ms", "delivered_p99_ms", ".1f"),
)
_SENDS: Sequence[_Column] = (
    ("acked sends/s", "acks_per_s", ",.0f"),
    ("µs CPU per send", "cpu_us_per_ack", ".0f"),
    ("ack, p50 ms", "acked_p50_ms", ".1f"),
    ("p99 ms", "acked_p99_ms", ".1f"),
)
_CROWD: Sequence[_Column] = (
    ("handshakes/s", "connects_per_s", ",.0f"),
    ("µs CPU per handshake", "cpu_us_per_connect", ",.0f"),
    ("joins/s", "joins_per_s", ",.0f"),
    ("KiB per connection", "kib_per_connection", ".1f"),
)
_LOADS: Sequence[tuple[Sequence[Case], Sequence[_Column]]] = (
    ((ROOM_200, ROOM_1000, ROOM_50, ROOM_5000, HALF_PEAK), _FAN_OUT),
    ((SENDS, ONE_SENDER), _SENDS),
    ((CROWD,), _CROWD),
)


def tables(runs: Runs) -> str:
    """The goals and then all figures as Markdown tables of medians."""
    parts = ["### Goals\n", _goals(runs)]
    for cases, columns in _LOADS:
        for case in cases:
            parts += [f"### {case.name[0].upper()}{case.name[1:]}\n", _load(runs, case, columns)]
    parts += [f"### {GROWTH}\n", _growth(runs)]
    parts += ["### Several nodes\n", _nodes(runs)]
    parts += [f"### {bus.NAME[0].upper()}{bus.NAME[1:]}\n", _bus(runs)]
    return "\n".join(parts)


def write(docs: Path, runs: Runs, machine: dict[str, str]) -> None:
    """Writes the tables into performance.md, and the plot and all figures into files beside it."""
    text = (docs / "performance.md").read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    (docs / "performance.md").write_text(f"{before}{BEGIN}\n{PLOT}\n\n{tables(runs)}\n{END}{after}")
    (docs / "performance.svg").write_text(plot.fan_out(runs))
    figures = {"machine": machine, "runs": [asdict(run) for run in runs.all]}
    (docs / "performance.json").write_text(json.dumps(figures, indent=1) + "\n")


def wrong(runs: Runs, targets: Iterable[Target]) -> list[str]:
    """What the checks of these targets found, one line for each finding."""
    names = {target.name for target in targets}
    return [
        f"{run.target}: {run.case}: {line}" for run in runs.all if run.target in names for line in run.wrong
    ]


def doubts(runs: Runs) -> Iterator[str]:
    """The reasons to doubt figures, one line for each."""
    for target, case in sorted({(run.target, run.case) for run in runs.all}):
        others, client = (runs.median(target, case, name) for name in ("others_busy", "client_busy"))
        if others is not None and others > OTHERS_BUSY_MAX:
            yield f"{target}: {case}: other processes took {others:.0%} of a core"
        if client is not None and client > CLIENT_BUSY_MAX and case != HALF_PEAK.name:
            yield f"{target}: {case}: the load client was busy {client:.0%} of the time"


def _goals(runs: Runs) -> str:
    rows = [
        (goal.what, goal.goal, goal.reached or "–", "yes" if goal.met else "**no**") for goal in goals(runs)
    ]
    return _table(("", "goal", "measured", "met"), rows)


def _load(runs: Runs, case: Case, columns: Sequence[_Column]) -> str:
    rows = []
    for target in ALL:
        figures = [
            (
                runs.median(
                    floor.name_of(target.name) if figure == FLOOR else target.name, case.name, figure
                ),
                form,
            )
            for _, figure, form in columns
        ]
        if any(value is not None for value, _ in figures):
            rows.append(
                (target.name, *("–" if value is None else f"{value:{form}}" for value, form in figures))
            )
    return _table(("", *(heading for heading, *_ in columns)), rows)


def _growth(runs: Runs) -> str:
    rows = []
    for name, _ in REQUESTS:
        figures = [
            runs.median(RAW.name, GROWTH, f"{name}_{which}")
            for which in ("small_ms", "large_ms", "small_cpu_us", "large_cpu_us")
        ]
        rows.append(
            (name.replace("_", " "), *("–" if value is None else f"{value:,.2f}" for value in figures))
        )
    return _table(("", "ms, small", "ms, large", "µs CPU, small", "µs CPU, large"), rows)


def _nodes(runs: Runs) -> str:
    rows = []
    for name in nodes.LATENCY.values():
        rows += [
            (f"an event {name}, after the ack, {point}, ms", name, f"lag_{point}_ms", ".1f")
            for point in ("p50", "p99")
        ]
    for name in nodes.OVER_NODES.values():
        rows.append((f"{name}: µs CPU per delivery", name, "cpu_us_per_delivery", ".2f"))
        rows.append((f"{name}: bytes in a write", name, "bytes_per_write", ",.0f"))
        rows.append((f"{name}: × floor", name, FLOOR, ".2f"))
    for what, figure, form in (
        ("clients", "clients", ",.0f"),
        ("half of them are back after s", "recovered_p50_s", ".2f"),
        ("all of them are back after s", "recovered_all_s", ".2f"),
        ("ms CPU of the living nodes for each", "cpu_ms_per_client", ".2f"),
    ):
        rows.append((f"{nodes.STORM}: {what}", nodes.STORM, figure, form))
    found = [
        (what, runs.median(floor.name_of(RAW.name) if figure == FLOOR else RAW.name, case, figure), form)
        for what, case, figure, form in rows
    ]
    return _table(
        ("", "measured"),
        [(what, "–" if value is None else f"{value:{form}}") for what, value, form in found],
    )


def _bus(runs: Runs) -> str:
    rows = []
    for batch in bus.BATCHES:
        figures = [runs.median(RAW.name, bus.NAME, f"{end}_{batch}_us") for end in ("send", "receive")]
        rows.append((f"{batch} in a batch", *("–" if value is None else f"{value:.2f}" for value in figures)))
    return _table(("", "µs CPU to send", "µs CPU to receive"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
