"""A failing MongoDB: the errors of clients name the cause, probes fail, and the log has one line."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from server.config import Config
from storage.errors import StorageError
from storage.mongo import MongoStore
from tests.conftest import SECRET, Server
from tests.guarantees.test_failing_store import fill, small_disk
from tests.storage.conftest import new_server
from tests.storage.mongo.proxy import WriteConcernProxy

ALL = ("meta", "blocks", "users", "sessions", "tokens", "chats", "members", "changes", "messages")


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands wait 0.3 s for a lost database, not 10 s."""
    monkeypatch.setattr("storage.mongo.database.RETRY_S", 0.3)
    monkeypatch.setattr("storage.mongo.retry_budget.RETRY_S", 0.3)


@pytest.fixture
async def proxy(mongo_url: str) -> AsyncIterator[WriteConcernProxy]:
    proxy = WriteConcernProxy(f"{mongo_url}/vestnik_test_{uuid4().hex[:16]}")
    yield proxy
    await proxy.close()


async def serve(folder: Path, url: str) -> Server:
    config = Config(
        secret_key=SECRET,
        data_dir=folder,
        bcrypt_cost=4,
        database_url=f"{url}?serverSelectionTimeoutMS=300",
    )
    server = Server(config)
    await server.start()
    return server


async def ready(server: Server) -> tuple[int, str | None]:
    async with server.http.get(f"{server.url}/health/ready") as answer:
        return answer.status, (await answer.json()).get("store")


async def serves_again(server: Server) -> None:
    """Waits until the server is ready again, without a write."""
    async with asyncio.timeout(60):
        while (await ready(server))[0] != 200:
            await asyncio.sleep(0.05)


class Fails:
    """Failing sends, their errors, and the log lines about them."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def prepare(self) -> None:
        self.anna = await self.server.person("anna")
        self.chat_id = await self.anna.chat()
        self.client = await self.anna.joined(self.chat_id)
        await self.client.done("send_message", chat_id=self.chat_id, content="before")

    async def fail(self, trouble: str, message: str) -> None:
        for number in range(2):
            body = {"chat_id": self.chat_id, "content": f"hidden-text {number}"}
            frame = await self.client.command("send_message", **body)
            assert (frame["code"], frame["retryable"], frame["message"]) == ("unavailable", True, message)
            status, answer = await self.anna.request("POST", "/messages", json=body)
            assert (status, answer["error"]["message"]) == (503, message)
        assert await ready(self.server) == (503, trouble)

    async def work_again(self, lines: list[Any], trouble: str) -> None:
        await serves_again(self.server)
        await self.client.done("send_message", chat_id=self.chat_id, content="after")
        said = [line for line in lines if "the store" in line["event"]]
        assert [line["event"] for line in said] == ["the store fails", "the store serves again"]
        assert said[0]["trouble"] == trouble
        assert said[1]["refused_writes"] == 4
        assert "hidden-text" not in str(lines)
        health = self.server.chat_app.context.store.health
        assert +health.failed_writes == Counter({trouble: 4})
        assert (health.failures, health.failing_since, health.last_trouble) == (1, None, trouble)


async def test_a_write_concern_that_is_not_met(tmp_path: Path, proxy: WriteConcernProxy) -> None:
    server = await serve(tmp_path, await proxy.start())
    try:
        fails = Fails(server)
        await fails.prepare()
        with capture_logs() as lines:
            proxy.failing = ALL
            await fails.fail("unconfirmed", "the store did not confirm the change; try again")
            proxy.failing = ()
            await fails.work_again(lines, "unconfirmed")
    finally:
        proxy.failing = ()
        await server.close()


async def test_a_start_without_the_write_concern_stops(proxy: WriteConcernProxy) -> None:
    url = await proxy.start()
    proxy.failing = ALL
    with pytest.raises(
        StorageError, match=r"did not confirm a write within 1 s: .*waiting timed out"
    ) as error:
        await MongoStore.open(url, connect_timeout_s=1)
    assert "\n" not in str(error.value)
    proxy.failing = ()
    await (await MongoStore.open(url, connect_timeout_s=1)).close()


async def test_a_server_that_is_killed(tmp_path: Path) -> None:
    database = new_server(tmp_path / "database")
    database.start()
    server = await serve(tmp_path, f"{database.url}/vestnik")
    try:
        fails = Fails(server)
        await fails.prepare()
        with capture_logs() as lines:
            database.kill()
            await fails.fail("unreachable", "the store cannot be reached; try again")
            await asyncio.to_thread(database.start)
            await fails.work_again(lines, "unreachable")
    finally:
        database.kill()
        await server.close()


async def test_reads_alone_find_out_too(tmp_path: Path) -> None:
    database = new_server(tmp_path / "database")
    database.start()
    server = await serve(tmp_path, f"{database.url}/vestnik")
    try:
        anna = await server.person("anna")
        with capture_logs() as lines:
            database.kill()
            assert (await anna.request("GET", "/chats"))[0] == 503
            assert await ready(server) == (503, "unreachable")
            assert [line["event"] for line in lines] == ["the store fails"]
    finally:
        database.kill()
        await server.close()


async def test_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "8m") as disk:
        database = new_server(disk / "database")
        database.start()
        server = await serve(tmp_path, f"{database.url}/vestnik")
        try:
            fails = Fails(server)
            await fails.prepare()
            with capture_logs() as lines:
                filler = fill(disk)
                for _ in range(40):  # its files may have free space left
                    body = {"chat_id": fails.chat_id, "content": "x" * 9000}
                    status, answer = await fails.anna.request("POST", "/messages", json=body)
                    if status != 201:
                        break
                assert answer["error"]["message"] == "the store is full; nothing was changed"
                assert await ready(server) == (503, "full")
                filler.unlink()
                await serves_again(server)
                await fails.client.done("send_message", chat_id=fails.chat_id, content="after")
            assert [line["event"] for line in lines] == ["the store fails", "the store serves again"]
        finally:
            database.kill()
            await server.close()
