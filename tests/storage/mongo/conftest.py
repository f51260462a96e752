"""Stores on one database, and a server of its own for tests that kill it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage.mongo import MongoStore
from tests.storage.conftest import MongoPlace, close, new_server
from tests.storage.mongo.nodes import Node
from tests.storage.mongo.server import Server


@pytest.fixture
async def mongo_store(mongo_place: MongoPlace) -> AsyncIterator[MongoStore]:
    store = await mongo_place.open()
    yield store
    await close(store)


@pytest.fixture
async def second_store(mongo_place: MongoPlace) -> AsyncIterator[MongoStore]:
    """Another server's store on the same database."""
    store = await mongo_place.open()
    yield store
    await close(store)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    server = new_server(tmp_path / "data")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def here(mongo_store: MongoStore) -> Node:
    return Node(mongo_store)


@pytest.fixture
def there(second_store: MongoStore) -> Node:
    return Node(second_store)


@pytest.fixture
async def third(mongo_place: MongoPlace) -> AsyncIterator[Node]:
    store = await mongo_place.open()
    yield Node(store)
    await close(store)


@pytest.fixture
def gate() -> Iterator[asyncio.Event]:
    """What holds up a write of a store until the test sets it. It is set in the end, so that a store can be closed
    though the test fails: name this fixture after those of the stores."""
    gate = asyncio.Event()
    yield gate
    gate.set()
