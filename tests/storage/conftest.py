import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError

from storage.mongo import MongoStore
from storage.ports import Store
from storage.sqlite import SqliteStore
from tests.clients.go_programs import Missing
from tests.storage.mongo.server import Server
from tests.storage.world import World


class Place(Protocol):
    """Where a store keeps its data; opened again, it is the same data."""

    async def open(self) -> Store: ...


class SqlitePlace:
    def __init__(self, directory: Path) -> None:
        self.path = directory / "vestnik.db"

    async def open(self) -> SqliteStore:
        return await SqliteStore.open(self.path)


_DROP_MS = 5_000

CLOSE_S = 30.0
"""How long the end of a store may take. It waits for what is being written, and a test that fails may have left a write
in the middle for ever."""


async def close(store: Store) -> None:
    """Closes a store. Raises: `TimeoutError`; the connections end with the `MongoPlace` then."""
    async with asyncio.timeout(CLOSE_S):
        await store.close()


class MongoPlace:
    """A database of a server that others use too."""

    def __init__(self, server_url: str) -> None:
        self._name = f"vestnik_test_{uuid4().hex[:16]}"
        base, _, options = server_url.partition("?")
        host = "/".join(base.split("/")[:3])
        self.server_url = f"{host}/?{options}"
        self.url = f"{host}/{self._name}?{options}"
        self._stores: list[MongoStore] = []

    async def open(self) -> MongoStore:
        store = await MongoStore.open(self.url)
        self._stores.append(store)
        return store

    async def drop(self) -> None:
        """Ends the connections of all stores, also of those that a test has not closed: else they are reported in a
        test that has nothing to do with them. Removes the database; one that the server does not let go in time stays
        until the server goes."""
        for store in self._stores:
            store._database.close()
        client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(
            self.server_url, socketTimeoutMS=_DROP_MS, serverSelectionTimeoutMS=_DROP_MS
        )
        try:
            with suppress(PyMongoError):
                await client.drop_database(self._name)
        finally:
            client.close()


@pytest.fixture(scope="session")
def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server for all tests."""
    url = os.environ.get("MONGODB_URL")
    if url:
        yield url
        return
    server = new_server(tmp_path_factory.mktemp("mongo") / "data")
    server.start()
    yield server.url
    server.kill()


def new_server(directory: Path) -> Server:
    """A server, not yet started. Without one the test is skipped, but on CI it fails: there nobody would notice."""
    try:
        return Server(directory)
    except Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no server for the MongoDB store: {missing}")
        pytest.skip(f"no server for the MongoDB store: {missing}")


@pytest.fixture
async def mongo_place(mongo_url: str) -> AsyncIterator[MongoPlace]:
    place = MongoPlace(mongo_url)
    yield place
    await place.drop()


@pytest.fixture(params=["sqlite", "mongo"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return SqlitePlace(tmp_path)
    place: MongoPlace = request.getfixturevalue("mongo_place")
    return place


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    store = await place.open()
    yield store
    await close(store)


@pytest.fixture
def world(store: Store) -> World:
    return World(store)
