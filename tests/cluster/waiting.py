"""Waiting for what comes by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Value = TypeVar("Value")

LOOKS_EVERY_S = 0.02


async def until(look: Callable[[], Awaitable[Value]], within_s: float = 10.0) -> Value:
    """The first true value that `look` returns. Raises: `AssertionError` with the last value if none comes in time."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not (value := await look()):
        assert asyncio.get_running_loop().time() < deadline, f"{value!r} after {within_s} s"
        await asyncio.sleep(LOOKS_EVERY_S)
    return value
