import sqlite3
from pathlib import Path

import pytest

from domain.refusals import Forbidden
from storage.errors import StorageError
from storage.sqlite import SqliteStore, schema
from tests.storage.old_accounts import OLD_ACCOUNTS, check_upgraded
from tests.storage.sqlite.earlier import take_back
from tests.storage.world import START, World


async def test_an_upgrade_keeps_the_data(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema.upgrade, "__defaults__", (schema.MIGRATIONS,))
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user("anna")
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna)
    await store.close()
    more = (
        "ALTER TABLE messages ADD COLUMN mood TEXT; ALTER TABLE chats ADD COLUMN topic TEXT;",
        "ALTER TABLE users ADD COLUMN hat TEXT NOT NULL DEFAULT 'none'; ALTER TABLE members ADD COLUMN nick TEXT;",
    )
    monkeypatch.setattr(schema.upgrade, "__defaults__", ((*schema.MIGRATIONS, *more),))
    store = await SqliteStore.open(path)
    world = World(store)
    assert await store.messages.get(message.id) == message
    assert (await store.chats.summary(chat_id, anna)).last_message == message
    assert await store.users.find("anna") == await store.users.get(anna)
    assert (await world.send(chat_id, anna)).seq == 2
    assert len((await store.chats.list_for(anna, cursor=None, limit=5))[0]) == 1
    await store.close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS) + 2,)
        assert db.execute("SELECT hat FROM users").fetchall() == [("none",)]
    db.close()


def old_file(path: Path) -> None:
    """A file as the server wrote it when there were two steps."""
    db = sqlite3.connect(path, isolation_level=None)
    schema.upgrade(db, schema.MIGRATIONS[:2])
    for number, (username, display_name, banned, deleted) in enumerate(OLD_ACCOUNTS, start=1):
        email = None if deleted else f"E{number}@x.y"
        keys = (username.casefold(), display_name.casefold(), email and email.casefold())
        db.execute(
            "INSERT INTO users (username, display_name, email, password_hash, created_at, is_bot, banned, deleted,"
            " username_key, display_name_key, email_key) VALUES (?, ?, ?, 'hash', 5, 0, ?, ?, ?, ?, ?)",
            (username, display_name, email, banned, deleted, *keys),
        )
    db.execute(
        "INSERT INTO chats (name, chat_type, created_at, created_by, head_seq, member_count, activity)"
        " VALUES ('\u200b', 'group', 5, 3, 1, 2, 6)"
    )
    db.executemany("INSERT INTO members VALUES (1, ?, ?, 5, 0, NULL)", [(3, "owner"), (2, "member")])
    db.execute(
        "INSERT INTO messages (chat_id, seq, changed_seq, sender_id, content, message_type, created_at, run_seq)"
        " VALUES (1, 1, 1, 3, ' ', 'text', 6, 1)"
    )
    db.close()


COLUMNS = {"chats": 9, "members": 6, "sessions": 4, "users": 13}
"""How many columns the tables had when the file was written, if there are more now."""


def contents(path: Path, table: str, *without: int) -> list[list[object]]:
    with sqlite3.connect(path) as db:
        rows = [row[: COLUMNS.get(table)] for row in db.execute(f"SELECT * FROM {table} ORDER BY 1")]
    db.close()
    return [[value for place, value in enumerate(row) if place not in without] for row in rows]


