"""Where the keys of an issuer come from: a file, or an address from which they are fetched again and again."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal, Protocol

import structlog

from handlers.issuer.keys import BadKeys, KeySet, PublicKey, read_key_set
from handlers.live.clock import Clock, Timer
from handlers.wire.endings import Ending, Refused

log = structlog.get_logger("vestnik")

FETCHED_EVERY_S = 600.0

FETCHED_AGAIN_S = 60.0
"""When the next fetch is after one that failed, and how often an unknown `kid` leads to one."""

WAITING_MAX = 1000
"""How many callers may wait for a fetch."""

Fetch = Callable[[], Awaitable[bytes]]
"""Gets the JWK set as the issuer has it now, within a few seconds. Raises: `FetchFailed`."""


Outcome = Literal["ok", "failed"]


class FetchFailed(Exception):
    """There was no answer that could be a JWK set. The text says why, in half a sentence."""


class KeySource(Protocol):
    """The keys that are good now."""

    def find(self, kid: str | None, algorithm: str) -> Sequence[PublicKey]:
        """The keys that may have signed a token with this header. Cheap."""

    async def look_for(self, kid: str | None) -> None:
        """To be awaited where `find` found nothing: asks the issuer, if that may help. Raises: `Refused` (OVERLOADED)
        if no keys are known at all, and so no token can be judged."""

    @property
    def fetches(self) -> Mapping[Outcome, int]:
        """How many fetches there were since the start; empty where nothing is fetched."""


class FixedKeys:
    """Keys that stay until the server starts again."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def find(self, kid: str | None, algorithm: str) -> Sequence[PublicKey]:
        return self._keys.find(kid, algorithm)

    async def look_for(self, _kid: str | None) -> None:
        return None

    @property
    def fetches(self) -> Mapping[Outcome, int]:
        return {}


class FetchedKeys:
    """Keys that are fetched at the start, every `FETCHED_EVERY_S`, and for an unknown `kid`. A fetch that fails changes
    nothing."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: KeySet | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._timer: Timer | None = None
        self._asked_at_s = -FETCHED_AGAIN_S
        """When an unknown `kid` led to a fetch, by the monotonic clock."""
        self._waiting = 0
        self._is_failing = False
        self.fetches: dict[Outcome, int] = {"ok": 0, "failed": 0}

    def find(self, kid: str | None, algorithm: str) -> Sequence[PublicKey]:
        return () if self._keys is None else self._keys.find(kid, algorithm)

    async def look_for(self, kid: str | None) -> None:
        while not self._knows(kid):
            if self._fetching is None and not self._may_ask():
                break
            await self._wait()
        if self._keys is None:
            raise _no_keys()

    def start(self) -> None:
        self._begin()

    async def close(self) -> None:
        self._asked_at_s = math.inf  # no token leads to a fetch any more
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait((self._fetching,))
        if self._timer is not None:
            self._timer.cancel()

    def _knows(self, kid: str | None) -> bool:
        return self._keys is not None and self._keys.knows(kid)

    def _may_ask(self) -> bool:
        """Whether an unknown `kid` may lead to a fetch now; then the next one may in a minute."""
        now_s = self._clock.monotonic()
        if now_s - self._asked_at_s < FETCHED_AGAIN_S:
            return False
        self._asked_at_s = now_s
        return True

    async def _wait(self) -> None:
        """Returns after a fetch, which is that of all who wait. Raises: `Refused` if too many do."""
        if self._waiting >= WAITING_MAX:
            raise Refused("unavailable", Ending.OVERLOADED, "too many tokens of unknown keys wait")
        self._waiting += 1
        try:
            await asyncio.wait((self._fetching or self._begin(),))
        finally:
            self._waiting -= 1

    def _begin(self) -> asyncio.Task[None]:
        """Begins a fetch, unless one is under way."""
        if self._fetching is None:
            if self._timer is not None:
                self._timer.cancel()
            self._fetching = asyncio.create_task(self._fetch_once())
            self._fetching.add_done_callback(self._ended)
        return self._fetching

    def _ended(self, fetching: asyncio.Task[None]) -> None:
        self._fetching = None
        if not fetching.cancelled():
            again_s = FETCHED_AGAIN_S if self._is_failing else FETCHED_EVERY_S
            self._timer = self._clock.call_later(again_s, self.start)

    async def _fetch_once(self) -> None:
        try:
            # In a thread: a hundred keys take 10 ms.
            self._take(await asyncio.to_thread(read_key_set, await self._fetch()))
        except (FetchFailed, BadKeys) as error:
            self._fail(str(error))
        except Exception as error:
            self._fail(f"unforeseen: {type(error).__name__}")
            log.exception("the key set could not be fetched")

    def _take(self, keys: KeySet) -> None:
        self.fetches["ok"] += 1
        before = frozenset() if self._keys is None else self._keys.kids
        if self._keys is None or self._is_failing or keys.kids != before:
            log.info(
                "the key set of JWKS_URL is known",
                keys=len(keys),
                new=len(keys.kids - before),
                gone=len(before - keys.kids),
            )
            if not len(keys):
                log.warning("the key set of JWKS_URL has no key that signs tokens: all of them are refused")
        self._keys = keys
        self._is_failing = False

    def _fail(self, reason: str) -> None:
        self.fetches["failed"] += 1
        if not self._is_failing:
            meanwhile = "the keys that are known stay in use"
            if self._keys is None:
                meanwhile = "until it is, nobody comes in with a token of its issuer"
            log.warning(
                f"the key set of JWKS_URL cannot be fetched; {meanwhile}; it is tried again every minute",
                reason=reason,
            )
        self._is_failing = True


def _no_keys() -> Refused:
    return Refused("unavailable", Ending.OVERLOADED, "the keys of such tokens are not known yet; try again")
