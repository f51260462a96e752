"""Sessions: what only this store has to get right."""

import asyncio
from typing import Any

import pytest

from domain.changes import SessionsRevoked
from domain.models import Session
from domain.refusals import TokenReused, TokenUnknown
from storage.mongo import MongoStore
from storage.ports import REUSES_MAX
from tests.storage.contract.test_sessions import GRACE_S, LIFE_S, login, rotate, sweep
from tests.storage.world import World, at


async def left_over(store: MongoStore) -> dict[str, list[Any]]:
    database = store._database
    kept = (database.sessions, database.tokens, database.spent, database.revocations)
    return {collection.name: list(await database.find(collection, {})) for collection in kept}


async def test_a_spent_token_serves_three_times_more_at_all_servers_together(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    here, there = World(mongo_store), World(second_store)
    await login(here)
    await rotate(here, "t0", "t1", 5)
    results = await asyncio.gather(
        *(rotate(world, "t0", f"new{n}", 6) for n in range(10) for world in (here, there)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Session) for result in results) <= REUSES_MAX
    assert {type(result) for result in results} <= {Session, TokenReused, TokenUnknown}
    # Both may notice; one of them has revoked it.
    assert sum(isinstance(change, SessionsRevoked) for change in here.published + there.published) == 1
    found = await here.store.sessions.get("s")
    assert found is not None
    assert found.revoked


async def test_what_an_earlier_version_noted_of_a_spent_token_counts(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    session = await login(world)
    database = mongo_store._database
    await database.add(database.spent, {"_id": "t0", "at": (at(5) - at(0)).seconds * 10**6})
    await database.spent.update_one({"_id": "t0"}, {"$set": {"at": 1763892005123456}})
    for number in range(REUSES_MAX):
        assert await rotate(world, "t0", f"new{number}", 6) == session
    with pytest.raises(TokenReused):
        await rotate(world, "t0", "more", 7)


async def test_of_a_session_that_a_sweep_removes_nothing_is_left(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    for name in ("revoked", "expired"):
        await login(world, name, f"{name} 0")
        await rotate(world, f"{name} 0", f"{name} 1", 1)
        await rotate(world, f"{name} 0", f"{name} 2", 1 + GRACE_S)
    await mongo_store.sessions.revoke("revoked")
    await sweep(world, 2 * LIFE_S)
    await sweep(world, 3 * LIFE_S)
    assert not any((await left_over(mongo_store)).values())
