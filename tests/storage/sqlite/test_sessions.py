"""Sessions: what only this store has to get right."""

import sqlite3
from pathlib import Path

import pytest

from domain.refusals import TokenReused
from storage.ports import REUSES_MAX
from storage.sqlite import SqliteStore, schema
from tests.storage.contract.test_sessions import GRACE_S, LIFE_S, login, rotate, sweep
from tests.storage.world import World


async def test_of_a_session_that_a_sweep_removes_nothing_is_left(
    sqlite_store: SqliteStore, path: Path
) -> None:
    world = World(sqlite_store)
    for name in ("revoked", "expired"):
        await login(world, name, f"{name} 0")
        await rotate(world, f"{name} 0", f"{name} 1", 1)
        await rotate(world, f"{name} 0", f"{name} 2", 1 + GRACE_S)
    await sqlite_store.sessions.revoke("revoked")
    await sweep(world, 2 * LIFE_S)
    await sweep(world, 3 * LIFE_S)
    await sqlite_store.close()
    db = sqlite3.connect(path)
    assert [db.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("sessions", "tokens")] == [
        (0,),
        (0,),
    ]
    db.close()


async def test_tokens_of_an_earlier_version_go_on(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    schema.upgrade(db, schema.MIGRATIONS[:2])
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("INSERT INTO users VALUES (1, 'ann', 'Ann', NULL, 'x', 1, NULL, 0, 0, 0, 'ann', 'ann', NULL)")
    db.execute("INSERT INTO sessions VALUES ('s', 1, 1763892000123456, 0)")
    db.execute("INSERT INTO tokens VALUES ('t0', 's', 1763892000123456 + 1000000000, 1763892000123456)")
    db.close()
    with caplog.at_level("INFO", "storage.sqlite.schema"):
        store = await SqliteStore.open(path)
    assert ": counts how often a refresh token was spent again" in caplog.text
    world = World(store)
    for number in range(REUSES_MAX):
        assert (await rotate(world, "t0", f"new{number}", 6)).id == "s"
    with pytest.raises(TokenReused):
        await rotate(world, "t0", "more", 7)
    await store.close()
