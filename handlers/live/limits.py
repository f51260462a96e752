"""Rate limits: token buckets in memory, one for each name and key.

A bucket holds `burst` tokens and regains `per_s` of them each second. It is written here and not taken from a library
because every message takes a token: that has to be exact, cost about a microsecond, and never suspend.
"""

import math
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Literal

from domain.frozen import frozen
from handlers.live.clock import Clock
from handlers.policy import Policy
from handlers.wire.errors import ChatError

Limit = Literal[
    "messages",
    "joins",
    "typing",
    "status",
    "changes",
    "marks",
    "queries",
    "name_changes",
    "login_failures",
    "auth_calls",
]

RECIPIENTS_PER_TOKEN = 200
"""A command that sends events to others costs one token more for each 200 of them."""

NEW_MEMBERS_PER_TOKEN = 20
"""A new chat costs one token for each 20 members: each member is stored and kept in memory."""

SWEEP_EVERY_S = 60.0
SWEEP_SPARE = 10_000
"""With more buckets than twice the number that the last sweep left, and these, the next sweep comes early."""
_ROUNDING = 1e-6


def network_of(address: str) -> str:
    """What limits by address count: an IPv4 address, or the /64 of an IPv6 address, all of which mostly belongs to one
    client."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Network((int(parsed), 64), strict=False)) if isinstance(parsed, IPv6Address) else address


@frozen
class Rate:
    """`per_s` 0 means no limit."""

    per_s: float
    burst: float


def _per_minute(times: float) -> Rate:
    return Rate(times / 60, max(1, times))


def _per_hour(times: float) -> Rate:
    return Rate(times / 3600, max(1, times))


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


def _wait_ms(bucket: _Bucket, rate: Rate) -> int:
    """How long until there is a token; rounded up, so that a client who waits exactly that long is not refused
    again."""
    return max(1, math.ceil((1 - bucket.tokens) / rate.per_s * 1000 - _ROUNDING))


def _too_many(retry_after_ms: int) -> ChatError:
    return ChatError("rate_limited", "too many, too fast", retry_after_ms=retry_after_ms)


class Limiter:
    """Counts against the limits of a policy.

    A command takes one token before it runs. What it costs beyond that is known later, and is spent without refusing
    the command: the bucket may then be in debt, and the next command is refused until the debt is paid.
    """

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._clock = clock
        self._rates: dict[Limit, Rate] = {
            "messages": Rate(policy.messages_per_s, policy.messages_burst),
            "joins": Rate(policy.joins_per_s, policy.joins_burst),
            "typing": Rate(policy.typing_per_s, max(1, policy.typing_per_s)),
            "status": Rate(policy.status_per_s, max(1, policy.status_per_s)),
            "changes": Rate(policy.changes_per_s, policy.changes_burst),
            "marks": Rate(policy.marks_per_s, policy.marks_burst),
            "queries": Rate(policy.queries_per_s, policy.queries_burst),
            "name_changes": _per_hour(policy.name_changes_per_h),
            "login_failures": _per_minute(policy.login_failures_per_min),
            "auth_calls": _per_minute(policy.auth_calls_per_min),
        }
        self._buckets: dict[tuple[Limit, object], _Bucket] = {}
        self._swept_at = 0.0
        self._sweep_above = SWEEP_SPARE

    def take(self, limit: Limit, key: object) -> int:
        """Takes one token and returns 0; without a token, takes none and returns in how many ms there will be one."""
        rate = self._rates[limit]
        if not rate.per_s:
            return 0
        bucket = self._bucket(limit, key, rate)
        if bucket.tokens < 1 - _ROUNDING:
            return _wait_ms(bucket, rate)
        bucket.tokens = max(0.0, bucket.tokens - 1)
        return 0

    def spend(self, limit: Limit, key: object, tokens: float) -> None:
        """Takes tokens, even if they are not there."""
        rate = self._rates[limit]
        if rate.per_s and tokens:
            self._bucket(limit, key, rate).tokens -= tokens

    def peek(self, limit: Limit, key: object) -> None:
        """Takes nothing. Raises: `ChatError` `rate_limited` if there is no token."""
        rate = self._rates[limit]
        bucket = self._bucket(limit, key, rate) if (limit, key) in self._buckets else None
        if bucket is not None and bucket.tokens < 1 - _ROUNDING:
            raise _too_many(_wait_ms(bucket, rate))

    def _bucket(self, limit: Limit, key: object, rate: Rate) -> _Bucket:
        """The bucket, with the tokens that it has regained up to now."""
        now = self._clock.monotonic()
        bucket = self._buckets.get((limit, key))
        if bucket is None:
            self._sweep(now)
            bucket = self._buckets[limit, key] = _Bucket(rate.burst, now)
        bucket.tokens = min(rate.burst, bucket.tokens + (now - bucket.at) * rate.per_s)
        bucket.at = now
        return bucket

    def give_back(self, limit: Limit, key: object) -> None:
        """Puts a token back that was taken for something that does not count after all."""
        bucket = self._buckets.get((limit, key))
        if bucket is not None:
            bucket.tokens = min(self._rates[limit].burst, bucket.tokens + 1)

    def check(self, limit: Limit, key: object) -> None:
        """Takes one token. Raises: `ChatError` `rate_limited` if there is none."""
        rate = self._rates[limit]
        if not rate.per_s:
            return
        bucket = self._bucket(limit, key, rate)
        if bucket.tokens < 1 - _ROUNDING:
            raise _too_many(_wait_ms(bucket, rate))
        bucket.tokens = max(0.0, bucket.tokens - 1)

    def _sweep(self, now: float) -> None:
        """Drops full buckets from time to time, so that memory is used for active clients only."""
        if now - self._swept_at < SWEEP_EVERY_S and len(self._buckets) < self._sweep_above:
            return
        self._swept_at = now
        full = [
            key
            for key, bucket in self._buckets.items()
            if bucket.tokens + (now - bucket.at) * self._rates[key[0]].per_s >= self._rates[key[0]].burst
        ]
        for key in full:
            del self._buckets[key]
        self._sweep_above = 2 * len(self._buckets) + SWEEP_SPARE
