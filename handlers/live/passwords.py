"""Password hashing with bcrypt: in threads, a few at a time, and fairly between networks."""

import asyncio
import os
import re
from concurrent.futures import ThreadPoolExecutor

import bcrypt

from handlers.live.fair_semaphore import FairSemaphore, Gone, never
from handlers.wire.errors import invalid

BCRYPT_BYTES_MAX = 72
"""bcrypt sees no more; 5.0 raises instead of cutting silently. 36 Cyrillic letters are 72 bytes."""

WAITING_MAX = 256
"""How many callers may wait for a hash. At the usual cost, on a small machine, the last of them waits for a minute."""

_NO_DIGEST = b"." * 31
"""After a salt: a hash of nothing that anybody could type."""

_BCRYPT = re.compile(r"\$2[abxy]\$(\d\d)\$.{53}")


class Passwords:
    """Hashes and checks passwords at a cost (4 to 31: the work doubles with each step).

    Every failed check does the same work, that of the highest cost in use, whatever cost the hash has and whether there
    is a hash at all. So the time of a check does not tell which names exist, not even after a change of the cost.
    `costliest_hash` is a hash of the highest cost that the store has.

    `turn_of` is the key under which a call waits, mostly a network: see `FairSemaphore`. `gone` says that the caller
    has gone; then nothing is hashed.
    """

    def __init__(self, cost: int, *, costliest_hash: str = "") -> None:
        self._cost = cost
        self.highest_cost = max(cost, cost_of(costliest_hash) or 0)
        # bcrypt releases the GIL, so a worker takes a core; one core is left to the event loop.
        workers = max(1, (os.cpu_count() or 2) - 1)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="bcrypt")
        self._turns = FairSemaphore(workers, waiting_max=WAITING_MAX)

    async def hash(self, password: str, *, turn_of: str = "", gone: Gone = never) -> str:
        """A new hash. Raises: `ChatError` `unavailable` if too many wait, `bad_request` if the caller has gone."""
        salt = bcrypt.gensalt(self._cost)
        loop = asyncio.get_running_loop()
        async with self._turns.of(turn_of, gone=gone):
            hashed = await loop.run_in_executor(self._pool, bcrypt.hashpw, password.encode(), salt)
        return hashed.decode()

    async def match(
        self, password: str, password_hash: str | None, *, turn_of: str = "", gone: Gone = never
    ) -> bool:
        """Whether the password belongs to the hash; the hash None takes as long as any other and never matches.

        Raises: `ChatError`, as `hash` does.
        """
        cost = cost_of(password_hash or "")
        self.highest_cost = max(self.highest_cost, cost or 0)
        raw = password.encode()
        loop = asyncio.get_running_loop()
        async with self._turns.of(turn_of, gone=gone):
            right = await loop.run_in_executor(
                self._pool, _check, raw[:BCRYPT_BYTES_MAX], password_hash or "", cost, self.highest_cost
            )
        return right and len(raw) <= BCRYPT_BYTES_MAX

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made at another cost than new hashes are."""
        return cost_of(password_hash) != self._cost

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def cost_of(password_hash: str) -> int | None:
    """The cost of a hash; None for text that is no hash of bcrypt."""
    found = _BCRYPT.fullmatch(password_hash)
    return int(found[1]) if found else None


def _check(raw: bytes, password_hash: str, cost: int | None, highest_cost: int) -> bool:
    """Checks a password, in a thread. If it is wrong, the work is that of the highest cost:
    2^c + 2^c + 2^(c+1) + … + 2^(highest - 1) = 2^highest."""
    if cost is None:
        bcrypt.checkpw(raw, bcrypt.gensalt(highest_cost) + _NO_DIGEST)
        return False
    if bcrypt.checkpw(raw, password_hash.encode()):
        return True
    for missing in range(cost, highest_cost):
        bcrypt.hashpw(raw, bcrypt.gensalt(missing))
    return False


def password_fault(password: str, least_chars: int) -> str | None:
    """What is wrong with a password that is too short, or too long for bcrypt; None if nothing."""
    if len(password) < least_chars:
        return f"must be at least {least_chars} characters"
    if len(password.encode()) > BCRYPT_BYTES_MAX:
        return f"must be at most {BCRYPT_BYTES_MAX} bytes in UTF-8"
    return None


def check_password(password: str, least_chars: int) -> None:
    """Raises: `ChatError` `invalid`, with what `password_fault` says."""
    fault = password_fault(password, least_chars)
    if fault is not None:
        raise invalid(password=fault)
