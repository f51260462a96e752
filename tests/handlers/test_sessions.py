"""Token lives: what the gates cannot show."""

from typing import Any, cast

from handlers.connections import Connection, Connections
from handlers.hub import Hub
from handlers.sessions import SPARE, TokenLives
from tests.clients.clock import ManualClock


def test_connections_that_are_gone_are_not_kept_until_their_tokens_end() -> None:
    clock, connections = ManualClock(), Connections()
    lives = TokenLives(cast(Hub, None), clock, connections, lambda *_: None)
    day = clock.now().timestamp() + 24 * 3600
    staying = Connection("staying", 1, None, day)
    connections.add(staying)
    lives.watch(staying)
    for number in range(10_000):
        passing = Connection(f"passing {number}", 1, None, day)
        connections.add(passing)
        lives.watch(passing)
        connections.remove(passing)
    due: list[Any] = lives._due
    assert len(due) <= SPARE + 4
    assert "staying" in [entry[1] for entry in due]
