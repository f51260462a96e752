"""Removes sessions from the store some time after they are over."""

import asyncio

import structlog

from handlers.live.clock import Clock, Timer
from storage.errors import Unavailable
from storage.ports import Sessions

log = structlog.get_logger("vestnik")

FIRST_AFTER_S = 600.0
"""A clock that was wrong when the machine started is right by then, so no session is taken for one that is over."""

AGAIN_AFTER_S = 3600.0

STEP_SESSIONS = 200
"""How many sessions one write checks. Other writes wait for it, for a fraction of a millisecond."""

PAUSE_S = 1.0
"""The time between two such writes: a pass over a million sessions takes an hour and a half."""


class SessionSweep:
    """Goes over all sessions in small steps, again and again. `keep_s` is how long a session is remembered after its
    refresh token has expired: as long as the last access token of the session may be good."""

    def __init__(self, sessions: Sessions, clock: Clock, *, keep_s: float) -> None:
        self._sessions = sessions
        self._clock = clock
        self._keep_s = keep_s
        self._after = ""
        self._timer: Timer | None = None
        self._step: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._timer = self._clock.call_later(FIRST_AFTER_S, self._begin)

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._step is not None:
            self._step.cancel()
            await asyncio.wait((self._step,))

    def _begin(self) -> None:
        self._step = asyncio.ensure_future(self._sweep_some())

    async def _sweep_some(self) -> None:
        try:
            after = await self._sessions.sweep(
                after=self._after, limit=STEP_SESSIONS, now=self._clock.now(), keep_s=self._keep_s
            )
        except Unavailable:
            after = None  # commands that need the store report it
        except Exception:
            log.exception("removing old sessions failed")
            after = None
        self._after = after or ""
        self._timer = self._clock.call_later(AGAIN_AFTER_S if after is None else PAUSE_S, self._begin)
