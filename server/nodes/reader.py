"""One look: reads the leases and the new hints of the others, and publishes what the hints name."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import structlog

from server.nodes.elapsed import elapsed_s
from server.nodes.leases import LeaseBook, Others
from server.nodes.peers import HintedPeers
from storage.node_ports import HINTS_KEPT_S, Hint, Lease, Nodes

log = structlog.get_logger("vestnik")

MISSED_AFTER_S = HINTS_KEPT_S - 10.0
"""A reader that has not looked for this long may have missed hints that are removed already."""

BURIED_KEPT = 1_000

FIRST_HINTS = 16
"""The rows of how many of the last hints of each incarnation are published at the start. A node writes the rows of
one or two of its hints at a time."""

ROWS_AT_ONCE = 100


class HintReader:
    """Remembers which hints of each other incarnation are read.

    `users` are the ids of those who are connected. `seen` is called with the other incarnations after each complete
    look, and `missed` when hints are gone that this node has not read.
    """

    def __init__(
        self,
        nodes: Nodes,
        book: LeaseBook,
        peers: HintedPeers,
        *,
        users: Callable[[], Collection[int]],
        seen: Callable[[Others], None],
        missed: Callable[[], None],
        now_s: Callable[[], float] = elapsed_s,
    ) -> None:
        self._nodes = nodes
        self._book = book
        self._peers = peers
        self._users = users
        self._seen = seen
        self._missed = missed
        self._now_s = now_s
        self._read: dict[str, int] = {}
        """By incarnation, the number of the last hint that was read and published."""
        self._buried: dict[str, int] = {}
        """The same for those that are buried: one that was only suspended comes back and goes on from there."""
        self._gone: dict[str, bool] = {}
        """Those whose end is not reported yet: their last hints come first."""
        self._unloaded: set[str] = set()
        """Those of which more was told than the hints say that are kept."""
        self._read_s: float | None = None
        """When the last complete look began; None before the first."""
        self._tried_s = 0.0
        self._has_others = False
        self._has_missed = False

    async def read(self) -> None:
        """A complete look. Raises: `Unavailable`, and then the next look begins where this one did."""
        began_s = self._now_s()
        is_first = self._read_s is None
        self._has_missed = self._has_missed or self._has_slept(began_s)
        others = self._book.read(await self._nodes.leases(), began_s)
        for incarnation in others.late:
            self._peers.ignore(incarnation)
        self._gone |= others.gone
        for incarnation in others.back:
            if self._gone.pop(incarnation, None) is None:
                self._peers.back(incarnation)
        await self._begin_to_read(others, is_first=is_first)
        found = await self._nodes.hints(self._read)
        if is_first:
            found = {incarnation: without_old_rows(hints) for incarnation, hints in found.items()}
        for some in in_parts(found):
            await self._nodes.apply([hint for _, hint in some])
            self._take(some)
        self._peers.others = others.living.keys()
        self._let_go(others)
        if self._has_missed:
            await self._nodes.compare(self._users())
            self._has_missed = False
            self._missed()
        self._read_s = began_s
        self._has_others = bool(others.living)
        self._seen(others)

    def _has_slept(self, now_s: float) -> bool:
        """Whether hints may be removed by now that this node has not read. While a node that is alone tries in vain
        to read, the database is away, for others too."""
        tried_s, self._tried_s = self._tried_s, now_s
        if self._read_s is None or now_s - self._read_s <= MISSED_AFTER_S:
            return False
        return self._has_others or now_s - tried_s > MISSED_AFTER_S

    def _let_go(self, others: Others) -> None:
        """Reports the incarnations that are gone, and forgets those that are buried."""
        while self._gone:
            incarnation, ended = self._gone.popitem()
            if _is_server(others.leases.get(incarnation)):
                log.info("another node is gone", incarnation=incarnation, ended=ended)
            self._peers.gone(incarnation, ended)
        for incarnation in self._read.keys() - others.leases.keys():
            self._buried[incarnation] = self._read.pop(incarnation)
            if len(self._buried) > BURIED_KEPT:
                del self._buried[next(iter(self._buried))]
            self._peers.forget(incarnation)

    async def _begin_to_read(self, others: Others, *, is_first: bool) -> None:
        """Begins with the incarnations that are new here; after missed hints, with all of them again."""
        new = others.leases.keys() if self._has_missed else others.leases.keys() - self._read.keys()
        for incarnation in list(new):
            before = self._read.get(incarnation, self._buried.get(incarnation, 0))
            oldest = await self._nodes.oldest_hint(incarnation)
            is_late, is_new = oldest > before + 1, incarnation not in self._read
            if is_late or is_first:
                self._unloaded.add(incarnation)
            self._has_missed = self._has_missed or (is_late and not is_first)
            self._read[incarnation] = max(oldest - 1, before)
            self._buried.pop(incarnation, None)
            if is_new and incarnation in others.living and _is_server(others.leases[incarnation]):
                log.info(
                    "another node has joined", incarnation=incarnation, url=others.leases[incarnation].url
                )
        if self._unloaded:
            await self._peers.load_records(self._unloaded & others.living.keys())
            self._unloaded.clear()

    def _take(self, read: Sequence[tuple[str, Hint]]) -> None:
        for incarnation, hint in read:
            for topic, told in hint.told:
                self._peers.hinted(incarnation, topic, told)
            self._read[incarnation] = hint.number


def _is_server(lease: Lease | None) -> bool:
    """Whether the lease is not that of a command line, which opens the store for a moment."""
    return lease is None or lease.key_id != ""


def without_old_rows(hints: Sequence[Hint]) -> Sequence[Hint]:
    """The part of hints that a node needs at its start. Nothing is in memory yet, so what is in the store needs no
    hint; but the rows of the last hints may not be in the log yet."""
    last = [hint.number for hint in hints if hint.rows][-FIRST_HINTS:]
    return [hint if hint.number in last else Hint(hint.number, {}, {}, [], [], hint.told) for hint in hints]


def in_parts(found: Mapping[str, Sequence[Hint]]) -> Iterator[Sequence[tuple[str, Hint]]]:
    """The hints with their incarnations, those of one incarnation in order, so many at a time that they have about
    `ROWS_AT_ONCE` rows: after a look that breaks off, the next one goes on after the last part that was published."""
    part: list[tuple[str, Hint]] = []
    rows = 0
    for incarnation, hints in found.items():
        for hint in hints:
            part.append((incarnation, hint))
            rows += sum(last - first + 1 for first, last in hint.rows.values())
            if rows >= ROWS_AT_ONCE:
                yield part
                part, rows = [], 0
    yield part
