"""LOG_LEVEL=DEBUG with every command a client has, on both stores: no secret and no content is in the log."""

import base64
import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientSession
from motor.motor_asyncio import AsyncIOMotorClient

from handlers.live.tokens import hash_of
from tests.clients.people import Person
from tests.clients.program import running
from tests.clients.wires import WIRES

PASSWORDS = ["swordfish-and-more", "octopus-and-less", "a-wrong-password"]
TEXTS = ["nobody-logs-this-text", "nor-what-it-was-edited-to", "nor-a-reply-to-it"]
EMAIL = "ann.of.the.mail@example.org"


def session_of(token: str) -> str:
    """The id of the session in an access token."""
    payload = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sid"])


def note_tokens(person: Person, secrets: set[str]) -> None:
    assert person.token is not None
    assert person.refresh_token is not None
    secrets |= {*person.token.split("."), person.refresh_token, hash_of(person.refresh_token)}
    secrets.add(session_of(person.token))


async def scenario(http: ClientSession, url: str, secrets: set[str]) -> None:
    ws_url = url.replace("http", "ws") + "/ws"
    ann, bob = (Person(http, url, ws_url, name) for name in ("ann", "bob"))
    ann.id = (await ann.register("ann", PASSWORDS[0], email=EMAIL, display_name="Ann"))["id"]
    bob.id = (await bob.register("bob", PASSWORDS[0]))["id"]
    assert (
        await bob.request(
            "POST", "/auth/register", json={"username": "eve", "password": PASSWORDS[0], "email": EMAIL}
        )
    )[0] == 409
    await ann.login("ann", PASSWORDS[0])
    await ann.login(EMAIL, PASSWORDS[0])
    await bob.login("bob", PASSWORDS[0])
    for person in (ann, bob):
        note_tokens(person, secrets)
    assert (await ann.request("POST", "/auth/login", json={"username": "ann", "password": PASSWORDS[2]}))[
        0
    ] == 401
    answer = await ann.post("/auth/refresh", refresh_token=ann.refresh_token)
    ann.token, ann.refresh_token = answer["access_token"], answer["refresh_token"]
    note_tokens(ann, secrets)
    await ann.patch("/users/me", password=PASSWORDS[1], old_password=PASSWORDS[0])
    secrets |= await invites(ann, bob)
    chat_id = await ann.chat(bob)
    for wire_class in WIRES.values():
        wire = wire_class(http, url, ann.token, lambda _frame: None)
        assert await wire.open()
        await wire.ask("join_chat", chat_id=chat_id)
        client_id = uuid4().hex
        sent = await wire.ask("send_message", chat_id=chat_id, content=TEXTS[0], client_id=client_id)
        assert sent is not None
        message_id = sent["message"]["id"]
        await wire.ask("send_message", chat_id=chat_id, content=TEXTS[0], client_id=client_id)
        await wire.ask("send_message", chat_id=chat_id, content=TEXTS[2], reply_to=message_id)
        await wire.ask("edit_message", message_id=message_id, content=TEXTS[1])
        await wire.ask("mark_read", chat_id=chat_id)
        await wire.ask("delete_message", message_id=message_id)
        await wire.ask("send_message", chat_id=chat_id, content=TEXTS[0] * 1000)
        await wire.ask("refresh_token", token=ann.token)
        await wire.ask("refresh_token", token=f"{ann.token}x")
        await wire.close()
    message_id = (await ann.say(chat_id, TEXTS[0]))["id"]
    await ann.patch(f"/messages/{message_id}", content=TEXTS[1])
    await ann.get(f"/chats/{chat_id}/messages")
    await ann.delete(f"/messages/{message_id}")
    await ann.delete(f"/chats/{chat_id}")
    await bob.request("POST", "/auth/logout")


async def invites(ann: Person, bob: Person) -> set[str]:
    """The codes of invites that were used and refused."""
    chat_id = await ann.chat()
    codes = {(await ann.post(f"/chats/{chat_id}/invites"))["code"] for _ in range(2)}
    for code in codes:
        await ann.get(f"/invites/{code}")
        await bob.post(f"/invites/{code}/accept")
        await ann.delete(f"/invites/{code}")
        body = {"username": "eve", "password": PASSWORDS[0], "invite": code}
        assert (await ann.request("POST", "/auth/register", json=body))[0] == 422
        assert (await bob.request("POST", f"/invites/{code}/accept"))[0] == 404
    return codes


