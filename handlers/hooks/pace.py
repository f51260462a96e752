"""How many requests to receivers are sent in a second."""

import asyncio

BURST_S = 0.5
"""So much of a second's requests may go out at once."""


class Pace:
    """Holds up those who are about to send while more than `per_s` requests a second go out; 0: never. By the clock of
    the loop, as it is this process that is spared."""

    def __init__(self, per_s: float) -> None:
        self._each_s = 1 / per_s if per_s else 0.0
        self._paid_until = 0.0
        """When what was sent has been paid for."""

    def spend(self) -> None:
        """Called for each request."""
        now = asyncio.get_running_loop().time()
        self._paid_until = max(self._paid_until, now - BURST_S) + self._each_s

    async def wait(self) -> None:
        """Returns when another request may go out. Of those who wait together all may go, and the next wait longer."""
        wait_s = self._paid_until - asyncio.get_running_loop().time()
        if self._each_s and wait_s > 0:
            await asyncio.sleep(wait_s)
