"""Nodes that tell one another what is not stored, without processes and databases between them."""

import json
from collections.abc import Callable
from typing import Any

from handlers.live.peers import Listener
from tests.clients.clock import ManualClock


class MemoryPeers:
    """Implements `handlers.live.peers.Peers` for one node of a `PeerNet`."""

    def __init__(self, net: "PeerNet", incarnation: str) -> None:
        self.incarnation = incarnation
        self._net = net
        self.listeners: dict[str, Listener] = {}
        self.shared: dict[str, tuple[Callable[[], Any], Listener]] = {}
        self.gone: list[Callable[[str, bool], None]] = []

    @property
    def others(self) -> list[str]:
        return [one for one in self._net.living if one != self.incarnation]

    def tell(self, topic: str, value: Any) -> None:
        self._net.carry(self, topic, value, self._net.delay_s)

    def tell_at_once(self, topic: str, value: Any) -> None:
        if self._net.has_bus:
            self._net.carry(self, topic, value, 0.0)

    def listen(self, topic: str, listener: Listener) -> None:
        self.listeners[topic] = listener

    def share(self, topic: str, snapshot: Callable[[], Any], load: Listener) -> None:
        self.shared[topic] = (snapshot, load)

    def on_gone(self, listener: Callable[[str, bool], None]) -> None:
        self.gone.append(listener)


class PeerNet:
    """What nodes tell arrives `delay_s` later, by a clock that the test turns; what they tell at once, only if
    `has_bus`. `told` has each value that was told, as (incarnation, topic, value). A node hears nothing of itself.

    `die` and `leave` end a node for the others, and `wake` brings it back.
    """

    def __init__(self, clock: ManualClock, *, delay_s: float = 0.0, has_bus: bool = True) -> None:
        self.clock = clock
        self.delay_s = delay_s
        self.has_bus = has_bus
        self.living: dict[str, MemoryPeers] = {}
        self.ended: dict[str, bool] = {}
        """The nodes that are gone and that a new one still finds, each with whether it said so itself."""
        self.told: list[tuple[str, str, Any]] = []
        self._all: dict[str, MemoryPeers] = {}

    def join(self, incarnation: str) -> MemoryPeers:
        """A new node, which hears nothing before `load`."""
        self._all[incarnation] = MemoryPeers(self, incarnation)
        return self._all[incarnation]

    def load(self, incarnation: str) -> None:
        """Has a new node, whose live state is made, load what the others share, those that are gone too."""
        new = self.living[incarnation] = self._all[incarnation]
        for other in [*self.living, *self.ended]:
            if other != incarnation:
                _load(new, self._all[other])
        for other, ended in self.ended.items():
            _say_gone(new, other, ended)

    def carry(self, teller: MemoryPeers, topic: str, value: Any, delay_s: float) -> None:
        if teller.incarnation not in self.living:
            return
        self.told.append((teller.incarnation, topic, value))
        text = json.dumps(value)

        def arrive() -> None:
            for hearer in list(self.living.values()):
                if hearer is not teller:
                    hearer.listeners[topic](teller.incarnation, json.loads(text))

        if delay_s:
            self.clock.call_later(delay_s, arrive)
        else:
            arrive()

    def die(self, incarnation: str) -> None:
        """The others find that a node is dead. It tells and hears nothing any more."""
        self._end(incarnation, ended=False)

    def leave(self, incarnation: str) -> None:
        """A node says that it ends."""
        self._end(incarnation, ended=True)

    def wake(self, incarnation: str) -> None:
        """A node that was taken for dead goes on: all load what they have missed."""
        del self.ended[incarnation]
        self.load(incarnation)
        for other in self.living.values():
            if other.incarnation != incarnation:
                _load(other, self._all[incarnation])

    def _end(self, incarnation: str, *, ended: bool) -> None:
        del self.living[incarnation]
        self.ended[incarnation] = ended
        for other in self.living.values():
            _say_gone(other, incarnation, ended)


def _load(into: MemoryPeers, of: MemoryPeers) -> None:
    for topic, (snapshot, _) in of.shared.items():
        into.shared[topic][1](of.incarnation, json.loads(json.dumps(snapshot())))


def _say_gone(to: MemoryPeers, incarnation: str, ended: bool) -> None:
    for listener in to.gone:
        listener(incarnation, ended)
