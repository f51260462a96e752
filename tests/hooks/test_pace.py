"""How many requests go out in a second."""

import asyncio
import time

from handlers.hooks.pace import BURST_S, Pace
from tests.patience import within


async def test_a_burst_goes_out_at_once_and_the_rest_in_time() -> None:
    pace, sent = Pace(1000), 0

    async def send() -> None:
        nonlocal sent
        while True:
            await pace.wait()
            pace.spend()
            sent += 1
            await asyncio.sleep(0)

    began = time.monotonic()
    senders = [asyncio.create_task(send()) for _ in range(20)]
    await asyncio.sleep(0.3)
    for sender in senders:
        sender.cancel()
    took_s = time.monotonic() - began
    assert 1000 * BURST_S - 1 <= sent <= 1000 * (BURST_S + took_s) + 20


async def test_without_a_limit_nobody_waits() -> None:
    pace = Pace(0)
    for _ in range(10_000):
        pace.spend()
    async with within(0.5):
        await pace.wait()
