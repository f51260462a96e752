"""The goals, and the figures measured for them."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import floor
from benchmarks.cases import CROWD, HALF_PEAK, ROOM_50, ROOM_200, ROOM_1000, ROOM_5000, SENDS
from benchmarks.growth import REQUESTS
from benchmarks.peers import CENTRIFUGE, FASTAPI, PYTHON_SOCKETIO, SOCKET_IO
from benchmarks.runs import Runs
from benchmarks.schedule import GROWTH, MANY_CHATS, OURS, RAW, SOCKETIO, VISITS
from benchmarks.targets import Target


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal. `reached` is None if the figure was not measured."""

    what: str
    goal: str
    reached: str | None
    met: bool


def goals(runs: Runs) -> list[Goal]:
    return [
        *_fan_out(runs),
        *_floor(runs),
        *_latency(runs),
        *_sends(runs),
        *_crowd(runs),
        *_growth(runs),
        *_storms(runs),
    ]


def _goal(
    what: str, value: float | None, limit: float, form: str, unit: str = "", *, least: bool = False
) -> Goal:
    """A goal of at most `limit`, or of at least `limit` with `least`."""
    sign = "≥" if least else "≤"
    met = value is not None and (value >= limit if least else value <= limit)
    text = None if value is None else f"{value:{form}}{unit}"
    return Goal(what, f"{sign} {limit:{form}}{unit}", text, met)


def _ratio(runs: Runs, figure: str, ours: tuple[Target, str], theirs: tuple[Target, str]) -> float | None:
    mine = runs.median(ours[0].name, ours[1], figure)
    other = runs.median(theirs[0].name, theirs[1], figure)
    return None if mine is None or not other else mine / other


def _fan_out(runs: Runs) -> Iterator[Goal]:
    times = {
        ROOM_200: ((CENTRIFUGE, 1.0), (SOCKET_IO, 10), (PYTHON_SOCKETIO, 20), (FASTAPI, 15)),
        ROOM_1000: ((CENTRIFUGE, 1.5), (SOCKET_IO, 12)),
    }
    for case, peers in times.items():
        for ours in OURS:
            for peer, least in peers:
                value = _ratio(runs, "deliveries_per_s", (ours, case.name), (peer, case.name))
                yield _goal(
                    f"{ours.name}, {case.name}: deliveries/s against {peer.name}",
                    value,
                    least,
                    ".1f",
                    " ×",
                    least=True,
                )
    for ours in OURS:
        value = _ratio(runs, "cpu_us_per_delivery", (ours, ROOM_200.name), (CENTRIFUGE, ROOM_200.name))
        yield _goal(
            f"{ours.name}, {ROOM_200.name}: CPU per delivery against {CENTRIFUGE.name}",
            value,
            1.0,
            ".2f",
            " ×",
        )
        value = runs.median(ours.name, ROOM_1000.name, "cpu_us_per_delivery")
        yield _goal(f"{ours.name}, {ROOM_1000.name}: CPU per delivery", value, 1.0, ".2f", " µs")
        value = _ratio(runs, "cpu_us_per_delivery", (ours, ROOM_5000.name), (ours, ROOM_50.name))
        yield _goal(
            f"{ours.name}: CPU per delivery, room of 5,000 against room of 50", value, 1.0, ".2f", " ×"
        )


def _floor(runs: Runs) -> Iterator[Goal]:
    for case in (ROOM_50, ROOM_200, ROOM_1000, ROOM_5000):
        for ours in OURS:
            value = runs.median(floor.name_of(ours.name), case.name, "times")
            what = f"{ours.name}, {case.name}: CPU per delivery against the kernel's part of it"
            yield _goal(what, value, 1.5, ".2f", " ×")


def _latency(runs: Runs) -> Iterator[Goal]:
    for ours in OURS:
        value = runs.median(ours.name, HALF_PEAK.name, "delivered_p99_ms")
        yield _goal(f"{ours.name}, {HALF_PEAK.name}: to the last member, p99", value, 10, ".1f", " ms")


def _sends(runs: Runs) -> Iterator[Goal]:
    value = runs.median(SOCKETIO.name, SENDS.name, "acks_per_s")
    yield _goal(f"{SOCKETIO.name}, {SENDS.name}: acked sends/s", value, 10_000, ",.0f", least=True)


def _crowd(runs: Runs) -> Iterator[Goal]:
    for ours, memory, handshakes in ((RAW, 16, 1500), (SOCKETIO, 22, 1000)):
        value = runs.median(ours.name, CROWD.name, "kib_per_connection")
        yield _goal(f"{ours.name}, {CROWD.name}: memory of each", value, memory, ".1f", " KiB")
        busy = runs.median(ours.name, CROWD.name, "server_busy")
        yield _goal(
            f"{ours.name}, {CROWD.name}, idle: CPU", None if busy is None else busy * 100, 1, ".2f", " %"
        )
        value = runs.median(ours.name, CROWD.name, "connects_per_s")
        yield _goal(f"{ours.name}, {CROWD.name}: handshakes/s", value, handshakes, ",.0f", least=True)


def _growth(runs: Runs) -> Iterator[Goal]:
    for name, _ in REQUESTS:
        value = runs.median(RAW.name, GROWTH, f"{name}_ratio")
        yield _goal(
            f"{name.replace('_', ' ')}, 1,000,000 messages against 10,000: time", value, 1.2, ".2f", " ×"
        )


def _storms(runs: Runs) -> Iterator[Goal]:
    few, many = MANY_CHATS
    value = _ratio(runs, "cpu_us_per_chat", (RAW, many), (RAW, few))
    yield _goal(f"{many} connecting: CPU per chat against 100 chats", value, 1.2, ".2f", " ×")
    few, many = VISITS
    value = _ratio(runs, "cpu_us_per_presence_event", (RAW, many), (RAW, few))
    yield _goal(f"{many}: CPU per presence event against 25", value, 1.2, ".2f", " ×")
