"""The bus of a node, connected with its store, its hub and its publisher."""

import asyncio
from collections.abc import Sequence

import structlog

from domain.changes import Change
from handlers.live.hub import Hub
from handlers.wire.json import loads
from server.nodes.bus import Bus
from server.nodes.bus_frames import Frame
from server.nodes.bus_inbox import HandOut, Inbox
from server.nodes.bus_spreader import BusSpreader
from server.nodes.node import Node
from storage.errors import Unavailable
from storage.node_ports import Nodes

log = structlog.get_logger("vestnik")


class BusService:
    """Connects a `Bus` with the store, the node and the hub. `spreader` is for the publisher."""

    def __init__(self, url: str, secret_key: str, store_id: str, nodes: Nodes, node: Node, hub: Hub) -> None:
        self._node = node
        self.bus = Bus(
            url,
            f"vestnik:{store_id}",
            nodes.incarnation,
            secret_key,
            heard=self._heard,
            missed=self._look,
            living=lambda: len(node.others) + 1,
        )
        self.counters = self.bus.counters
        self.spreader = BusSpreader(hub, self.bus)
        self._inbox = Inbox(nodes, self.counters, stale=lambda: node.freshness.stale)
        nodes.on_published(self.spreader.begin)
        node.peers.bus = self.spreader
        self._looking: asyncio.Task[None] | None = None

    def published(self, changes: Sequence[Change]) -> None:
        """A subscriber of the store, to be called after the publisher."""
        self.spreader.flush()
        self._inbox.published(changes)

    async def open(self, hand_out: HandOut) -> None:
        """Connects, or begins to try. Events from others go to `hand_out`. Raises: `Sentinel`."""
        self._inbox.hand_out = hand_out
        await self.bus.open()

    async def close(self) -> None:
        await self.bus.close()
        self._inbox.stop()
        if self._looking is not None:
            self._looking.cancel()

    def _heard(self, frame: Frame) -> None:
        """Takes a frame of a node that lives. One that started a moment ago is not known yet, and one that is gone
        publishes nothing: somebody may have recorded what it did."""
        if frame.incarnation not in self._node.others:
            self._look()
            return
        if frame.messages:
            self._inbox.take(frame.messages)
        for topic, number, value in frame.topics:
            self._node.peers.heard(frame.incarnation, topic, number, loads(value))
        if frame.look:
            self._look()

    def _look(self) -> None:
        """Looks at the others now, and not in a quarter of a second."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_once())

    async def _look_once(self) -> None:
        try:
            await self._node.freshness.look()
        except Unavailable:
            return  # there is a look every quarter of a second as well
