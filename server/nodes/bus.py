"""The bus: one channel of a Redis server, over which each node receives at once what the others publish.

Frames may be lost, and nothing waits for them: the store's hints name the same changes within a quarter of a second.
So the bus promises only that it blocks nothing, and that it notices when it receives nothing.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from server.nodes.bus_census import Census
from server.nodes.bus_connections import Connections, Deaf, Sentinel, is_refusal, reason_of
from server.nodes.bus_counters import BusCounters
from server.nodes.bus_ears import Ears
from server.nodes.bus_frames import PARTS, Frame, pack
from server.nodes.bus_seal import Seal
from server.redis_url import place_of

log = structlog.get_logger("vestnik")

CANARY_S = 0.5
"""A node that publishes nothing for this long publishes an empty frame, to find out whether it receives its own
frames."""

PAUSE_S = (0.25, 1.0)
"""Between two attempts to connect: a random time, so that not all nodes come at once."""

QUEUE_BYTES_MAX = 4 * 1024 * 1024

JOINED_BYTES_MAX = 256 * 1024
"""How much is published together."""

CLOSE_S = 0.5
"""How long a node that closes waits for Redis to take what is queued."""


class Bus:
    """Publishes the frames of this node, signed with a key made of `secret_key`, and hands the frames of others to
    `heard`, if their signature is good.

    `missed` is called when frames of others were lost, or may have been: after each connect too. `living` says how
    many nodes live, this one among them.
    """

    def __init__(
        self,
        url: str,
        channel: str,
        incarnation: str,
        secret_key: str,
        *,
        heard: Callable[[Frame], None],
        missed: Callable[[], None],
        living: Callable[[], int],
    ) -> None:
        self.counters = BusCounters()
        self.is_up = False
        """Whether frames are sent now; `publish` drops them while this is False."""
        self._url = url
        self._place = place_of(url)
        self._channel = channel
        self._incarnation = incarnation
        self._missed = missed
        self._seal = Seal(secret_key, channel)
        self._ears = Ears(incarnation, self._seal, self.counters, heard, missed)
        self._census = Census(self._place, self.counters, living)
        self._number = 0
        self._queue: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._task: asyncio.Task[None] | None = None
        self._is_overflow_told = False

    # --- sending -------------------------------------------------------------------------------------------------

    def publish(
        self, hint: int, look: bool = False, messages: Sequence[bytes] = (), topics: Sequence[bytes] = ()
    ) -> None:
        """Queues a frame; see `bus_frames.pack`. Does not suspend. A frame that is dropped takes a number all the
        same, so that the others see that they lack it."""
        self._number += 1
        counters = self.counters
        if not self.is_up:
            counters.frames_dropped += 1
            return
        frame = pack(self._incarnation, self._number, hint, look, messages, topics)
        if counters.queued_bytes + len(frame) > QUEUE_BYTES_MAX:
            self._overflow()
            return
        self._queue.append(frame)
        counters.queued_bytes += len(frame)
        counters.messages_sent += len(messages) // PARTS
        self._ears.expect(self._number)
        self._drained.clear()
        self._wake.set()

    async def drained(self) -> None:
        """Returns when Redis has taken what was published, or the bus is away."""
        await self._drained.wait()

    def _overflow(self) -> None:
        self.counters.frames_dropped += 1
        if not self._is_overflow_told:
            self._is_overflow_told = True
            log.warning(
                "Redis takes less than is published; others hear of the rest at their next look",
                redis=self._place,
                queued_bytes=self.counters.queued_bytes,
            )

    async def _send(self, connections: Connections) -> None:
        """Publishes what is queued, joined, one publish at a time. Raises: `bus_connections.FAILURES`."""
        counters = self.counters
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                frames = self._next_frames()
                data = self._seal.close(frames[0] if len(frames) == 1 else b"".join(frames))
                try:
                    hearers = await connections.publish(data)
                except BaseException:
                    counters.frames_dropped += len(frames)  # or perhaps Redis has them, and did not say so
                    raise
                counters.frames_sent += len(frames)
                counters.bytes_sent += len(data)
                if not connections.is_cluster:
                    self._census.count(hearers)
            self._drained.set()

    def _next_frames(self) -> Sequence[bytes]:
        frames = [self._queue.popleft()]
        size = len(frames[0])
        while self._queue and size + len(self._queue[0]) <= JOINED_BYTES_MAX:
            frames.append(self._queue.popleft())
            size += len(frames[-1])
        self.counters.queued_bytes -= size
        return frames

    # --- connecting ----------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Returns after the first attempt to connect; more of them follow if it fails. Raises: `Sentinel`."""
        tried: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(tried))
        await asyncio.wait([tried, self._task], return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            self._task.result()

    async def close(self) -> None:
        """Sends what is queued, if Redis takes it in time, and disconnects."""
        if self._task is None:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self.drained(), CLOSE_S)
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self, tried: asyncio.Future[None]) -> None:
        """Connects, again and again. `tried` is done after the first attempt. Raises: `Sentinel`, at the first one."""
        while True:
            connections = Connections(self._url, self._channel)
            try:
                await connections.open()
                self._up()
                if not tried.done():
                    tried.set_result(None)
                await self._serve(connections)
            except Sentinel as error:
                if not tried.done():
                    raise
                self._down(error)
            except Exception as error:  # whatever is at the URL, and whatever it answers
                self._down(error)
            finally:
                self.is_up = False
                await connections.close()
            if not tried.done():
                tried.set_result(None)
            await asyncio.sleep(random.uniform(*PAUSE_S))

    async def _serve(self, connections: Connections) -> None:
        """Does not return. Raises: `bus_connections.FAILURES`."""
        tasks = [
            asyncio.ensure_future(work)
            for work in (self._send(connections), self._ears.listen(connections), self._watch())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        """Raises: `Deaf`."""
        while True:
            number = self._number
            await asyncio.sleep(CANARY_S)
            if self._ears.are_deaf:
                raise Deaf
            if number == self._number:
                self.publish(0)

    def _up(self) -> None:
        self.is_up = True
        self.counters.state = "ok"
        self.counters.connects += 1
        self._is_overflow_told = False
        self._ears.begin()
        self._census.begin()
        log.info("the bus is connected", redis=self._place)
        self._missed()

    def _down(self, error: BaseException) -> None:
        counters, before = self.counters, self.counters.state
        self.is_up = False
        counters.state = "refused" if is_refusal(error) else "away"
        counters.failures += 1
        counters.frames_dropped += len(self._queue)
        counters.queued_bytes = 0
        self._queue.clear()
        self._drained.set()
        if counters.state != before or counters.failures == 1:
            log.warning(
                "the bus is away: others hear of changes at their next look",
                redis=self._place,
                reason=reason_of(error),
            )
