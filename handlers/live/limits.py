"""Rate limits: token buckets in memory, one for each name and key.

A bucket holds `burst` tokens and regains `per_s` of them each second. It is written here and not taken from a library
because every message takes a token: that has to be exact, cost about a microsecond, and never suspend.
"""

import math
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Literal, get_args

from domain.frozen import frozen
from handlers.live.clock import Clock
from handlers.policy import Policy
from handlers.wire.errors import ChatError

Limit = Literal[
    "messages",
    "joins",
    "typing",
    "streams",
    "status",
    "changes",
    "marks",
    "queries",
    "searches",
    "uploads",
    "name_changes",
    "login_failures",
    "auth_calls",
    "hook_messages",
    "hook_misses",
]
"""The names of all limits; the rate of each is in the policy, see `rate_of`."""

RECIPIENTS_PER_TOKEN = 200
"""A command that sends events to others costs one token more for each 200 of them."""

NEW_MEMBERS_PER_TOKEN = 20
"""A new chat costs one token for each 20 members: each member is stored and kept in memory."""

SWEEP_EVERY_S = 60.0
SWEEP_SPARE = 10_000
"""With more buckets than twice the number that the last sweep left, and these, the next sweep comes early."""
_ROUNDING = 1e-6

_UNITS_S = {"s": 1, "min": 60, "h": 3600}


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


def rate_of(policy: Policy, limit: str) -> Rate:
    """The rate that a policy has for a limit: its field `<limit>_per_s`, `…_per_min` or `…_per_h`, with the burst
    `<limit>_burst`. Without such a field, the burst is the number of the rate, at least 1.

    Raises: `ValueError` for a limit of which the policy has no rate.
    """
    for unit, seconds in _UNITS_S.items():
        times: float | None = getattr(policy, f"{limit}_per_{unit}", None)
        if times is not None:
            return Rate(times / seconds, getattr(policy, f"{limit}_burst", max(1, times)))
    raise ValueError(f"the policy (handlers/policy.py) has no rate for the limit {limit!r}")


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
        self._rates: dict[Limit, Rate] = {limit: rate_of(policy, limit) for limit in get_args(Limit)}
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

    def count(self, limit: Limit, key: object) -> None:
        """Takes a token for what another node has let through. The debt is never more than the burst, however many
        servers let it through at once."""
        rate = self._rates[limit]
        if rate.per_s:
            bucket = self._bucket(limit, key, rate)
            bucket.tokens = max(-rate.burst, bucket.tokens - 1)

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
