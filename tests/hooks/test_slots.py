"""Who gets a place for a request."""

import asyncio

from handlers.hooks.slots import FAILING_MAX, HEALTHY_MAX, OF_MAKER_MAX, Slots


class Holders:
    """Tasks that hold a place until they are cancelled."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self.holding: list[int] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, maker_id: int, count: int, *, failing: bool = False) -> None:
        for _ in range(count):
            self.tasks.append(asyncio.create_task(self._hold(maker_id, failing)))
        for _ in range(5):
            await asyncio.sleep(0)

    async def _hold(self, maker_id: int, failing: bool) -> None:
        async with self._slots.of(maker_id, failing=failing):
            self.holding.append(maker_id)
            try:
                await asyncio.Event().wait()
            finally:
                self.holding.remove(maker_id)

    async def go(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_one_maker_has_few_places_and_leaves_the_others_theirs() -> None:
    slots = Slots()
    holders = Holders(slots)
    await holders.come(1, 500)
    assert holders.holding == [1] * OF_MAKER_MAX
    await holders.come(2, 1)
    assert holders.holding[-1] == 2
    await holders.go()
    assert holders.holding == []
    assert slots._of_maker == {}
    await holders.come(1, 1)
    assert holders.holding == [1]
    await holders.go()


async def test_hooks_that_fail_take_no_place_of_those_that_do_not() -> None:
    holders = Holders(Slots())
    for maker_id in range(100):
        await holders.come(maker_id, 5, failing=True)
    assert len(holders.holding) == FAILING_MAX
    await holders.come(0, 3)
    assert holders.holding[-3:] == [0] * 3
    for maker_id in range(100):
        await holders.come(maker_id, 5)
    assert len(holders.holding) == FAILING_MAX + HEALTHY_MAX
    await holders.go()
