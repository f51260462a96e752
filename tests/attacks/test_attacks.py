"""Attacks by hundreds of connections on the real program: other users go on, memory is bounded, and it stops in time.

The short forms find what is broken, not how fast a machine is: their bounds on latency are wide. The long forms hold
the goals, and need a machine that does nothing else.
"""

from pathlib import Path

import pytest

from tests.attacks.arena import Arena, Outcome
from tests.attacks.kinds import ACCOUNTS, KINDS, STRANGERS
from tests.patience import SLACK

MIB_MAX = 100
MIB_KEPT = 30
STOP_S = 10

SHORT = ["requests", "polling sessions", "unknown commands"]
"""One for each way in; all kinds are in the long forms."""


async def _outcome(place: Path, kind: str, connections: int, seconds: float, rest_s: float = 0) -> Outcome:
    async with Arena.open(place, connections) as arena:
        return await arena.attack(kind, connections, seconds, rest_s=rest_s)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="has no /proc")
@pytest.mark.parametrize("kind", SHORT)
async def test_others_go_on(tmp_path: Path, kind: str) -> None:
    outcome = await _outcome(tmp_path, kind, connections=60, seconds=1)
    assert outcome.swarm["opened"] >= 60 / SLACK, outcome
    assert outcome.socket["p50"] < 500, outcome
    assert outcome.rss_peak_mib - outcome.rss_before_mib < MIB_MAX, outcome
    assert outcome.stop_s < STOP_S, outcome


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "connections", "p99_ms"),
    [
        *((kind, 400, 100) for kind in KINDS),
        *((kind, 100, 20) for kind in ACCOUNTS),
        *((kind, 20, 20) for kind in STRANGERS),
    ],
)
async def test_four_hundred_of_any_kind(tmp_path: Path, kind: str, connections: int, p99_ms: float) -> None:
    outcome = await _outcome(tmp_path, kind, connections, seconds=6, rest_s=60 if connections == 400 else 0)
    assert outcome.socket["p99"] <= p99_ms, outcome
    assert outcome.rss_peak_mib - outcome.rss_before_mib <= MIB_MAX, outcome
    assert connections < 400 or outcome.rss_after_mib - outcome.rss_before_mib <= MIB_KEPT, outcome
    assert outcome.stop_s < STOP_S, outcome
