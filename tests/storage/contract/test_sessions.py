import asyncio

import pytest

from domain.changes import SessionsRevoked
from domain.models import Session
from domain.refusals import NotFound, TokenReused, TokenUnknown
from storage.mongo import sessions as mongo_sessions
from storage.ports import REUSES_MAX
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
    assert world.published == []


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
    assert world.published == []


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
    assert world.published == [SessionsRevoked(session.user_id, ["s"])]
    found = await world.store.sessions.get("s")
    assert found == Session("s", session.user_id, START, revoked=True)
    for token in ("t0", "t1", "t2"):
        with pytest.raises(TokenUnknown):
            await rotate(world, token, "t9", 40)
    assert len(world.published) == 1


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
    # The repeat is published again on a shared store: others may not know it.
    assert world.published in ([revoked := SessionsRevoked(session.user_id, ["s"])], [revoked, revoked])
    with pytest.raises(TokenUnknown):
        await rotate(world, "t0", "t1", 1)
    assert await rotate(world, "o0", "o1", 1) == other


async def test_a_spent_token_is_spent_again_three_times_and_then_ends_the_family(world: World) -> None:
    session = await login(world)
    for number in range(1 + REUSES_MAX):
        assert await rotate(world, "t0", f"new{number}", 5) == session
    assert await rotate(world, "new0", "next", 6) == session
    with pytest.raises(TokenReused):
        await rotate(world, "t0", "once more", 7)
    assert world.published == [SessionsRevoked(session.user_id, ["s"])]
    for token in ("t0", "next", "new1", "once more"):
        with pytest.raises(TokenUnknown):
            await rotate(world, token, "t9", 8)


@pytest.mark.parametrize("times", [1 + REUSES_MAX, 2 + REUSES_MAX, 50])
async def test_one_token_spent_by_many_at_once(world: World, times: int) -> None:
    session = await login(world)
    asked = (rotate(world, "t0", f"new{number}", 5) for number in range(times))
    results = await asyncio.gather(*asked, return_exceptions=True)
    got = [result for result in results if isinstance(result, Session)]
    assert got == [session] * len(got)
    found = await world.store.sessions.get("s")
    assert found is not None
    if times <= 1 + REUSES_MAX:
        assert len(got) == times
        assert not found.revoked
    else:
        assert len(got) <= 1 + REUSES_MAX
        assert found.revoked
        assert {type(result) for result in results} <= {Session, TokenReused, TokenUnknown}
        assert TokenReused in map(type, results)
        assert world.published == [SessionsRevoked(session.user_id, ["s"])]


async def sweep(world: World, seconds: float, keep_s: float = 100) -> None:
    after: str | None = ""
    while after is not None:
        after = await world.store.sessions.sweep(after=after, limit=3, now=at(seconds), keep_s=keep_s)


async def test_a_sweep_removes_sessions_whose_last_token_ended_long_enough_ago(world: World) -> None:
    for number in range(8):
        await login(world, f"s{number}", f"t{number}")
    await rotate(world, "t3", "fresh", 50)
    await sweep(world, LIFE_S + 99)
    assert all([await world.store.sessions.get(f"s{number}") for number in range(8)])
    await sweep(world, LIFE_S + 100)
    left = [number for number in range(8) if await world.store.sessions.get(f"s{number}")]
    assert left == [3]
    assert world.published == []
    assert (await rotate(world, "fresh", "t9", LIFE_S + 49)).id == "s3"


async def test_what_tells_a_reuse_stays_until_the_token_itself_ends(world: World) -> None:
    session = await login(world)
    await rotate(world, "t0", "t1", 10)
    await sweep(world, LIFE_S - 1, keep_s=0)
    with pytest.raises(TokenReused):
        await rotate(world, "t0", "t2", LIFE_S - 1)
    assert world.published == [SessionsRevoked(session.user_id, ["s"])]


async def test_a_revoked_session_is_remembered_until_nobody_can_have_a_token_of_it(world: World) -> None:
    await login(world)
    await rotate(world, "t0", "t1", 10)
    await world.store.sessions.revoke("s")
    for seconds in (20, 60, 119):
        await sweep(world, seconds)
        found = await world.store.sessions.get("s")
        assert found is not None
        assert found.revoked
    await sweep(world, 120)
    assert await world.store.sessions.get("s") is None
    for token in ("t0", "t1"):
        with pytest.raises(TokenUnknown):
            await rotate(world, token, "t9", 121)


async def test_a_sweep_beside_refreshes_ends_none_that_goes_on(world: World) -> None:
    for number in range(10):
        await login(world, f"s{number}", f"s{number} 0")
    for step in range(3):
        now = step * (LIFE_S - 1)
        await asyncio.gather(
            sweep(world, now, keep_s=0),
            *(rotate(world, f"s{number} {step}", f"s{number} {step + 1}", now) for number in range(10)),
        )
    assert all([await world.store.sessions.get(f"s{number}") for number in range(10)])


async def listed(world: World, user_id: int, *, seconds: float = 0, limit: int = 100) -> list[str]:
    found = await world.store.sessions.of_user(user_id, now=at(seconds), limit=limit)
    assert all(session.user_id == user_id and not session.revoked for session in found)
    return [session.id for session in found]


