"""Publishes values of live state to the other nodes: by hints, and faster over a bus if there is one."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import structlog

from handlers.live.peers import Listener
from storage.node_ports import Nodes

log = structlog.get_logger("vestnik")


class Bus(Protocol):
    """Carries values to the other nodes that are connected to it, in order, and may lose some."""

    def tell(self, topic: str, number: int, value: Any) -> None:
        """Sends a value; the receivers call `HintedPeers.heard`. Does not suspend and does not raise."""


class HintedPeers:
    """Implements `handlers.live.peers.Peers`.

    Each value of a topic has a number, from 1 without a hole. A value from the bus is handled if it is the next one;
    any other waits for the hints, which have every value. A value of `tell_at_once` has the number 0, and only the
    bus carries it.
    """

    def __init__(self, nodes: Nodes, bus: Bus | None = None) -> None:
        self._nodes = nodes
        self.bus = bus
        self.others: Collection[str] = ()
        self._told: dict[str, int] = {}
        self._recorded: dict[str, int] = {}
        self._heard: dict[str, dict[str, int]] = {}
        """By incarnation and topic, the number of the last value that was handled."""
        self._gone: set[str] = set()
        self._listeners: dict[str, list[Listener]] = {}
        self._shared: dict[str, tuple[Callable[[], Any], Listener]] = {}
        self._on_gone: list[Callable[[str, bool], None]] = []

    @property
    def incarnation(self) -> str:
        return self._nodes.incarnation

    def tell(self, topic: str, value: Any) -> None:
        number = self._told[topic] = self._told.get(topic, 0) + 1
        self._nodes.tell(topic, [number, value])
        if self.bus is not None:
            self.bus.tell(topic, number, value)

    def tell_at_once(self, topic: str, value: Any) -> None:
        if self.bus is not None:
            self.bus.tell(topic, 0, value)

    def listen(self, topic: str, listener: Listener) -> None:
        self._listeners.setdefault(topic, []).append(listener)

    def share(self, topic: str, snapshot: Callable[[], Any], load: Listener) -> None:
        self._shared[topic] = (snapshot, load)

    def on_gone(self, listener: Callable[[str, bool], None]) -> None:
        self._on_gone.append(listener)

    # What the node layer calls.

    def heard(self, incarnation: str, topic: str, number: int, value: Any) -> None:
        """Handles a value from the bus."""
        if number == 0 or number == self._heard.get(incarnation, {}).get(topic, 0) + 1:
            self._hear(incarnation, topic, number, value)

    def hinted(self, incarnation: str, topic: str, told: Any) -> None:
        """Handles a value from a hint: a number and a value, and a third item if the value is the whole of a
        topic."""
        number, value, *whole = told
        if whole:
            self._load(incarnation, topic, number, value)
        elif number > self._heard.get(incarnation, {}).get(topic, 0):
            self._hear(incarnation, topic, number, value)

    def gone(self, incarnation: str, ended: bool) -> None:
        """Called for an incarnation that has ended, or is dead; it may come back."""
        self._gone.add(incarnation)
        for listener in self._on_gone:
            _call(listener, incarnation, ended)

    def ignore(self, incarnation: str) -> None:
        """Called for an incarnation that is gone already when this node sees it first."""
        self._gone.add(incarnation)

    def back(self, incarnation: str) -> None:
        """Called for an incarnation that counted as dead and lives. It publishes the whole of all topics itself."""
        self._gone.discard(incarnation)

    def forget(self, incarnation: str) -> None:
        """Called for an incarnation that is buried."""
        self._heard.pop(incarnation, None)
        self._gone.discard(incarnation)

    def tell_whole(self) -> None:
        """Publishes the whole of all shared topics: others may have taken this node for dead."""
        for topic, (snapshot, _) in self._shared.items():
            self._nodes.tell(topic, [self._told.get(topic, 0), snapshot(), 1])

    async def keep_records(self) -> None:
        """Stores the shared topics that have new values since the last time. Raises: `Unavailable`."""
        for topic, (snapshot, _) in self._shared.items():
            number = self._told.get(topic, 0)
            if number != self._recorded.get(topic, 0):
                await self._nodes.keep_record(topic, [number, snapshot()])
                self._recorded[topic] = number

    async def load_records(self, incarnations: Collection[str]) -> None:
        """Loads what these incarnations have stored. Raises: `Unavailable`."""
        for topic in self._shared:
            records: Mapping[str, tuple[int, Any]] = await self._nodes.records(topic)
            for incarnation in incarnations & records.keys():
                _, (number, value) = records[incarnation]
                self._load(incarnation, topic, number, value)

    def _hear(self, incarnation: str, topic: str, number: int, value: Any) -> None:
        if number:
            self._heard.setdefault(incarnation, {})[topic] = number
        if incarnation not in self._gone:
            for listener in self._listeners.get(topic, ()):
                _call(listener, incarnation, value)

    def _load(self, incarnation: str, topic: str, number: int, value: Any) -> None:
        heard = self._heard.setdefault(incarnation, {})
        if topic in self._shared and incarnation not in self._gone and number >= heard.get(topic, 0):
            heard[topic] = number
            _call(self._shared[topic][1], incarnation, value)


def _call(listener: Callable[[str, Any], None], incarnation: str, value: Any) -> None:
    try:
        listener(incarnation, value)
    except Exception as error:
        log.error("what another node tells could not be used", incarnation=incarnation, exc_info=error)
