"""What is told to other nodes arrives once and in order, by the hints alone or over a bus as well."""

from typing import Any

from server.nodes.peers import HintedPeers
from tests.nodes.memory_nodes import MemoryNodes, Shared


class Wire:
    """A bus between two nodes. It carries what the test lets through."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, Any]] = []

    def tell(self, topic: str, number: int, value: Any) -> None:
        self.sent.append((topic, number, value))


class Pair:
    """Node a tells, node b hears."""

    def __init__(self) -> None:
        shared = Shared()
        self.nodes = MemoryNodes(shared, "a")
        self.wire = Wire()
        self.teller = HintedPeers(self.nodes, self.wire)
        self.hearer = HintedPeers(MemoryNodes(shared, "b"))
        self.heard: list[tuple[str, Any]] = []
        self.loaded: list[tuple[str, Any]] = []
        self.gone: list[tuple[str, bool]] = []
        self.state: dict[str, int] = {}
        self.teller.share("state", lambda: dict(self.state), lambda *_: None)
        self.hearer.share("state", dict, lambda *loaded: self.loaded.append(loaded))
        for topic in ("news", "state"):
            self.hearer.listen(topic, lambda *heard: self.heard.append(heard))
        self.hearer.on_gone(lambda *gone: self.gone.append(gone))
        self._read = 0

    def bus(self, *numbers: int) -> None:
        """Lets these of the values that were sent through, counted from 0; all of them if none is named."""
        for number in numbers or range(len(self.wire.sent)):
            self.hearer.heard("a", *self.wire.sent[number])

    def hints(self) -> None:
        """The hearer reads the hints that it has not read."""
        hints = self.nodes.shared.hints.get("a", {})
        for number in range(self._read + 1, len(hints) + 1):
            for topic, told in hints[number].told:
                self.hearer.hinted("a", topic, told)
        self._read = len(hints)


def test_without_a_bus_the_hints_carry_everything() -> None:
    pair = Pair()
    for value in (1, 2, 3):
        pair.teller.tell("news", value)
    pair.hints()
    assert pair.heard == [("a", 1), ("a", 2), ("a", 3)]


def test_values_from_the_bus_are_not_handled_again() -> None:
    pair = Pair()
    pair.teller.tell("news", 1)
    pair.bus()
    assert pair.heard == [("a", 1)]
    pair.hints()
    pair.bus()
    assert pair.heard == [("a", 1)]


def test_values_that_the_bus_lost_come_by_hints_and_in_order() -> None:
    pair = Pair()
    for value in (1, 2, 3):
        pair.teller.tell("news", value)
    pair.bus(0, 2)
    assert pair.heard == [("a", 1)]
    pair.hints()
    assert pair.heard == [("a", 1), ("a", 2), ("a", 3)]


def test_what_is_told_at_once_needs_a_bus() -> None:
    pair = Pair()
    pair.teller.tell_at_once("news", "typing")
    pair.hints()
    assert pair.heard == []
    pair.bus()
    pair.bus()
    assert pair.heard == [("a", "typing")] * 2


async def test_a_node_that_starts_later_loads_the_record_and_hears_what_follows() -> None:
    pair = Pair()
    pair.state["ann"] = 1
    pair.teller.tell("state", ["ann", 1])
    await pair.teller.keep_records()
    pair.state["bob"] = 2
    pair.teller.tell("state", ["bob", 2])
    await pair.hearer.load_records({"a"})
    assert pair.loaded == [("a", {"ann": 1})]
    pair.hints()
    assert pair.heard == [("a", ["bob", 2])]


async def test_a_record_is_kept_only_if_there_is_something_new() -> None:
    pair = Pair()
    await pair.teller.keep_records()
    assert pair.nodes.shared.records == {}
    pair.teller.tell("state", 1)
    await pair.teller.keep_records()
    first = pair.nodes.shared.records.pop(("a", "state"))
    await pair.teller.keep_records()
    assert pair.nodes.shared.records == {}
    assert first == (1, [1, {}])


def test_one_that_comes_back_tells_the_whole() -> None:
    pair = Pair()
    pair.state["ann"] = 1
    pair.teller.tell("state", ["ann", 1])
    pair.hints()
    pair.hearer.gone("a", False)
    assert pair.gone == [("a", False)]
    pair.teller.tell("state", ["nobody", 0])
    pair.hints()
    assert len(pair.heard) == 1  # nothing is taken from the dead
    pair.hearer.back("a")
    pair.teller.tell_whole()
    pair.teller.tell("state", ["bob", 2])
    pair.hints()
    assert pair.loaded == [("a", {"ann": 1})]
    assert pair.heard[1:] == [("a", ["bob", 2])]


def test_a_listener_that_raises_costs_the_others_nothing() -> None:
    pair = Pair()

    def raises(_incarnation: str, _value: Any) -> None:
        raise ValueError

    pair.hearer.listen("news", raises)
    pair.hearer.listen("news", lambda *heard: pair.heard.append(heard))
    pair.teller.tell("news", 1)
    pair.hints()
    assert pair.heard == [("a", 1), ("a", 1)]
