"""Passwords: the work of a check, in bcrypt's own measure, 2 to the power of the cost."""

import bcrypt
import pytest

from handlers.live import passwords
from handlers.live.passwords import Passwords, cost_of

SALT_COST = slice(4, 6)


class Work:
    """bcrypt, with its work added up."""

    def __init__(self) -> None:
        self.done = 0

    gensalt = staticmethod(bcrypt.gensalt)

    def hashpw(self, password: bytes, salt: bytes) -> bytes:
        self.done += 2 ** int(salt[SALT_COST])
        return bcrypt.hashpw(password, salt)

    def checkpw(self, password: bytes, hashed: bytes) -> bool:
        self.done += 2 ** int(hashed[SALT_COST])
        return bcrypt.checkpw(password, hashed)

    def taken(self) -> int:
        done, self.done = self.done, 0
        return done


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    work = Work()
    monkeypatch.setattr(passwords, "bcrypt", work)
    return work


def hashed(cost: int) -> str:
    return bcrypt.hashpw(b"right", bcrypt.gensalt(cost)).decode()


@pytest.mark.parametrize("now", [4, 6, 8])
async def test_every_failed_check_is_the_same_work_whatever_costs_there_are(work: Work, now: int) -> None:
    hashes = [hashed(cost) for cost in (4, 5, 7)]
    checker = Passwords(now, costliest_hash=max(hashes))
    took = []
    for one in [*hashes, None, "", "$2b$nonsense", hashed(now)]:
        assert not await checker.match("wrong", one)
        took.append(work.taken())
    assert took == [2 ** max(7, now)] * len(took)
    for one in hashes:
        assert await checker.match("right", one)
        assert work.taken() == 2 ** cost_of(one)  # type: ignore[operator]
    assert not await checker.match("right", None)
    checker.close()


async def test_a_cost_that_another_server_brings_counts_once_it_is_seen(work: Work) -> None:
    checker = Passwords(4)
    assert not await checker.match("wrong", hashed(6))
    work.taken()
    assert not await checker.match("wrong", None)
    assert work.taken() == 2**6
    checker.close()


async def test_nothing_is_hashed_for_a_client_that_has_gone(work: Work) -> None:
    checker = Passwords(4)
    with pytest.raises(Exception, match="broke off"):
        await checker.match("right", hashed(4), gone=lambda: True)
    with pytest.raises(Exception, match="broke off"):
        await checker.hash("right", gone=lambda: True)
    assert work.taken() == 0
    checker.close()


def test_a_hash_is_outdated_if_it_cost_something_else() -> None:
    checker = Passwords(5)
    assert [checker.is_outdated(hashed(cost)) for cost in (4, 5, 6)] == [True, False, True]
    checker.close()
