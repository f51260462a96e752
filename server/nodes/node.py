"""This node as one of several on the same store: its lease, its looks, and what it learns from the others."""

import asyncio
import math
from collections.abc import Callable, Collection, Mapping

import structlog

from server.nodes.elapsed import elapsed_s
from server.nodes.gate import Gate
from server.nodes.key_id import WrongKey, settle_key
from server.nodes.leases import LeaseBook, Others, dead_after_s, renewed_every_s
from server.nodes.peers import Bus, HintedPeers
from server.nodes.reader import HintReader
from storage.errors import Unavailable
from storage.node_ports import HINTS_KEPT_S, Lease, Nodes

log = structlog.get_logger("vestnik")

UPKEEP_EVERY_S = 1.0

FIRST_LOOK_S = 60.0
"""How long a node tries at its start to learn what others do."""

RETRY_S = 0.2

RECORDS_EVERY_S = HINTS_KEPT_S / 3


class Node:
    """Runs the lease, the looks and the peers of this node. Live state uses `freshness` and `peers`.

    `url`: how the others reach this node, "" if they cannot. `key_id`: the fingerprint of its key.
    """

    def __init__(
        self,
        nodes: Nodes,
        *,
        url: str,
        lease_s: float,
        key_id: str,
        bus: Bus | None = None,
        now_s: Callable[[], float] = elapsed_s,
    ) -> None:
        self._nodes = nodes
        self._url = url
        self._lease_s = lease_s
        self._key_id = key_id
        self._now_s = now_s
        self._beat = 0
        self._renewed_s: float | None = None
        self._recorded_s = 0.0
        self._upkeep: asyncio.Task[None] | None = None
        self._book = LeaseBook(nodes.incarnation, url, lease_s)
        self._url_is_shared = False
        """Whether it has been logged that another node has the same address."""
        self.others: Mapping[str, Lease] = {}
        """The living others of the last look, by incarnation."""
        self.peers = HintedPeers(nodes, bus)
        self.connected: Callable[[], Collection[int]] = tuple
        self.end_all: Callable[[], None] = lambda: None
        self.must_leave: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done once this node cannot continue beside newer ones; its result is the reason."""
        self._reader = HintReader(
            nodes,
            self._book,
            self.peers,
            users=lambda: self.connected(),
            seen=self._see,
            missed=self._missed,
            now_s=now_s,
        )
        self.freshness = Gate(self._reader.read, now_s=now_s)
        self.freshness.behind = self._behind
        nodes.on_newer(self._meet_newer)

    @property
    def incarnation(self) -> str:
        return self._nodes.incarnation

    async def start(self) -> None:
        """Joins the others, and returns when this node knows all that they did before. Raises: `Unavailable`;
        `WrongKey`, after it has left them."""
        await self._renew()
        try:
            await settle_key(
                self._nodes, self._key_id, url=self._url, lease_s=self._lease_s, renew=self._renew
            )
        except WrongKey:
            await self._nodes.leave()
            raise
        await self._look_first()
        self.freshness.start()
        self._upkeep = asyncio.get_running_loop().create_task(self._keep_up())

    async def _look_first(self) -> None:
        until_s = self._now_s() + FIRST_LOOK_S
        while True:
            try:
                return await self.freshness.look()
            except Unavailable:
                if self._now_s() > until_s:
                    raise
            await asyncio.sleep(RETRY_S)

    async def stop(self) -> None:
        """Stops looking. The store ends this incarnation when it is closed."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.wait((self._upkeep,))
        await self.freshness.stop()

    @property
    def lease_age_s(self) -> float:
        """How long ago this node's lease was renewed; infinity before the first time."""
        return math.inf if self._renewed_s is None else self._now_s() - self._renewed_s

    def other_servers(self) -> int:
        """How many other nodes clients could be sent to. A command line that has the store open is none."""
        return sum(bool(lease.url) for lease in self.others.values())

    def trouble(self) -> str | None:
        """Why clients should not be sent here; None if they can."""
        if self.must_leave.done():
            return "newer"
        return None if self.freshness.ready else "behind"

    def _see(self, others: Others) -> None:
        self.others = others.living
        if self._url and not self._url_is_shared and any(x.url == self._url for x in self.others.values()):
            self._url_is_shared = True
            log.error("NODE_URL: another node that lives has the same; give each its own", url=self._url)
            self.peers.tell_whole()  # they took each other for dead
        self._nodes.lowest_format = min(
            [self._nodes.format, *(lease.format for lease in others.living.values())]
        )
        self.freshness.alone = not others.living

    def _missed(self) -> None:
        log.warning("what other nodes changed was missed: all connections end and recover")
        self.end_all()

    def _meet_newer(self, kind: str) -> None:
        if not self.must_leave.done():
            self.must_leave.set_result(
                f"a newer node writes what this version does not know ({kind}): update this node"
            )

    def _behind(self) -> None:
        log.error(
            "the changes of other nodes cannot be read: all connections end",
            age_s=round(self.freshness.age_s),
        )
        self.end_all()

    async def _renew(self) -> None:
        self._beat += 1
        await self._nodes.join(
            Lease(self.incarnation, self._url, self._nodes.format, self._key_id, self._beat, ended=False)
        )
        now_s = self._now_s()
        if self._renewed_s is not None:
            late_s = now_s - self._renewed_s - renewed_every_s(self._lease_s)
            if late_s > dead_after_s(self._lease_s) / 2:
                self.peers.tell_whole()
        self._renewed_s = now_s

    async def _keep_up(self) -> None:
        every_s = min(UPKEEP_EVERY_S, renewed_every_s(self._lease_s) / 2)
        while True:
            await asyncio.sleep(every_s)
            try:
                await self._do_what_is_due()
            except Unavailable:
                pass  # tried again a moment later
            except Exception as error:
                log.error("keeping up with other nodes failed", exc_info=error)

    async def _do_what_is_due(self) -> None:
        now_s = self._now_s()
        if self._renewed_s is None or now_s - self._renewed_s >= renewed_every_s(self._lease_s):
            await self._renew()
        if now_s - self._recorded_s >= RECORDS_EVERY_S:
            await self.peers.keep_records()
            self._recorded_s = now_s
        for incarnation in self._book.to_bury(now_s):
            await self._nodes.bury(incarnation)
