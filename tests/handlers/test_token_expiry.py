"""Token expiry: what the gates cannot show."""

from typing import Any, cast

from handlers.live.connections import Connection, Connections
from handlers.live.hub import Hub
from handlers.live.token_expiry import SPARE, TokenExpiry
from tests.clients.clock import ManualClock


def test_connections_that_are_gone_are_not_kept_until_their_tokens_end() -> None:
    clock, connections = ManualClock(), Connections()
    expiry = TokenExpiry(cast(Hub, None), clock, connections, lambda *_: None)
    day = clock.now().timestamp() + 24 * 3600
    staying = Connection("staying", 1, None, day)
    connections.add(staying)
    expiry.watch(staying)
    for number in range(10_000):
        passing = Connection(f"passing {number}", 1, None, day)
        connections.add(passing)
        expiry.watch(passing)
        connections.remove(passing)
    due: list[Any] = expiry._due
    assert len(due) <= SPARE + 4
    assert "staying" in [entry[1] for entry in due]


def test_a_connection_with_one_token_after_the_other_is_noted_once_or_twice() -> None:
    clock, connections = ManualClock(), Connections()
    expiry = TokenExpiry(cast(Hub, None), clock, connections, lambda *_: None)
    connection = Connection("c", 1, None, 0)
    connections.add(connection)
    day = clock.now().timestamp() + 24 * 3600
    for number in range(10_000):
        connection.expires_at = day + number % 2
        expiry.watch(connection)
    assert len(expiry._due) <= SPARE + 4
