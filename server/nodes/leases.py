"""Which incarnations live, as this node sees it: a rule over what it has read and when."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from domain.frozen import frozen
from storage.node_ports import HINTS_KEPT_S, Lease

LOOK_COUNTS_S = 2.0
"""The longest time between two looks that counts against an incarnation: while nobody looks, the database may be away,
and then no lease can be renewed."""

Fate = Literal["lives", "dead", "ended"]


def renewed_every_s(lease_s: float) -> float:
    """How often a node renews its lease."""
    return lease_s / 4


def dead_after_s(lease_s: float) -> float:
    """How long a lease stays the same before its incarnation counts as dead."""
    return lease_s - min(5.0, lease_s / 4)


@frozen
class Observation:
    """What a reader knows of one incarnation. `quiet_s`: for how long its beat has stayed the same. `renewed`: whether
    the reader has seen it change."""

    lease: Lease
    quiet_s: float
    renewed: bool = False

    def after(self, lease: Lease, passed_s: float) -> "Observation":
        """The observation once the lease was read again, `passed_s` later."""
        same = lease.beat == self.lease.beat and lease.ended == self.lease.ended
        quiet_s = self.quiet_s + min(passed_s, LOOK_COUNTS_S) if same else 0.0
        return Observation(lease, quiet_s, self.renewed or lease.beat != self.lease.beat)

    def fate(self, lease_s: float, own_url: str) -> Fate:
        """Whether the incarnation lives. One with the reader's own address is dead, because the reader has its port;
        unless it renews its lease: then two nodes have been given one address."""
        if self.lease.ended:
            return "ended"
        if own_url and self.lease.url == own_url and not self.renewed:
            return "dead"
        return "lives" if self.quiet_s < dead_after_s(lease_s) else "dead"


@dataclass
class Others:
    """The other incarnations of one moment. `gone` and `back` are those whose fate has changed since the moment
    before; `gone` says of each whether it has ended by itself. `late` are those that were gone when they were seen
    first."""

    leases: Mapping[str, Lease]
    living: Mapping[str, Lease]
    gone: Mapping[str, bool] = field(default_factory=dict)
    back: Collection[str] = ()
    late: Collection[str] = ()


class LeaseBook:
    """The observations of one reader. Nothing here looks at a clock: `at_s` is the reader's."""

    def __init__(self, own: str, own_url: str, lease_s: float) -> None:
        self._own = own
        self._own_url = own_url
        self._lease_s = lease_s
        self._seen: dict[str, Observation] = {}
        self._fates: dict[str, Fate] = {}
        self._gone_at: dict[str, float] = {}
        self._read_at: float | None = None

    def read(self, leases: Iterable[Lease], at_s: float) -> Others:
        """Takes all leases as they were read at `at_s`."""
        passed_s = 0.0 if self._read_at is None else at_s - self._read_at
        self._read_at = at_s
        found = {lease.incarnation: lease for lease in leases if lease.incarnation != self._own}
        before, known = self._fates, self._seen
        self._seen = {
            name: known[name].after(lease, passed_s) if name in known else Observation(lease, 0.0)
            for name, lease in found.items()
        }
        self._fates = {name: seen.fate(self._lease_s, self._own_url) for name, seen in self._seen.items()}
        gone = {
            name: fate == "ended"
            for name, fate in self._fates.items()
            if fate != "lives" and before.get(name) == "lives"
        }
        late = [name for name, fate in self._fates.items() if fate != "lives" and name not in before]
        buried = {name: True for name, fate in before.items() if fate == "lives" and name not in found}
        back = [
            name
            for name, fate in self._fates.items()
            if fate == "lives" and before.get(name, "lives") != "lives"
        ]
        self._note_gone(at_s)
        living = {name: lease for name, lease in found.items() if self._fates[name] == "lives"}
        return Others(found, living, gone | buried, back, late)

    def to_bury(self, at_s: float) -> Sequence[str]:
        """The incarnations that were gone for so long that every node has read their last hints."""
        return [name for name, gone_at in self._gone_at.items() if at_s - gone_at > HINTS_KEPT_S]

    def _note_gone(self, at_s: float) -> None:
        self._gone_at = {
            name: self._gone_at.get(name, at_s) for name, fate in self._fates.items() if fate != "lives"
        }
