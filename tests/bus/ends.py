"""Two nodes' ends of one bus, without the nodes."""

import asyncio
from collections.abc import Callable

from server.nodes.bus import Bus
from server.nodes.bus_frames import Frame
from tests.cluster.waiting import until
from tests.patience import within

KEY = "the secret key of both ends, 32 bytes or more"


class End:
    """A bus and what it has heard."""

    def __init__(
        self, url: str, name: str = "a", channel: str = "test", living: int = 1, key: str = KEY
    ) -> None:
        self.frames: list[Frame] = []
        self.misses = 0
        self.living = living
        self.bus = Bus(
            url, channel, name, key, heard=self.frames.append, missed=self._missed, living=lambda: self.living
        )
        self.counters = self.bus.counters

    def _missed(self) -> None:
        self.misses += 1

    @property
    def hints(self) -> list[int]:
        """The hints of the frames that were heard, but for canaries."""
        return [frame.hint for frame in self.frames if frame.hint]

    async def is_up(self) -> bool:
        return self.bus.is_up

    async def up(self, within_s: float = 10.0) -> None:
        await until(self.is_up, within_s)

    async def down(self) -> None:
        await self.waits(lambda: not self.bus.is_up)

    async def waits(self, condition: Callable[[], bool]) -> None:
        async def look() -> bool:
            return condition()

        await until(look)


async def reach(sender: End, hearer: End) -> None:
    """Returns when `hearer` hears what `sender` publishes."""
    async with within(10):
        known = len(hearer.frames)
        while not any(frame.hint == 999 for frame in hearer.frames[known:]):
            sender.bus.publish(999)
            await asyncio.sleep(0.02)
