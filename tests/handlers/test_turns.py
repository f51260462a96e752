"""Turns go round, whoever asks how often."""

import asyncio

from handlers.turns import Turns


class Line:
    """Those who wait for a turn, and the order in which they got it."""

    def __init__(self, at_once: int) -> None:
        self.turns = Turns(at_once)
        self.served: list[str] = []
        self.inside = self.most_inside = 0

    async def wait(self, name: str) -> None:
        async with self.turns.of(name[0]):
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
            self.served.append(name)
            await asyncio.sleep(0)
            self.inside -= 1


async def test_who_asks_often_waits_for_those_who_ask_once() -> None:
    line = Line(1)
    await asyncio.gather(*map(line.wait, ["a1", "a2", "a3", "a4", "b1", "c1", "b2"]))
    assert line.served == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


async def test_no_more_are_inside_than_may_be() -> None:
    line = Line(3)
    await asyncio.gather(*(line.wait(f"{key}{number}") for number in range(20) for key in "abc"))
    assert line.most_inside == 3
    assert len(line.served) == 60
    await asyncio.wait_for(line.wait("a"), 1)


async def test_who_gives_up_is_passed_over_and_a_turn_he_has_just_got_is_not_lost() -> None:
    line = Line(1)
    async with line.turns.of("x"):
        waiting = [asyncio.ensure_future(line.wait(name)) for name in ("a1", "b1", "c1")]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    waiting[1].cancel()  # in the turn in which it is let in
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [
        asyncio.CancelledError,
        asyncio.CancelledError,
        type(None),
    ]
    assert line.served == ["c1"]
    await asyncio.wait_for(line.wait("d1"), 1)
