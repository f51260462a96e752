"""Everything that the benchmark measures, in its order."""

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import bus, floor, growth, load_client, nodes, storms
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
    Timing,
)
from benchmarks.peers import CENTRIFUGE, PEERS, PYTHON_SOCKETIO, SOCKET_IO
from benchmarks.runs import Figures, Runs
from benchmarks.targets import Target
from benchmarks.vestnik import Vestnik

RAW, SOCKETIO = Vestnik("raw"), Vestnik("socketio")
OURS: Sequence[Target] = (RAW, SOCKETIO)
ALL: Sequence[Target] = (*OURS, *PEERS)

LOADS: Sequence[tuple[Case, Sequence[Target]]] = (
    (ROOM_200, ALL),
    (HALF_PEAK, (*OURS, CENTRIFUGE)),
    (ROOM_1000, ALL),
    (ROOM_50, OURS),
    (ROOM_5000, OURS),
    (SENDS, OURS),
    (ONE_SENDER, OURS),
)

GROWTH = "10,000 and 1,000,000 messages"
MANY_CHATS = ("a user with 100 chats", "a user with 1,000 chats")
VISITS = ("25 members connecting and leaving", "100 members connecting and leaving")

BRIEF = Timing(0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured. The members of each chat are divided by `divisor`. `crowd` is how long idle connections
    are measured: long enough for a heartbeat of each. `sizes` and `blocks` are those of `growth.measure`; `chats` and
    `members` are the sizes of the storms. `bus_events` is the number of events that go over the bus,
    `lag_messages` that of messages from node to node, `storm_clients` that of clients of three nodes."""

    rounds: int
    divisor: int
    load: Timing
    crowd: Timing
    crowd_rounds: int
    sizes: tuple[int, int]
    blocks: int
    chats: tuple[int, int]
    members: tuple[int, int]
    bus_events: int
    lag_messages: int
    storm_clients: int


FULL = Extent(
    5,
    1,
    Timing(0.8, 2.5),
    Timing(0.5, 25.5),
    2,
    (10_000, 1_000_000),
    10,
    (100, 1000),
    (25, 100),
    100_000,
    1_500,
    600,
)
QUICK = Extent(
    1, 20, Timing(0.2, 0.5), Timing(0.1, 0.2), 1, (6_000, 10_000), 1, (5, 10), (3, 5), 1_000, 25, 60
)


class Bench:
    """Measures every case that is missing in `runs` and whose name `target: case` contains `only`."""

    def __init__(self, runs: Runs, client: Path, floor_program: Path, extent: Extent, only: str) -> None:
        self._runs = runs
        self._client = client
        self._floor_program = floor_program
        self._extent = extent
        self._only = only

    def run(self) -> None:
        """Runs all cases once in each round, so that a slow minute does not affect one case alone.

        Raises: `RuntimeError` if a server or the load client fails.
        """
        for number in range(self._extent.rounds):
            for case, targets in LOADS:
                for target in targets:
                    self._load(target, case, number, self._extent.load)
                    if case.mode == "fanout" and target in OURS:
                        self._floor(target, case.scaled_down(self._extent.divisor), number, case.name)
            if number < self._extent.crowd_rounds:
                for target in OURS:
                    self._load(target, CROWD, number, self._extent.crowd)
            if number == 0:
                self._once()
            if number < self._extent.crowd_rounds and nodes.is_possible():
                self._nodes(number)

    def _once(self) -> None:
        extent = self._extent
        for target in (CENTRIFUGE, SOCKET_IO, PYTHON_SOCKETIO):
            self._load(target, CROWD, 0, BRIEF)
        self._measure(RAW, GROWTH, 0, lambda: growth.measure(extent.sizes, extent.blocks))
        for name, size in zip(MANY_CHATS, extent.chats, strict=True):
            self._measure(RAW, name, 0, partial(storms.many_chats, size))
        for name, size in zip(VISITS, extent.members, strict=True):
            self._measure(RAW, name, 0, partial(storms.connecting_and_leaving, self._client, size))

        if bus.is_possible():
            self._measure(RAW, bus.NAME, 0, partial(bus.measure, extent.bus_events))

    def _nodes(self, number: int) -> None:
        """One node and two nodes in turns."""
        for with_redis, name in nodes.LATENCY.items():
            measure = partial(nodes.latency, self._extent.lag_messages, with_redis=with_redis)
            self._measure(RAW, name, number, measure)
        case = nodes.ROOM.scaled_down(self._extent.divisor)
        for count, name in nodes.OVER_NODES.items():
            measure = partial(nodes.fan_out, self._client, case, self._extent.load, count)
            self._measure(RAW, name, number, measure)
            self._floor(RAW, case, number, name)
        self._measure(RAW, nodes.STORM, number, partial(nodes.storm, self._extent.storm_clients))

    def _load(self, target: Target, case: Case, number: int, timing: Timing) -> None:
        case = case.scaled_down(self._extent.divisor)
        self._measure(target, case.name, number, partial(self._load_once, target, case, number, timing))

    def _floor(self, target: Target, case: Case, number: int, name: str) -> None:
        """Measures the floor of a run of this name, directly after it."""
        run = self._runs.find(target.name, name, number)
        if run is not None:
            measure = partial(floor.measure, self._floor_program, case, run.figures)
            self._runs.once(floor.name_of(target.name), name, number, measure)

    def _measure(
        self, target: Target, case: str, number: int, measure: Callable[[], tuple[Figures, list[str]]]
    ) -> None:
        if self._only in f"{target.name}: {case}":
            sys.stderr.write(f"round {number + 1}: {target.name}: {case}\n")
            self._runs.once(target.name, case, number, measure)

    def _load_once(
        self, target: Target, case: Case, number: int, timing: Timing
    ) -> tuple[Figures, list[str]]:
        """Runs a case on a fresh server with empty data, so that no run inherits anything from another."""
        rate = 0.0
        if case.peak:
            peak = self._runs.find(target.name, case.peak, number)
            if peak is None:
                raise RuntimeError(f"{case.name} needs {case.peak} to be measured before")
            rate = peak.figures["messages_per_s"] / 2
        with (
            tempfile.TemporaryDirectory(prefix="vestnik-bench-") as directory,
            target.start(Path(directory), case) as server,
        ):
            return load_client.run(self._client, server, case, target.wire, timing, rate)
