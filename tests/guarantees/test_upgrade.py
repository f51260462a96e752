"""A server opens what an earlier version left: nothing is lost, everything new works with it, and it is found, even if
the server is killed while it indexes."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, DummyCookieJar
from motor.motor_asyncio import AsyncIOMotorClient

from storage.sqlite import schema
from storage.sqlite.schema import MIGRATIONS
from storage.sqlite.search_segments import SEGMENT_MESSAGES
from tests.clients.copy import Reader
from tests.clients.files import fetch, send_files, try_upload
from tests.clients.people import Person
from tests.clients.program import Program
from tests.conftest import SECRET
from tests.guarantees.earlier_release import answers, lacks, write_database, write_file
from tests.pictures.made import jpeg

LOBBY = 1

QUOTA_BYTES = 10_000

FOUND = {
    "zebra": ["hello zebra @bob @all"],
    "елка": ["of one who has gone, Ёлка и дом"],
    '"twice, see"': ["edited twice, see https://example.org/a?b=c"],
    "answer gone": ["an answer to what is gone"],
    "日本語": ["日本語 テスト 👍🏽 `code` **bold**"],
    "draught": [],
    "quagga": [],
    "okapi": [],
}
"""What is in the lobby, by query: nothing that was edited away or deleted."""

LONG = {"longend": 2, "stone3": 1, "river3": 1, "ете ete": 0, "ete longend": 2}
"""How many of the long messages are found."""

OLD_SEGMENTS = 40
"""So many that indexing them takes a while."""

OLD_DOCUMENTS = 200
"""More than are given words by one command."""

UPGRADED = re.compile(r"the database went from schema version (\d+) to (\d+): \S")


@pytest.fixture
async def program(store: dict[str, str], tmp_path: Path) -> AsyncIterator[Program]:
    """A server, not yet started, whose database an earlier version wrote."""
    place = tmp_path / "program"
    (place / "data").mkdir(parents=True)
    if store:
        await write_database(store["DATABASE_URL"])
    else:
        write_file(file_of(place))
    async with ClientSession(cookie_jar=DummyCookieJar()) as http:
        program = Program(
            place,
            http,
            SECRET_KEY=SECRET,
            UPLOAD_QUOTA_BYTES=str(QUOTA_BYTES),
            RATE_LIMITS="off",
            LOG_LEVEL="info",
            **store,
        )
        yield program
        await program.close()


def file_of(place: Path) -> Path:
    return place / "data" / "vestnik.db"


async def people(program: Program) -> dict[str, Person]:
    """Those of before, who log in with their passwords."""
    found = {name: program.stranger(name) for name in ("ann", "bob", "cid")}
    for name, person in found.items():
        person.id = (await person.login(name))["user"]["id"]
    return found


async def search(person: Person, **query: Any) -> list[Any]:
    """What is found, as soon as it can be searched for."""
    async with asyncio.timeout(60):
        while True:
            status, body = await person.request("GET", "/messages/search", params=query | {"limit": 100})
            if status == 200:
                return list(body["messages"])
            assert (status, body["error"]["code"]) == (503, "unavailable")
            await asyncio.sleep(0.02)


async def test_nothing_is_lost_and_everything_new_works(program: Program, store: dict[str, str]) -> None:
    await program.start()
    said = UPGRADED.findall(program.log)
    steps = [] if store else [(f"{one}", f"{one + 1}") for one in range(7, len(schema.MIGRATIONS))]
    assert said == steps
    everybody = await people(program)
    await _is_answered_as_before(everybody, "mongo" if store else "sqlite")
    await _is_found(everybody["ann"])
    await _has_its_versions(everybody["ann"])
    await _goes_on(everybody)
    await _takes_files(everybody)
    assert await program.stop() == 0
    await program.start()
    assert UPGRADED.findall(program.log) == said
    assert len(await search(everybody["bob"], q="zebra")) == 2
    assert "Traceback" not in program.log


async def _is_answered_as_before(everybody: dict[str, Person], store: str) -> None:
    for name, before in answers(store).items():
        for path, answer in before.items():
            assert lacks(await everybody[name].get(path), answer, path) == []
    page = await everybody["ann"].get(f"/chats/{LOBBY}/messages")
    for message in page["messages"]:
        assert (message["mentions"], message["mentions_all"]) == ([], False)
        assert (message["reactions"], message["pinned"]) == ({}, False)
    assert (await everybody["bob"].get(f"/chats/{LOBBY}"))["unread_mentions"] == 0
    assert (await everybody["ann"].get(f"/chats/{LOBBY}/pins"))["messages"] == []
    for deleted in (3, 5):
        status, _ = await everybody["ann"].request("GET", f"/messages/{deleted}/history")
        assert status == 404


async def _is_found(ann: Person) -> None:
    for query, contents in FOUND.items():
        found = await search(ann, q=query, chat_id=LOBBY)
        assert [message["content"] for message in found] == contents, query
    for query, count in LONG.items():
        found = await search(ann, q=query, chat_id=LOBBY)
        assert [len(message["content"]) > 9_000 for message in found] == [True] * count, query
    assert [message["content"] for message in await search(ann, has="link")] == FOUND['"twice, see"']


async def _has_its_versions(ann: Person) -> None:
    versions = (await ann.get("/messages/2/history"))["versions"]
    contents = ["first draught", "second draught", "edited twice, see https://example.org/a?b=c"]
    assert [one["content"] for one in versions] == contents
    assert [one["edited_at"] is None for one in versions] == [True, False, False]
    long = [one["content"] for one in (await ann.get("/messages/7/history"))["versions"]]
    assert [text[:1] + text[-7:] for text in long] == ["xlongend", "Ёlongend"]
    (once,) = (await ann.get("/messages/1/history"))["versions"]
    assert once == {"content": "hello zebra @bob @all", "edited_at": None}


async def _goes_on(everybody: dict[str, Person]) -> None:
    """Old messages are edited, reacted to, pinned, deleted and repeated; clients recover all of it."""
    ann, bob, _ = everybody.values()
    head = (await ann.get(f"/chats/{LOBBY}"))["seq"]
    reader = Reader("raw", bob, LOBBY)
    await reader.settle()
    again = await bob.say(LOBBY, "something else", client_id="c2")
    assert (again["id"], again["seq"]) == (2, 2)
    edited = await ann.patch("/messages/1", content="zebra @bob, once more")
    assert (edited["changed_seq"], edited["mentions"]) == (head + 1, [bob.id])
    assert (await bob.get(f"/chats/{LOBBY}"))["unread_mentions"] == 0  # it was read
    await bob.post("/messages/4/reactions/👍")
    await bob.post("/messages/8/pin")
    await ann.post("/messages/6/pin")
    await ann.delete("/messages/7")
    new = await ann.say(LOBBY, "zebra, the newest @all")
    assert new["seq"] == head + 6
    assert (await bob.get(f"/chats/{LOBBY}"))["unread_mentions"] == 1
    pins = (await bob.get(f"/chats/{LOBBY}/pins"))["messages"]
    assert [message["id"] for message in pins] == [6, 8]
    assert await search(ann, q="river3") == []
    assert [message["id"] for message in await search(ann, q="zebra")] == [new["id"], 1]
    await reader.settle()
    await reader.check()
    await reader.close()


async def _takes_files(everybody: dict[str, Person]) -> None:
    """Old users send files to old chats, and have avatars; what is deleted is gone."""
    ann, bob, _ = everybody.values()
    _, sent = await send_files(ann, LOBBY, ("pine.txt", b"a tree"), content="")
    (file,) = sent["attachments"]
    assert (await fetch(bob, file["url"]))[1] == b"a tree"
    assert [message["id"] for message in await search(bob, q="pine")] == [sent["id"]]
    _, user = await ann.request("PUT", "/users/me/avatar", data=jpeg())
    assert (await bob.get(f"/users/{ann.id}"))["avatar_url"] == user["avatar_url"]
    await ann.delete(f"/messages/{sent['id']}")
    await ann.request("DELETE", "/users/me/avatar")
    for path in (file["url"], user["avatar_url"]):
        assert (await fetch(bob, path))[0].status == 404
    status, body = await try_upload(ann, b"x" * (QUOTA_BYTES + 1))
    assert (status, "take 0 already" in body["error"]["message"]) == (413, True)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
async def test_a_kill_while_a_file_is_indexed(program: Program) -> None:
    with closing(sqlite3.connect(file_of(program.place))) as db:
        chat_id = _add_messages(db, OLD_SEGMENTS * SEGMENT_MESSAGES)
    made = 0
    for _ in range(3):
        await program.start()
        ann = (await people(program))["ann"]
        status, body = await ann.request("GET", "/messages/search", params={"q": "zebra"})
        assert (status, body["error"]["code"]) == (503, "unavailable")
        before, wanted = made, made + 4
        with closing(sqlite3.connect(file_of(program.place))) as db:
            while made < wanted:
                await asyncio.sleep(0.002)
                (made,) = db.execute("SELECT count(*) FROM search_segments").fetchone()
        await program.kill()
        assert before < made < OLD_SEGMENTS
    await program.start()
    ann = (await people(program))["ann"]
    for number in (1, SEGMENT_MESSAGES, 5 * SEGMENT_MESSAGES, 20_000, OLD_SEGMENTS * SEGMENT_MESSAGES):
        (found,) = await search(ann, q=f'"n{number}" common', chat_id=chat_id)
        assert found["content"] == f"common n{number}"
    assert [message["id"] for message in await search(ann, q="zebra")] == [1]
    assert len(await search(ann, q="common")) == 100
    assert program.log.count("old messages are indexed for search") == 1
    assert [count for count, _ in UPGRADED.findall(program.log)] == [
        str(version) for version in range(7, len(MIGRATIONS))
    ]
    assert "Traceback" not in program.log


def _add_messages(db: sqlite3.Connection, count: int) -> int:
    """Adds a chat of Ann with these many messages to a file of schema version 7."""
    chat_id = 5
    with db:
        db.execute(
            "INSERT INTO chats (id, name, chat_type, created_at, created_by, head_seq, member_count, activity)"
            " VALUES (?, 'Large', 'group', 0, 1, ?, 1, 0)",
            (chat_id, count),
        )
        db.execute(
            "INSERT INTO members (chat_id, user_id, role, joined_at, read_seq) VALUES (?, 1, 'owner', 0, 0)",
            (chat_id,),
        )
        db.executemany(
            "INSERT INTO messages (chat_id, seq, changed_seq, sender_id, content, message_type, created_at, run_seq)"
            " VALUES (?, ?, ?, 1, ?, 'text', ?, 1)",
            ((chat_id, seq, seq, f"common n{seq}", seq) for seq in range(1, count + 1)),
        )
    return chat_id


@pytest.mark.long
@pytest.mark.parametrize("store", ["mongo"], indirect=True)
async def test_a_kill_while_documents_get_words(program: Program, store: dict[str, str]) -> None:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(store["DATABASE_URL"])
    database = client.get_default_database()
    first = await database["messages"].find_one({"_id": "1"})
    assert first is not None
    await database["messages"].insert_many(
        first
        | {"_id": f"{1000 + number}", "seq": 1000 + number, "changed_seq": 1000 + number}
        | {"content": f"common n{number}"}
        for number in range(1, OLD_DOCUMENTS + 1)
    )

    async def with_words() -> int:
        return int(await database["messages"].count_documents({"words_of": {"$exists": True}}))

    await program.start()
    async with asyncio.timeout(60):
        while not await with_words():
            await asyncio.sleep(0.002)
    await program.kill()
    assert 0 < await with_words() < OLD_DOCUMENTS, "killed too late"
    client.close()
    await program.start()
    ann = (await people(program))["ann"]
    for number in (1, 2, OLD_DOCUMENTS // 2, OLD_DOCUMENTS):
        (found,) = await search(ann, q=f'"n{number}" common')
        assert found["content"] == f"common n{number}"
    assert [message["id"] for message in await search(ann, q="hello zebra")] == [1]
    assert "old messages are indexed for search" in program.log
    assert "Traceback" not in program.log
