import asyncio

import pytest

from storage.changes import SessionsRevoked
from storage.errors import NotFound, TokenReused, TokenUnknown
from storage.models import Session
from tests.storage.world import START, World, at

GRACE_S = 30.0
LIFE_S = 1000


async def login(world: World, session_id: str = "s", token: str = "t0") -> Session:
    user_id = await world.user()
    return await world.store.sessions.create(
        session_id=session_id, user_id=user_id, token_hash=token, expires_at=at(LIFE_S), created_at=START
    )


async def rotate(world: World, old: str, new: str, seconds: float) -> Session:
    return await world.store.sessions.rotate(
        old, new_hash=new, expires_at=at(seconds + LIFE_S), now=at(seconds), grace_s=GRACE_S
    )


async def test_a_session_is_kept(world: World) -> None:
    session = await login(world)
    assert session == Session("s", session.user_id, START)
    assert await world.store.sessions.get("s") == session
    assert await world.store.sessions.get("unknown") is None
    assert world.told == []


async def test_no_session_without_a_user(world: World) -> None:
    with pytest.raises(NotFound):
        await world.store.sessions.create(
            session_id="s", user_id=999, token_hash="t", expires_at=at(1), created_at=START
        )
    assert await world.store.sessions.get("s") is None


async def test_tokens_are_spent_one_for_the_next(world: World) -> None:
    session = await login(world)
    for step in range(5):
        assert await rotate(world, f"t{step}", f"t{step + 1}", step * 100) == session
    assert world.told == []


async def test_within_the_grace_time_a_token_is_spent_again(world: World) -> None:
    session = await login(world)
    await rotate(world, "t0", "lost", 10)
    assert await rotate(world, "t0", "t1", 10 + GRACE_S) == session
    await rotate(world, "t1", "t2", 50)
    await rotate(world, "lost", "t3", 60)


async def test_the_grace_time_starts_with_the_first_use(world: World) -> None:
    await login(world)
    await rotate(world, "t0", "t1", 0)
    await rotate(world, "t0", "t2", 20)
    with pytest.raises(TokenReused):
        await rotate(world, "t0", "t3", 31)


async def test_reuse_after_the_grace_time_revokes_the_family(world: World) -> None:
    session = await login(world)
    await rotate(world, "t0", "t1", 0)
    with pytest.raises(TokenReused):
        await rotate(world, "t0", "t2", GRACE_S + 0.000001)
    assert world.told == [SessionsRevoked(session.user_id, ["s"])]
    found = await world.store.sessions.get("s")
    assert found == Session("s", session.user_id, START, revoked=True)
    for token in ("t0", "t1", "t2"):
        with pytest.raises(TokenUnknown):
            await rotate(world, token, "t9", 40)
    assert len(world.told) == 1


async def test_unknown_and_expired_tokens(world: World) -> None:
    await login(world)
    with pytest.raises(TokenUnknown):
        await rotate(world, "never", "t1", 0)
    with pytest.raises(TokenUnknown):
        await rotate(world, "t0", "t1", LIFE_S)
    with pytest.raises(TokenUnknown):
        await rotate(world, "t1", "t2", 1)


async def test_revoking(world: World) -> None:
    session = await login(world)
    other = await login(world, "other", "o0")
    await world.store.sessions.revoke("s")
    await world.store.sessions.revoke("s")
    await world.store.sessions.revoke("unknown")
    assert world.told == [SessionsRevoked(session.user_id, ["s"])]
    with pytest.raises(TokenUnknown):
        await rotate(world, "t0", "t1", 1)
    assert await rotate(world, "o0", "o1", 1) == other


async def test_one_token_spent_by_many_at_once(world: World) -> None:
    session = await login(world)
    results = await asyncio.gather(*(rotate(world, "t0", f"new{number}", 5) for number in range(50)))
    assert results == [session] * 50
    assert await rotate(world, "new49", "next", 6) == session
