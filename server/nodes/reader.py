"""One look: reads the leases and the new hints of the others, and publishes what they tell."""

from collections.abc import Callable, Collection, Mapping, Sequence

import structlog

from server.nodes.elapsed import elapsed_s
from server.nodes.leases import LeaseBook, Others
from server.nodes.peers import HintedPeers
from storage.node_ports import HINTS_KEPT_S, Hint, Nodes

log = structlog.get_logger("vestnik")

MISSED_AFTER_S = HINTS_KEPT_S - 10.0
"""A reader that has not looked for this long may have missed hints that are removed already."""

BURIED_KEPT = 1_000


class HintReader:
    """Knows of each other incarnation which of its hints are read.

    `users` are the ids of those who are connected. `seen` is called with the others of each complete look, and `missed`
    when hints are gone that this server has not read.
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
        self._read_s: float | None = None
        """When the last complete look began; None before the first."""
        self._has_missed = False

    async def read(self) -> None:
        """A complete look. Raises: `Unavailable`, and then the next look begins where this one did."""
        began_s = self._now_s()
        is_first = self._read_s is None
        if self._read_s is not None and began_s - self._read_s > MISSED_AFTER_S and self._read:
            self._has_missed = True
        others = self._book.read(await self._nodes.leases(), began_s)
        for incarnation in others.back:
            self._peers.back(incarnation)
        await self._begin_to_read(others, is_first=is_first)
        found = await self._nodes.hints(self._read)
        await self._nodes.apply([hint for hints in found.values() for hint in hints])
        self._take(found)
        for incarnation, ended in others.gone.items():
            log.info("another server is gone", incarnation=incarnation, ended=ended)
            self._peers.gone(incarnation, ended)
        for incarnation in self._read.keys() - others.leases.keys():
            self._buried[incarnation] = self._read.pop(incarnation)
            if len(self._buried) > BURIED_KEPT:
                del self._buried[next(iter(self._buried))]
            self._peers.forget(incarnation)
        if self._has_missed:
            await self._nodes.compare(self._users())
            self._has_missed = False
            self._missed()
        self._read_s = began_s
        self._seen(others)

    async def _begin_to_read(self, others: Others, *, is_first: bool) -> None:
        """Begins with the incarnations that are new here; after missed hints, with all of them again."""
        new = others.leases.keys() if self._has_missed else others.leases.keys() - self._read.keys()
        late = set()
        for incarnation in new:
            before = self._read.get(incarnation, self._buried.pop(incarnation, 0))
            oldest = await self._nodes.oldest_hint(incarnation)
            if oldest > before + 1:
                late.add(incarnation)
                self._has_missed = self._has_missed or not is_first
            self._read[incarnation] = max(oldest - 1, before)
            if incarnation in others.living and not is_first:
                log.info(
                    "another server is there", incarnation=incarnation, url=others.leases[incarnation].url
                )
        if late or (is_first and new):
            await self._peers.load_records(late | (set(new) if is_first else set()))

    def _take(self, found: Mapping[str, Sequence[Hint]]) -> None:
        for incarnation, hints in found.items():
            for hint in hints:
                for topic, told in hint.told:
                    self._peers.hinted(incarnation, topic, told)
                self._read[incarnation] = hint.number
