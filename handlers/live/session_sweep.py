"""Sessions that are over are removed some time later, so that the store holds those of today and not of all years."""

import asyncio

import structlog

from handlers.live.clock import Clock, Timer
from storage.errors import Unavailable
from storage.ports import Sessions

log = structlog.get_logger("vestnik")

FIRST_AFTER_S = 600.0
"""A clock that was wrong at the start of the machine is right by then: what it calls over, is."""

AGAIN_AFTER_S = 3600.0

STEP_SESSIONS = 200
"""So many are looked at in one write: a fraction of a millisecond, in which others wait."""

PAUSE_S = 1.0
"""Between two such writes: a pass over a million sessions takes an hour and a half, and nobody notices it."""


class SessionSweep:
    """Goes over all sessions, little by little, again and again. `keep_s`: how long an access token may outlive the
    refresh token it was given out with; so long a session is still remembered."""

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
        self._step = asyncio.ensure_future(self._look())

    async def _look(self) -> None:
        try:
            after = await self._sessions.sweep(
                after=self._after, limit=STEP_SESSIONS, now=self._clock.now(), keep_s=self._keep_s
            )
        except Unavailable:
            after = None  # whoever needs the store says so
        except Exception:
            log.exception("removing old sessions failed")
            after = None
        self._after = after or ""
        self._timer = self._clock.call_later(AGAIN_AFTER_S if after is None else PAUSE_S, self._begin)
