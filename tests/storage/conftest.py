from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest

from storage.ports import Store
from storage.sqlite import SqliteStore
from tests.storage.world import World


class Place(Protocol):
    """Where a store keeps its data; opened again, it is the same data."""

    async def open(self) -> Store: ...


class SqlitePlace:
    def __init__(self, directory: Path) -> None:
        self.path = directory / "vestnik.db"

    async def open(self) -> SqliteStore:
        return await SqliteStore.open(self.path)


@pytest.fixture(params=["sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return {"sqlite": SqlitePlace}[request.param](tmp_path)


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    store = await place.open()
    yield store
    await store.close()


@pytest.fixture
def world(store: Store) -> World:
    return World(store)
