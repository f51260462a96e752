"""The receiving end of the bus: frames of others, and this node's own, which show that it receives."""

import asyncio
from collections.abc import Callable

import structlog

from server.nodes.bus_connections import Connections
from server.nodes.bus_counters import BusCounters
from server.nodes.bus_frames import Frame, UnknownVersion, begins_with_own, unpack
from server.nodes.bus_seal import MAC_BYTES, Seal, Unsealed

log = structlog.get_logger("vestnik")

INCARNATIONS_MAX = 1000

DEAF_S = 2.0
"""How long a frame may take to come back to its sender when nothing else arrives."""

BEHIND_S = 10.0
"""How long it may take in any case."""


class Ears:
    """Hands frames of other nodes to `heard`, and calls `missed` where their numbers have a hole.

    Drops frames that no node with this key has signed, and frames that came before.
    """

    def __init__(
        self,
        incarnation: str,
        seal: Seal,
        counters: BusCounters,
        heard: Callable[[Frame], None],
        missed: Callable[[], None],
    ) -> None:
        self._incarnation = incarnation
        self._own_name = incarnation.encode()
        self._seal = seal
        self._counters = counters
        self._heard = heard
        self._missed = missed
        self._numbers: dict[str, int] = {}
        """By incarnation, the number of its last frame."""
        self._expected: tuple[int, float] | None = None
        """The own frame that is measured now, and when it was queued."""
        self._heard_s = 0.0
        """When the last frame arrived."""
        self._is_unreadable_told = False
        self._is_forged_told = False

    def begin(self) -> None:
        """A new connection: the own frame that is measured may be lost."""
        self._expected = None

    def expect(self, number: int) -> None:
        """This node publishes its frame `number`."""
        if self._expected is None:
            self._expected = number, asyncio.get_running_loop().time()

    @property
    def are_deaf(self) -> bool:
        """Whether the frame that is measured should have come back. While frames of others arrive, this node may
        only be behind."""
        if self._expected is None:
            return False
        now = asyncio.get_running_loop().time()
        waited_s = now - self._expected[1]
        return waited_s > BEHIND_S or (waited_s > DEAF_S and now - self._heard_s > DEAF_S / 2)

    async def listen(self, connections: Connections) -> None:
        """Receives what is published. Does not return. Raises: `bus_connections.FAILURES`."""
        while True:
            self.take(await connections.hear())

    def take(self, data: bytes) -> None:
        """Takes the frames that were published together. Does not raise."""
        self._heard_s = asyncio.get_running_loop().time()
        # What is published together is of one node. The signature of this one's own need not be checked: nothing is
        # taken from it but that it came.
        is_own = begins_with_own(data, MAC_BYTES, self._own_name)
        try:
            for frame in unpack(data[MAC_BYTES:] if is_own else self._seal.open(data), self._incarnation):
                if is_own:
                    self._own(frame)
                else:
                    self._take(frame)
        except Unsealed:
            self._forged()
        except ValueError as error:
            if is_own:  # this node's own can be read: somebody has made it up
                self._forged()
                return
            self._counters.frames_unreadable += 1
            self._missed()
            if not self._is_unreadable_told:
                self._is_unreadable_told = True
                newer = isinstance(error, UnknownVersion)
                log.warning("a frame of the bus cannot be read", newer_version=newer)
        if not is_own:
            self._counters.bytes_received += len(data)

    def _forged(self) -> None:
        """Nobody looks for that: who forges could otherwise keep all nodes looking."""
        self._counters.frames_forged += 1
        if not self._is_forged_told:
            self._is_forged_told = True
            log.warning("somebody without this SECRET_KEY publishes on the bus; it is ignored")

    def _own(self, frame: Frame) -> None:
        if (
            self._expected is not None
            and frame.incarnation == self._incarnation
            and frame.number >= self._expected[0]
        ):
            passed_s = asyncio.get_running_loop().time() - self._expected[1]
            self._counters.lag_us = int(passed_s * 1e6)
            self._expected = None

    def _take(self, frame: Frame) -> None:
        counters, last = self._counters, self._numbers.get(frame.incarnation)
        counters.frames_received += 1
        if last is None or frame.number != last + 1:
            if last is not None and frame.number <= last:  # it comes again, or its hole has been noticed
                counters.frames_late += 1
                return
            if last is not None:
                counters.frames_missed += frame.number - last - 1
            elif len(self._numbers) >= INCARNATIONS_MAX:
                self._numbers.clear()
            self._missed()
        self._numbers[frame.incarnation] = frame.number
        try:
            self._heard(frame)
        except Exception as error:
            log.error("a frame of the bus failed", exc_info=error)
