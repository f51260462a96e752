"""How many connections there are on all nodes."""

from handlers.live.clock import Clock, Timer
from handlers.live.connections import Connections
from handlers.live.peers import Peers

TOPIC = "connections"

TOLD_EVERY_S = 1.0


class ConnectionCounts:
    """Each node publishes its number of connections, at most once a second."""

    def __init__(self, connections: Connections, peers: Peers, clock: Clock) -> None:
        self._connections = connections
        self._peers = peers
        self._clock = clock
        self._others: dict[str, int] = {}
        self._timer: Timer | None = None
        peers.listen(TOPIC, self._heard)
        peers.share(TOPIC, lambda: len(connections), self._heard)
        peers.on_gone(self._gone)

    @property
    def total(self) -> int:
        return len(self._connections) + sum(self._others.values())

    def changed(self) -> None:
        """Called when a connection has begun or ended."""
        if self._timer is None and self._peers.incarnation:
            self._timer = self._clock.call_later(TOLD_EVERY_S, self._tell)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _tell(self) -> None:
        self._timer = None
        self._peers.tell(TOPIC, len(self._connections))

    def _gone(self, incarnation: str, _ended: bool) -> None:
        self._others.pop(incarnation, None)

    def _heard(self, incarnation: str, count: object) -> None:
        if isinstance(count, int):
            self._others[incarnation] = count