async def create(
    world: World, user_id: int, session_id: str, begin_s: float, end_s: float = LIFE_S
) -> Session:
    return await world.store.sessions.create(
        session_id=session_id,
        user_id=user_id,
        token_hash=f"token of {session_id}",
        expires_at=at(end_s),
        created_at=at(begin_s),
    )


async def test_address_and_device_of_a_login_are_kept(world: World) -> None:
    user_id = await world.user()
    session = await world.store.sessions.create(
        session_id="s",
        user_id=user_id,
        token_hash="t",
        expires_at=at(LIFE_S),
        created_at=START,
        address="2001:db8::1",
        user_agent="Телефон/1.0 😀",
    )
    assert (session.address, session.user_agent) == ("2001:db8::1", "Телефон/1.0 😀")
    assert await world.store.sessions.get("s") == session
    assert await world.store.sessions.of_user(user_id, now=START, limit=1) == [session]
    assert await rotate(world, "t", "t1", 1) == session


async def test_the_sessions_of_a_user_are_listed_the_newest_first(world: World) -> None:
    ann, bob = await world.users(2)
    for session_id, begin_s in (("b", 2), ("c", 1), ("a", 3)):
        await create(world, ann, session_id, begin_s)
    await create(world, bob, "of bob", 9)
    assert await listed(world, ann) == ["a", "b", "c"]
    assert await listed(world, ann, limit=2) == ["a", "b"]
    assert (await listed(world, bob), await listed(world, 999)) == (["of bob"], [])


async def test_sessions_that_are_over_are_not_listed(world: World) -> None:
    ann = await world.user()
    for number, (session_id, end_s) in enumerate((("short", 10), ("long", 100), ("ended", 100))):
        await create(world, ann, session_id, number, end_s)
    await world.store.sessions.revoke("ended")
    assert await listed(world, ann, seconds=5) == ["long", "short"]
    assert await listed(world, ann, seconds=10) == ["long"]
    await rotate(world, "token of long", "new", 99)
    assert await listed(world, ann, seconds=100) == ["long"], "a newer token is good"
    assert await listed(world, ann, seconds=99 + LIFE_S) == []


async def test_a_sweep_and_a_note_bring_no_session_back(world: World) -> None:
    ann = await world.user()
    await create(world, ann, "works", 0, 1000)
    await create(world, ann, "ended", 1, 1000)
    await world.store.sessions.revoke("ended")
    await world.store.sessions.sweep(after="", limit=10, now=at(5), keep_s=60)
    assert await listed(world, ann, seconds=4) == ["works"]
    await world.store.sessions.used({"ended": at(6)})
    await world.store.sessions.sweep(after="", limit=10, now=at(70), keep_s=60)
    assert await world.store.sessions.get("ended") is None
    await world.store.sessions.used({"ended": at(71)})
    assert await world.store.sessions.get("ended") is None


async def test_of_hundreds_of_sessions_those_that_work_are_listed(world: World) -> None:
    ann = await world.user()
    await asyncio.gather(*(create(world, ann, f"s{number:03}", number) for number in range(250)))
    await asyncio.gather(*(world.store.sessions.revoke(f"s{number:03}") for number in range(20, 250)))
    assert await listed(world, ann) == [f"s{number:03}" for number in reversed(range(20))]
    assert len(await listed(world, ann, limit=7)) == 7


async def test_the_last_use_is_noted_and_never_goes_back(world: World) -> None:
    ann = await world.user()
    await create(world, ann, "one", 0)
    await create(world, ann, "two", 0)
    world.published.clear()
    await world.store.sessions.used({"one": at(10), "two": at(20), "unknown": at(30)})
    await world.store.sessions.used({"one": at(5), "two": at(25)})
    await world.store.sessions.used({})
    found = await world.store.sessions.of_user(ann, now=at(0), limit=10)
    assert {session.id: session.last_used_at for session in found} == {"one": at(10), "two": at(25)}
    assert await world.store.sessions.get("one") in found
    assert world.published == []


async def test_the_last_use_of_many_sessions_at_once(world: World) -> None:
    ann = await world.user()
    await asyncio.gather(*(create(world, ann, f"s{number}", number) for number in range(150)))
    await world.store.sessions.used({f"s{number}": at(number + 1000) for number in range(150)})
    found = await world.store.sessions.of_user(ann, now=at(0), limit=200)
    assert [session.last_used_at for session in found] == [at(1000 + n) for n in reversed(range(150))]


async def test_the_sessions_of_a_user_that_work_the_newest_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_sessions, "_SESSIONS_AT_ONCE", 2)
    user_id, other = await world.users(2)
    store = world.store.sessions
    for number, seconds in enumerate([0, 5, 5, 5, 5, 9, 7, 8]):
        await store.create(
            session_id=f"s{number}",
            user_id=other if number == 7 else user_id,
            token_hash=f"t{number}",
            expires_at=at(20 if number == 6 else LIFE_S),
            created_at=at(seconds),
        )
    await store.revoke("s2")
    ids = [one.id for one in await store.of_user(user_id, now=at(30), limit=10)]
    assert ids == ["s5", "s4", "s3", "s1", "s0"]
    assert [one.id for one in await store.of_user(user_id, now=at(10), limit=4)] == ["s5", "s6", "s4", "s3"]
    assert await store.of_user(999, now=at(10), limit=10) == []
