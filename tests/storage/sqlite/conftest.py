"""Connections that do as the tests tell them."""

import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from storage.sqlite import SqliteStore, connection
from tests.storage.world import World


class Gremlin:
    """Sits in every connection of a store: fails statements, holds commits up, writes down what was executed."""

    def __init__(self) -> None:
        self.fails: Callable[[str], bool] = lambda _sql: False
        self.committed = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.statements: list[str] = []

    def connect(self, path: Path) -> sqlite3.Connection:
        gremlin = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *args: object) -> sqlite3.Cursor:
                if gremlin.fails(sql):
                    raise sqlite3.OperationalError("disk I/O error")
                cursor = super().execute(sql, *args)
                if sql == "COMMIT":
                    gremlin.committed.set()
                    gremlin.go_on.wait(10)
                return cursor

        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Connection)
        db.set_trace_callback(self.statements.append)
        return db


@pytest.fixture
def gremlin(monkeypatch: pytest.MonkeyPatch) -> Gremlin:
    gremlin = Gremlin()
    monkeypatch.setattr(connection, "connect", gremlin.connect)
    return gremlin


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vestnik.db"


@pytest.fixture
async def sqlite_store(path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(path)
    yield store
    await store.close()


@pytest.fixture
def sqlite_world(sqlite_store: SqliteStore) -> World:
    return World(sqlite_store)


@pytest.fixture
async def shaky_world(gremlin: Gremlin, path: Path) -> AsyncIterator[World]:
    """A world over connections with a gremlin in them."""
    store = await SqliteStore.open(path)
    yield World(store)
    gremlin.fails = lambda _sql: False
    gremlin.go_on.set()
    await store.close()
