"""Nodes on one database, as tests of what they tell each other need them."""

from collections.abc import Callable
from typing import Any

import pytest

from domain.changes import Change
from storage.mongo import MongoStore
from storage.node_ports import Hint
from tests.storage.world import World


class Node(World):
    """A node with a store of its own. `look` does what a node does every 250 ms: it reads the hints of all others
    that it does not know yet, and applies them."""

    store: MongoStore

    def __init__(self, store: MongoStore) -> None:
        super().__init__(store)
        self.known: dict[str, int] = {}
        self.told: list[tuple[str, Any]] = []

    async def look(self) -> list[Hint]:
        nodes = self.store.nodes
        others = {lease.incarnation for lease in await nodes.leases()} - {nodes.incarnation}
        found = await nodes.hints({one: self.known.get(one, 0) for one in others})
        hints = [hint for one in found.values() for hint in one]
        await nodes.apply(hints)
        for incarnation, some in found.items():
            self.known[incarnation] = self.known.get(incarnation, 0) + len(some)
        self.told += [told for hint in hints for told in hint.told]
        return hints

    def take(self, kind: Callable[..., Change] | None = None) -> list[Change]:
        """What was published since the last call, of one kind if it is given."""
        taken = [change for change in self.published if kind is None or type(change) is kind]
        self.published.clear()
        return taken


def write_hints_apart(store: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the store insert each hint by a command of its own, as it does while another hint is being written."""
    hints = store.nodes._hints
    monkeypatch.setattr(hints, "lend", lambda rows: (hints.add_rows(rows), None))