async def hashes(folder: Path, database_url: str | None) -> set[str]:
    """The password hashes in the store."""
    if database_url is None:
        db = sqlite3.connect(folder / "data" / "vestnik.db")
        found = {row[0] for row in db.execute("SELECT password_hash FROM users")}
        db.close()
        return found
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(database_url)
    found = {user["password_hash"] async for user in client.get_default_database()["users"].find({})}
    client.close()
    return found


@pytest.mark.long_on_mongo
@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize("store", ["sqlite", "mongo"])
async def test_a_whole_day_at_debug(
    request: pytest.FixtureRequest, tmp_path: Path, store: str, log_format: str
) -> None:
    database_url = None
    settings = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": log_format, "PYTHONASYNCIODEBUG": "1"}
    if store == "mongo":
        database_url = f"{request.getfixturevalue('mongo_url')}/vestnik_test_{uuid4().hex[:16]}"
        settings["DATABASE_URL"] = database_url
    secrets: set[str] = {*PASSWORDS, *TEXTS, EMAIL}
    async with running(tmp_path, **settings) as program:
        await scenario(program.http, program.url, secrets)
        secrets |= await hashes(tmp_path, database_url)
        assert await program.stop() == 0
    text = program.log
    assert "WebSocket connected" in text
    assert [secret for secret in secrets if secret in text] == []
    # A JWT has three parts; a random code may well have "eyJ" in it.
    assert not re.search(r"\$2[aby]\$|eyJ[\w-]+\.[\w-]+\.", text)


SAY = """
import asyncio, logging, sys
import structlog
from bson.errors import InvalidDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError
import server.cli, storage.mongo, engineio, socketio, aiohttp.client
from server.logs import configure_logs, report
from tests.patience import SLACK
level, style = sys.argv[1:]
configure_logs(level, style)
libraries = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] != "storage"]
names = [*libraries, "aiosqlite", "motor", "a.library.of.tomorrow"]
for name in names:
    for number in (1, logging.DEBUG, logging.INFO):
        logging.getLogger(name).log(number, "a library said %s", {"content": "hidden-text"})
errors = [
    BulkWriteError({"writeErrors": [{"op": {"content": "hidden-text"}}]}),
    DuplicateKeyError("E11000 dup key: { email_key: 'hidden-text' }", 11000, {"keyValue": "hidden-text"}),
    InvalidDocument("cannot encode hidden-text"),
]
log = structlog.get_logger("vestnik")
def fail(error):
    local = "hidden-text"
    try:
        raise error
    except Exception as cause:
        raise ExceptionGroup("several", [ValueError("ours"), cause]) from cause
async def background():
    asyncio.get_running_loop().set_exception_handler(report)
    for error in errors:
        task = asyncio.ensure_future(asyncio.wait_for(fails(error), 5 * SLACK))
        await asyncio.wait([task])
        del task
        asyncio.get_running_loop().call_soon(fail, error)
        await asyncio.sleep(0.01)
async def fails(error):
    fail(error)
for error in errors:
    try:
        fail(error)
    except Exception as caught:
        log.error("failed", exc_info=caught)
        log.exception("failed")
        logging.getLogger("somebody").exception("failed")
        logging.getLogger("somebody").error("failed", exc_info=(type(caught), caught, caught.__traceback__))
asyncio.run(background(), debug=True)
print(len(names))
"""


@pytest.mark.parametrize("style", ["console", "json"])
@pytest.mark.parametrize("level", ["DEBUG", "ERROR"])
def test_no_library_says_what_it_has_in_its_hands(level: str, style: str) -> None:
    said = subprocess.run(
        [sys.executable, "-c", SAY, level, style],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip
    text = said.stdout + said.stderr
    assert int(text.splitlines()[-1]) > 20
    assert "hidden-text" not in text
    assert "a library said" not in text
    assert "pymongo.errors.BulkWriteError: [its text may quote documents]" in text
    assert text.count("ValueError: ours") >= 12
