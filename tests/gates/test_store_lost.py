"""The database is lost under a running server and comes back: what every client sees."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from server.config import Config
from tests.conftest import SECRET, Server
from tests.storage.conftest import new_server
from tests.storage.mongo.server import Server as Database

MESSAGES = 200


async def health(server: Server, name: str) -> int:
    async with server.http.get(f"{server.url}/health/{name}") as answer:
        return answer.status


async def ready(server: Server) -> None:
    async with asyncio.timeout(60):
        while await health(server, "ready") != 200:
            await asyncio.sleep(0.05)


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands wait 0.3 s for a lost database, not 10 s."""
    monkeypatch.setattr("storage.mongo.database.RETRY_S", 0.3)
    monkeypatch.setattr("storage.mongo.retry_budget.RETRY_S", 0.3)


async def test_the_database_is_killed_and_started_again(fast: None, tmp_path: Path) -> None:
    database = new_server(tmp_path / "database")
    database.start()
    config = Config(
        secret_key=SECRET,
        data_dir=tmp_path,
        bcrypt_cost=4,
        database_url=f"{database.url}/vestnik?serverSelectionTimeoutMS=300",
    )
    server = Server(config)
    await server.start()
    try:
        await _lose_it(server, database)
    finally:
        database.kill()
        await server.close()


async def _lose_it(server: Server, database: Database) -> None:
    anna, boris = await server.people("anna", "boris")
    chat_id = await anna.chat(boris)
    sender, listener = await anna.joined(chat_id), await boris.joined(chat_id)

    async def burst(name: str) -> list[dict[str, Any]]:
        frames = [
            {"content": f"{name} {number}", "client_id": f"{name} {number}"} for number in range(MESSAGES)
        ]
        sends = [sender.command("send_message", chat_id=chat_id, **frame) for frame in frames]
        return list(await asyncio.gather(*sends))

    before = await burst("before")
    assert all(answer["type"] == "ack" for answer in before)
    during = asyncio.create_task(burst("during"))
    await listener.next("new_message")
    database.kill()
    answers = await during
    refused = [answer for answer in answers if answer["type"] == "error"]
    assert {(answer["code"], answer["retryable"]) for answer in refused} <= {("unavailable", True)}

    answer = await sender.command("send_message", chat_id=chat_id, content="lost")
    assert (answer["type"], answer["code"], answer["retryable"]) == ("error", "unavailable", True)
    status, body = await anna.request("POST", "/messages", json={"chat_id": chat_id, "content": "lost"})
    assert (status, body["error"]["code"]) == (503, "unavailable")
    assert (await health(server, "ready"), await health(server, "live")) == (503, 200)

    database.start()
    await ready(server)
    # The same connections as before. A repeated send is answered with the stored message, if it was stored.
    again = await burst("during")
    assert all(answer["type"] == "ack" for answer in again)
    acked = {
        answer["message"]["id"]: answer["message"]["seq"]
        for answer in [*before, *answers]
        if "message" in answer and answer["type"] == "ack"
    }
    kept = {answer["message"]["id"] for answer in again}
    assert {answer["message"]["id"] for answer in answers if answer["type"] == "ack"} <= kept

    stored: list[Any] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await anna.get(f"/chats/{chat_id}/messages", limit="200", **cursor)
        stored[:0] = page["messages"]
        if not page["has_more_before"]:
            break
        cursor = {"before": str(page["messages"][0]["id"])}
    contents = Counter(message["content"] for message in stored)
    assert {content: n for content, n in contents.items() if n > 1 and content != "lost"} == {}
    expected = {f"{name} {number}" for name in ("before", "during") for number in range(MESSAGES)}
    assert expected <= contents.keys() <= expected | {"lost"}
    assert acked.items() <= {message["id"]: message["seq"] for message in stored}.items()

    await listener.drain()
    await sender.done("send_message", chat_id=chat_id, content="after")
    event = await listener.next("new_message")
    assert event["message"]["content"] == "after"
    assert event["seq"] == len(stored) + 1