async def test_an_upgrade_makes_names_comparable_and_keeps_all_else(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old_file(path)
    keys = (10, 11)
    tables = ("chats", "members", "messages", "versions", "sessions", "tokens")
    before = {table: contents(path, table) for table in tables} | {"users": contents(path, "users", *keys)}
    with caplog.at_level("INFO", logger="storage.sqlite.schema"):
        store = await SqliteStore.open(path)
    (said,) = [record.getMessage() for record in caplog.records if "from schema version 3" in record.message]
    assert said == (
        "the database went from schema version 3 to 4: usernames and display names compare without case and whatever"
        " their Unicode form (NFKC) (7 rows changed)"
    )
    await check_upgraded(store)
    world = World(store)
    # What no new name could be is shown, and its users go on.
    summary = await store.chats.summary(1, 3)
    assert (summary.chat.name, summary.last_message and summary.last_message.content) == ("\u200b", " ")
    assert (await world.send(1, 3)).seq == 2
    await store.close()
    after = {table: contents(path, table) for table in tables} | {"users": contents(path, "users", *keys)}
    assert after["users"] == before["users"]
    assert after["members"] == before["members"]
    assert after["messages"][:1] == before["messages"]
    assert [key for (key,) in contents(path, "users", *range(10), 11, 12)] == [
        "anna",
        "jos\u00e9",
        "jos\u00e9\x1fjose\u0301",
        "jos\u00e9\x1fjos\uff45\u0301",
        "abc\x1f\uff41\uff42\uff43",
        "abc",
        "xyz",
        "gone",
        "out",
    ]


async def test_a_new_file_and_one_that_is_up_to_date_have_nothing_to_tell(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="storage.sqlite.schema"):
        for _ in range(2):
            await (await SqliteStore.open(path)).close()
    assert caplog.records == []


def test_a_failing_step_changes_nothing(path: Path) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    schema.upgrade(db)
    with pytest.raises(sqlite3.OperationalError):
        schema.upgrade(db, (*schema.MIGRATIONS, "CREATE TABLE hats (id INTEGER); SELECT nonsense;"))
    assert db.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    assert not db.in_transaction
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'hats'").fetchone() == (0,)
    schema.upgrade(db)
    db.close()


async def test_a_file_of_a_newer_server_is_refused(path: Path) -> None:
    await (await SqliteStore.open(path)).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 97")
    db.close()
    with pytest.raises(StorageError, match=rf"{path}.* version 97, .* up to {len(schema.MIGRATIONS)}"):
        await SqliteStore.open(path)


@pytest.mark.parametrize("version", range(1, len(schema.MIGRATIONS)))
async def test_a_file_of_every_earlier_version_opens_with_its_marks_and_gets_an_epoch(
    path: Path, version: int
) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    schema.upgrade(db, schema.MIGRATIONS[:version])
    db.execute(
        "INSERT INTO chats (id, name, chat_type, created_at, created_by, head_seq, member_count, activity)"
        " VALUES (1, 'Lobby', 'group', 0, 1, 3, 3, 0)"
    )
    for message_id, seq, deleted in ((11, 1, 0), (12, 2, 1)):
        db.execute(
            "INSERT INTO messages (id, chat_id, seq, changed_seq, sender_id, content, message_type, created_at,"
            " deleted) VALUES (?, 1, ?, ?, 1, 'hi', 'text', 0, ?)",
            (message_id, seq, seq + deleted, deleted),
        )
    # Never read; on a message; on one that was deleted since.
    marks = {1: (0, None), 2: (1, 11), 3: (2, 12)}
    for user_id, (read_seq, message_id) in marks.items():
        db.execute(
            "INSERT INTO members (chat_id, user_id, role, joined_at, read_seq, last_read_message_id)"
            " VALUES (1, ?, 'member', 0, ?, ?)",
            (user_id, read_seq, message_id),
        )
    db.close()
    store = await SqliteStore.open(path)
    epoch = store.epoch
    page, _ = await store.chats.members(1, cursor=None, limit=9)
    assert {one.user_id: (one.read_seq, one.last_read_message_id) for one in page} == marks
    await store.close()
    store = await SqliteStore.open(path)
    assert store.epoch == epoch
    await store.close()


@pytest.mark.parametrize("version", range(2, len(schema.MIGRATIONS)))
async def test_an_empty_private_chat_of_an_earlier_version_is_seen_by_its_creator_alone(
    path: Path, version: int
) -> None:
    world = World(await SqliteStore.open(path))
    anna, boris = await world.users(2)
    empty = await world.chat(anna, boris, chat_type="private")
    vera = await world.user()
    used = await world.chat(anna, vera, chat_type="private")
    await world.send(used, anna)
    await world.store.close()
    take_back(path, version)
    world = World(await SqliteStore.open(path))
    assert sorted(await world.store.chats.ids_of(anna)) == [empty, used]
    assert list(await world.store.chats.ids_of(boris)) == []
    assert list(await world.store.chats.ids_of(vera)) == [used]
    chat, created = await world.make_chat(boris, anna, chat_type="private")
    assert (chat.id, created) == (empty, False)
    assert list(await world.store.chats.ids_of(boris)) == [empty]
    await world.store.blocks.block(vera, anna, START)
    with pytest.raises(Forbidden):
        await world.send(used, anna)
    await world.store.close()
