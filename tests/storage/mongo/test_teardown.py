"""What a test leaves behind that fails in the middle."""

import asyncio
from typing import Any

import pytest

from storage.errors import Unavailable
from storage.mongo import MongoStore
from tests.storage import conftest
from tests.storage.conftest import MongoPlace
from tests.storage.world import World


async def test_connections_end_though_a_write_never_does(
    mongo_store: MongoStore, mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch, gate: asyncio.Event
) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    projection, projecting = mongo_store._writer.replicas._projection, asyncio.Event()
    original = projection.project

    async def project(*args: Any, **options: Any) -> None:
        projecting.set()
        await gate.wait()
        await original(*args, **options)

    monkeypatch.setattr(projection, "project", project)
    monkeypatch.setattr(conftest, "CLOSE_S", 0.1)
    sending = asyncio.ensure_future(world.send(chat_id, anna))
    await projecting.wait()
    with pytest.raises(TimeoutError):
        await conftest.close(mongo_store)
    assert not mongo_store._database._closed
    await mongo_place.drop()
    assert mongo_store._database._closed
    assert not sending.done()
    gate.set()
    with pytest.raises(Unavailable):
        await sending
