"""An answer that is shown while it grows."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable

SHOW_EVERY_S = 0.25
"""The server passes on a stream every 200 ms, and ignores more than 20 calls a second of a user."""

KEEP_EVERY_S = 5.0
"""The server ends a stream after 15 s without a call."""


class Growing:
    """Shows the text so far, by `show`, while chunks arrive. What is longer than `longest` characters is cut: nobody
    knows beforehand how much a model has to say, and the server takes no more."""

    def __init__(self, show: Callable[[str], Awaitable[None]], longest: int) -> None:
        self._show = show
        self._longest = longest
        self._text = ""
        self._changed = asyncio.Event()

    async def collect(self, chunks: AsyncIterable[str]) -> str:
        """The text of all chunks, at most `longest` characters of it."""
        task = asyncio.create_task(self._keep_showing())
        try:
            async for chunk in chunks:
                self._text += chunk
                self._changed.set()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return self._cut()

    def _cut(self) -> str:
        return self._text if len(self._text) <= self._longest else self._text[: self._longest - 1] + "…"

    async def _keep_showing(self) -> None:
        while True:
            try:
                async with asyncio.timeout(KEEP_EVERY_S):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            await self._show(self._cut())
            await asyncio.sleep(SHOW_EVERY_S)
