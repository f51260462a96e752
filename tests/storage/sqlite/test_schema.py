import sqlite3
from pathlib import Path

import pytest

from storage.errors import StorageError
from storage.sqlite import SqliteStore, schema
from tests.storage.world import World


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
        db.execute("INSERT INTO members VALUES (1, ?, 'member', 0, ?, ?)", (user_id, read_seq, message_id))
    db.close()
    store = await SqliteStore.open(path)
    epoch = store.epoch
    page, _ = await store.chats.members(1, cursor=None, limit=9)
    assert {one.user_id: (one.read_seq, one.last_read_message_id) for one in page} == marks
    await store.close()
    store = await SqliteStore.open(path)
    assert store.epoch == epoch
    await store.close()
