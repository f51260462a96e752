"""bcrypt, off the event loop and with a bound on how many hash at once."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import bcrypt

from handlers.errors import invalid
from handlers.turns import Turns

BCRYPT_BYTES_MAX = 72
"""bcrypt sees no more; 5.0 raises instead of cutting silently. 36 Cyrillic letters are 72 bytes."""


class Passwords:
    """Hashes and checks passwords at a cost (4 to 31: the work doubles with each step).

    `turn_of` is whose turn is taken for it, a network mostly: one that asks for hundreds delays another by one.
    """

    def __init__(self, cost: int) -> None:
        self._cost = cost
        # bcrypt releases the GIL; leave a core to the event loop.
        workers = max(1, (os.cpu_count() or 2) - 1)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="bcrypt")
        self._turns = Turns(workers)
        # Somebody who is not there has a password too, so that a wrong name takes as long as a wrong password.
        self._nobody = bcrypt.hashpw(b"nobody", bcrypt.gensalt(cost))

    async def hash(self, password: str, *, turn_of: str = "") -> str:
        salt = bcrypt.gensalt(self._cost)
        loop = asyncio.get_running_loop()
        async with self._turns.of(turn_of):
            hashed = await loop.run_in_executor(self._pool, bcrypt.hashpw, password.encode(), salt)
        return hashed.decode()

    async def match(self, password: str, password_hash: str | None, *, turn_of: str = "") -> bool:
        """Whether the password belongs to the hash; `None` takes as long as any and never matches."""
        hashed = self._nobody if password_hash is None else password_hash.encode()
        raw = password.encode()
        loop = asyncio.get_running_loop()
        async with self._turns.of(turn_of):
            right = await loop.run_in_executor(self._pool, bcrypt.checkpw, raw[:BCRYPT_BYTES_MAX], hashed)
        return right and password_hash is not None and len(raw) <= BCRYPT_BYTES_MAX

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def check_password(password: str, least_chars: int) -> None:
    """Raises: `ChatError` `invalid`."""
    if len(password) < least_chars:
        raise invalid(password=f"must be at least {least_chars} characters")
    if len(password.encode()) > BCRYPT_BYTES_MAX:
        raise invalid(password=f"must be at most {BCRYPT_BYTES_MAX} bytes in UTF-8")
