"""Leases without a database."""

from collections.abc import Mapping

from server.nodes.relay_owners import Owners
from storage.node_ports import Lease


class Leases:
    """The leases of all nodes of a test. `seen` are those that the nodes know of without a new look."""

    def __init__(self) -> None:
        self.living: dict[str, Lease] = {}
        self.seen: dict[str, Lease] = {}
        self.looks = 0

    def add(self, name: str, url: str, *, is_seen: bool = True) -> None:
        self.living[name] = Lease(name, url, 1, "", 1, ended=False)
        if is_seen:
            self.seen = dict(self.living)

    def drop(self, name: str) -> None:
        """The node is dead, and everybody knows."""
        del self.living[name]
        self.seen = dict(self.living)

    def owners(self, name: str) -> Owners:
        """What the node of this name knows."""

        async def look() -> None:
            self.looks += 1
            self.seen = dict(self.living)

        def others() -> Mapping[str, Lease]:
            return {other: lease for other, lease in self.seen.items() if other != name}

        return Owners(name, others, look)
