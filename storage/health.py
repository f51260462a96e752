"""Whether the writes of a store work: what failed and since when, and the probe that finds out that they work again."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import get_args

import structlog

from storage.errors import Trouble, Unavailable
from storage.histogram import Histogram

log = structlog.get_logger("vestnik")

PROOF_S = 1.0
"""For how long a write that worked proves that writes work. `check` makes no more probes than one in this time."""

PROBE_TIMEOUT_S = 5.0
"""A probe that takes longer means that the store does not serve."""

PAUSE_S = 1.0
"""Between two probes of a store that fails."""

PAUSE_MAX_S = 5.0
RELAPSE_S = 10.0
"""A store that fails again within this time is probed after a pause twice as long as before, up to `PAUSE_MAX_S`."""

READ_LINES_EVERY_S = 60.0
"""A read that fails is logged at most once in this time."""

COMMIT_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
BATCH_ITEMS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)

_NOT_THE_STORE: frozenset[Trouble] = frozenset({"contested", "newer", "closed"})


class StoreHealth:
    """Counts the writes that fail, and logs one line when they begin to fail and one when they work again.

    A store that fails is probed until `probe`, a small real write, succeeds; so it serves again without anybody
    writing. A write of a user that succeeds meanwhile does not count: on a full disk small writes may go on while
    others fail. `probe` raises `Unavailable`. All methods are for the event loop.

    For metrics, plain numbers: `failed_writes` by trouble, `failed_reads`, `failures` (how often the store began to
    fail), `failing_since` (Unix time in seconds, None while it serves); and `last_trouble`, None before the first.
    `commit_s` has the seconds that each batch of writes took, whether it failed or not; `batch_items` its items.
    """

    def __init__(self, probe: Callable[[], Awaitable[None]]) -> None:
        self.failed_writes: Counter[Trouble] = Counter(dict.fromkeys(get_args(Trouble), 0))
        self.failed_reads = 0
        self.failures = 0
        self.failing_since: int | None = None
        self.last_trouble: Trouble | None = None
        self.commit_s = Histogram(COMMIT_S)
        self.batch_items = Histogram(BATCH_ITEMS)
        self._probe = probe
        self._error: Unavailable | None = None  # while it fails: why
        self._named: set[Trouble] = set()  # the troubles that are logged, since it began to fail
        self._began_s = 0.0
        self._ended_s = float("-inf")
        self._proved_s = float("-inf")
        self._refused = 0
        self._failed_calls = 0
        self._pause_s = PAUSE_S
        self._read_logged_s = float("-inf")
        self._recovery: asyncio.Task[None] | None = None
        self._check: asyncio.Task[Unavailable | None] | None = None
        self._closed = False

    @property
    def failing(self) -> bool:
        return self._error is not None

    def saw(self, outcomes: Sequence[object], *, changed: bool) -> None:
        """Takes note of a batch of writes: what came of each, and whether any of them changed the store."""
        errors = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
        if errors:
            self.failed(errors[-1], len(errors))
        elif changed:
            self._proved_s = time.monotonic()

    def timed(self, items: int, seconds: float) -> None:
        """Takes note of how long a batch of writes took."""
        self.commit_s.observe(seconds)
        self.batch_items.observe(items)

    def failed(self, error: Unavailable, writes: int = 0) -> None:
        """Takes note of an error of the store. `writes`: how many user writes failed with it; 0 for a failed probe, or
        for a database file that is gone."""
        trouble = error.trouble
        if writes:
            self.failed_writes[trouble] += writes
        if trouble in _NOT_THE_STORE or self._closed:
            return
        self.last_trouble = trouble
        self._failed_calls += 1
        self._proved_s = float("-inf")
        if self._error is None:
            self._begin()
        self._error = error
        self._refused += writes
        if trouble not in self._named:
            self._named.add(trouble)
            log.error("the store fails", trouble=trouble, reason=str(error))

    def read_failed(self, error: Unavailable) -> None:
        """A read failed in a way that says nothing of writes."""
        if error.trouble in _NOT_THE_STORE or self._closed:
            return
        self.failed_reads += 1
        now_s = time.monotonic()
        if now_s - self._read_logged_s >= READ_LINES_EVERY_S:
            self._read_logged_s = now_s
            log.error(
                "a read of the store failed",
                trouble=error.trouble,
                reason=str(error),
                failed_reads=self.failed_reads,
            )

    async def check(self) -> None:
        """Returns if writes work: one did within `PROOF_S`, or does now. However many ask, one probe answers them.

        Raises: `Unavailable`.
        """
        if self._closed:
            raise Unavailable("the store is closed", "closed")
        if self._error is not None:
            raise self._error.again()
        if time.monotonic() - self._proved_s <= PROOF_S:
            return
        if self._check is None:
            self._check = asyncio.create_task(self._prove())
            self._check.add_done_callback(self._checked)
        error = await asyncio.shield(self._check)
        if error is not None:
            raise error.again()

    async def close(self) -> None:
        """Ends the probes. Closing twice is fine."""
        self._closed = True
        tasks = [task for task in (self._recovery, self._check) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _begin(self) -> None:
        now_s = time.monotonic()
        relapsed = now_s - self._ended_s < RELAPSE_S
        self._pause_s = min(self._pause_s * 2, PAUSE_MAX_S) if relapsed else PAUSE_S
        self.failures += 1
        self.failing_since = int(time.time())
        self._began_s = now_s
        self._refused = 0
        self._named.clear()
        self._recovery = asyncio.create_task(self._recover())

    async def _recover(self) -> None:
        while True:
            await asyncio.sleep(self._pause_s)
            failed_calls = self._failed_calls
            error = await self._probed()
            if error is not None:
                self.failed(error)
            elif failed_calls == self._failed_calls:  # nothing has failed since the probe began
                break
        self._error = None
        self.failing_since = None
        self._ended_s = self._proved_s = time.monotonic()
        log.warning(
            "the store serves again",
            failed_for_s=round(self._ended_s - self._began_s, 1),
            refused_writes=self._refused,
        )

    async def _prove(self) -> Unavailable | None:
        """What is wrong, None if writes work."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                error = await self._probed()
        except TimeoutError:
            error = Unavailable(f"a write has not ended within {PROBE_TIMEOUT_S:g} s", "slow")
        if error is None:
            self._proved_s = time.monotonic()
        else:
            self.failed(error)
        return error

    async def _probed(self) -> Unavailable | None:
        try:
            await self._probe()
        except Unavailable as error:
            return error
        except Exception as error:  # a probe that cannot even be made is no proof
            return Unavailable(f"the store cannot be probed: {type(error).__name__}", "failing")
        return None

    def _checked(self, _task: object) -> None:
        self._check = None
