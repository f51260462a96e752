"""The bound on what waits unread for one user."""

from types import SimpleNamespace
from typing import cast

from handlers.connections import Connection, Connections
from handlers.endings import Ending
from handlers.hub import Hub
from handlers.unsent import CONNECTIONS_SPARED, LOOK_EVERY_S, UnsentWatch
from tests.clients.clock import ManualClock


def test_the_connections_that_hold_most_end_until_the_rest_is_within_the_bound() -> None:
    clock, connections, unread = ManualClock(), Connections(), dict[str, int]()
    ended: list[tuple[str, Ending]] = []

    def end(connection: Connection, ending: Ending) -> None:
        ended.append((connection.id, ending))
        connections.remove(connection)

    hub = cast(Hub, SimpleNamespace(unread_bytes=lambda connection_id: unread[connection_id]))
    watch = UnsentWatch(hub, clock, connections, limit_bytes=100, ended=end)
    for user_id, number in ((1, CONNECTIONS_SPARED + 1), (2, CONNECTIONS_SPARED)):
        for index in range(number):
            connection = Connection(f"{user_id}.{index}", user_id, None, 0)
            connections.add(connection)
            unread[connection.id] = 10 + index
    watch.start()
    clock.advance(LOOK_EVERY_S)
    assert ended == [("1.8", Ending.TOO_SLOW), ("1.7", Ending.TOO_SLOW)], "126 of 100, then 108, then 91"
    unread["1.0"] = 1000
    clock.advance(10 * LOOK_EVERY_S)
    assert len(ended) == 2, "few connections are left, each with a bound of its own"
    watch.stop()


def test_without_a_bound_nothing_is_looked_at() -> None:
    clock = ManualClock()
    watch = UnsentWatch(cast(Hub, None), clock, Connections(), limit_bytes=0, ended=lambda *_: None)
    watch.start()
    clock.advance(10)
    watch.stop()
