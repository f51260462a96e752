"""A store is the same after a backup and its restoration."""

import errno
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from domain.search import parse
from storage.errors import StorageError
from storage.open import open_restoration, open_snapshot, open_store
from storage.search import SearchRequest
from storage.sqlite import SqliteStore
from tests.backup.content import fill
from tests.backup.copies import backup, lines_of, members_of, parts, restore
from tests.guarantees import earlier_release
from tests.storage.kept import keep, read
from tests.storage.world import World, at, draft


@pytest.fixture
async def source(tmp_path: Path) -> str:
    """A store with something of everything that is closed."""
    (tmp_path / "a").mkdir()
    store = await SqliteStore.open(tmp_path / "a" / "vestnik.db")
    await fill(store)
    await store.close()
    return f"sqlite:///{tmp_path}/a/vestnik.db"


async def test_everything_is_there_again(source: str, tmp_path: Path) -> None:
    content, made = await backup(source)
    target = f"sqlite:///{tmp_path}/b/vestnik.db"
    await restore(content, target)
    assert await parts(target) == await parts(source)
    assert members_of((await backup(target))[0])[1:-1] == members_of(content)[1:-1]
    before, after = await open_store(source), await open_store(target)
    assert after.id != before.id
    assert after.epoch != before.epoch
    assert await after.sessions.get("session") is None
    assert await after.sessions.get("token_of_robot") == await before.sessions.get("token_of_robot")
    assert await read(after.files, "photo") == b"photo" * 1000
    assert await after.uploads.used_bytes(1) == await before.uploads.used_bytes(1)
    elsewhere = await after.users.of_login("hash of issuer and subject")
    assert elsewhere is not None
    assert elsewhere.id == 8
    hook = await after.hooks.by_key("key_of_builds")
    assert hook is not None
    assert (await after.hooks.outgoing(limit=10))[0].secret == "secret of watcher"
    for user_id in (1, 2):
        lists = [await store.chats.list_for(user_id, cursor=None, limit=10) for store in (before, after)]
        assert lists[0] == lists[1]
        hidden = [
            await store.chats.list_for(user_id, cursor=None, limit=10, hidden=True)
            for store in (before, after)
        ]
        assert hidden[0] == hidden[1]
    for message_id in (1, 2, 3):
        assert await after.messages.versions(message_id) == await before.messages.versions(message_id)
    assert await after.audit.page(2, cursor=None, limit=3) != ((), None)
    found, _ = await after.search.messages(1, SearchRequest(parse("edited twice"), 10))
    assert [message.id for message in found] == [2]
    assert made.counts["message"] == 9
    await before.close()
    await after.close()


async def test_no_id_is_given_again_and_client_ids_still_count(source: str, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/b/vestnik.db"
    await restore((await backup(source))[0], target)
    store = await open_store(target)
    world = World(store)
    repeated = await store.messages.append(draft(2, 1, "again", client_id="c-1"))
    assert (repeated.duplicate, repeated.message.id) == (True, 1)
    sent = await world.send(2, 1, "new", created_at=at(200))
    assert (sent.id, sent.seq) == (11, 17)  # message 10 was in a chat that is deleted
    assert await world.user("eve") == 9
    assert await world.chat(1) == 6  # chat 5 is deleted
    await store.close()


async def test_a_snapshot_is_of_one_moment_and_hinders_nobody(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "vestnik.db")
    world = World(store)
    ann = await world.user()
    chat_id = await world.chat(ann)
    await world.send(chat_id, ann, "before")
    snapshot = await open_snapshot(f"sqlite:///{tmp_path}/vestnik.db")
    await world.send(chat_id, ann, "after")
    await store.users.delete(ann)
    batches = [batch async for batch in snapshot.chats()]
    assert [record["content"] for one in batches if one.kind == "message" for record in one.records] == [
        "before"
    ]
    users = [one.records[0] async for one in snapshot.server() if one.kind == "user"]
    assert "deleted" not in users[0]
    await snapshot.close()
    await store.close()


async def test_a_file_that_is_gone_is_noted(source: str, tmp_path: Path) -> None:
    for name in ("photo", "unattached"):
        next((tmp_path / "a" / "uploads").rglob(name)).unlink()
    content, made = await backup(source)
    assert made.missing_files == 2
    missing = [line["id"] for line in lines_of(content) if line["type"] == "missing_file"]
    assert sorted(missing) == ["photo", "unattached"]
    target = f"sqlite:///{tmp_path}/b/vestnik.db"
    await restore(content, target)
    assert await parts(target) == await parts(source)


async def test_only_into_an_empty_place(source: str, tmp_path: Path) -> None:
    content, _ = await backup(source)
    before = await parts(source)
    with pytest.raises(StorageError, match=r"is not empty: it has 8 accounts"):
        await open_restoration(source)
    assert await parts(source) == before
    for name, kept in (
        ("text", b"hello, this is no database, and long enough for its header" * 9),
        ("zero", b""),
    ):
        place = tmp_path / name
        place.write_bytes(kept)
        if kept:
            with pytest.raises(StorageError, match="not a database"):
                await open_restoration(f"sqlite:///{place}")
            assert place.read_bytes() == kept
        else:
            await restore(content, f"sqlite:///{place}")


async def test_the_database_of_a_server_that_nobody_used_is_replaced(source: str, tmp_path: Path) -> None:
    """With what a kill left beside it: a log that is another database's would spoil the new one."""
    content, _ = await backup(source)
    folder = tmp_path / "b"
    folder.mkdir()
    store = await SqliteStore.open(folder / "vestnik.db")
    for name in ("vestnik.db", "vestnik.db-wal", "vestnik.db-shm"):
        (folder / f"{name}.killed").write_bytes((folder / name).read_bytes())
    await store.close()
    for killed in folder.glob("*.killed"):
        killed.rename(killed.with_suffix(""))
    await restore(content, f"sqlite:///{folder}/vestnik.db")
    assert await parts(f"sqlite:///{folder}/vestnik.db") == await parts(source)
    again = await open_store(f"sqlite:///{folder}/vestnik.db")
    assert await read(again.files, "photo") == b"photo" * 1000
    await again.close()
    assert sorted(path.name for path in folder.iterdir()) == [
        *("uploads", "uploads.store", "vestnik.db", "vestnik.db.lock"),
    ]
    assert stat.S_IMODE(os.stat(folder / "vestnik.db").st_mode) == 0o600


async def test_what_an_interrupted_restoration_left_is_removed(source: str, tmp_path: Path) -> None:
    content, _ = await backup(source)
    folder = tmp_path / "b"
    (folder / "uploads" / "restore" / "aa").mkdir(parents=True)
    (folder / "uploads" / "restore" / "aa" / "file").write_text("left")
    (folder / "uploads" / "lost+found").mkdir()  # as on a disk of its own
    (folder / "vestnik.db.restore").write_text("left")
    await restore(content, f"sqlite:///{folder}/vestnik.db")
    assert not list(folder.rglob("*restore"))
    assert not list(folder.rglob("file"))
    assert (folder / "uploads" / "lost+found").exists()
    assert stat.S_IMODE((folder / "uploads").stat().st_mode) & 0o700 == 0o700


async def test_a_restoration_that_fails_at_its_very_end_is_begun_again(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files have their places already, and the database has not."""
    content, _ = await backup(source)
    folder = tmp_path / "b"

    def rename(self: Path, target: Path) -> None:
        if self.name == "vestnik.db.restore":
            raise OSError(errno.EIO, "Input/output error")
        os.rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename)
        with pytest.raises(StorageError, match="Input/output error"):
            await restore(content, f"sqlite:///{folder}/vestnik.db")
    assert not (folder / "vestnik.db").exists()
    await restore(content, f"sqlite:///{folder}/vestnik.db")
    assert sorted(os.listdir(folder)) == ["uploads", "uploads.store", "vestnik.db", "vestnik.db.lock"]
    assert len([one for one in (folder / "uploads").rglob("*") if one.is_file()]) == 6


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
async def test_what_root_restores_is_of_whose_the_folder_is(source: str, tmp_path: Path) -> None:
    content, _ = await backup(source)
    folder = tmp_path / "b"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    await restore(content, f"sqlite:///{folder}/vestnik.db")
    assert {path.stat().st_uid for path in folder.rglob("*")} == {65534}


async def test_files_of_another_store_stay_where_they_are(source: str, tmp_path: Path) -> None:
    """Its database was deleted, and its files were not."""
    folder = tmp_path / "b"
    folder.mkdir()
    store = await SqliteStore.open(folder / "vestnik.db")
    await keep(store.files, "photo", b"another photo")
    await store.close()
    (folder / "vestnik.db").unlink()
    content, _ = await backup(source)
    await restore(content, f"sqlite:///{folder}/vestnik.db")
    after = await SqliteStore.open(folder / "vestnik.db")
    assert await read(after.files, "photo") == b"photo" * 1000
    await after.close()
    (other,) = (folder / "uploads").rglob("photo")
    assert other.read_bytes() == b"another photo"


async def test_no_server_starts_meanwhile_and_none_is_disturbed(source: str, tmp_path: Path) -> None:
    target = tmp_path / "b" / "vestnik.db"
    restoration = await open_restoration(f"sqlite:///{target}")
    with pytest.raises(StorageError, match="another server has it open"):
        await SqliteStore.open(target)
    with pytest.raises(StorageError, match="stop it first"):
        await open_restoration(f"sqlite:///{target}")
    await restoration.close()
    store = await SqliteStore.open(target)
    with pytest.raises(StorageError, match="stop it first"):
        await open_restoration(f"sqlite:///{target}")
    await store.close()


async def test_of_a_database_of_an_earlier_version(tmp_path: Path) -> None:
    """It is backed up as the new version would have it, and stays as it is."""
    path = tmp_path / "a" / "vestnik.db"
    path.parent.mkdir()
    earlier_release.write_file(path)
    before = path.read_bytes()
    content, made = await backup(f"sqlite:///{path}")
    assert path.read_bytes() == before
    assert {file.name for file in path.parent.iterdir()} <= {"vestnik.db", "vestnik.db-wal", "vestnik.db-shm"}
    assert made.counts["message"] > 0
    target = f"sqlite:///{tmp_path}/b/vestnik.db"
    await restore(content, target)
    restored = await parts(target)
    await (await open_store(f"sqlite:///{path}")).close()
    assert await parts(f"sqlite:///{path}") == restored


async def test_what_is_no_database_of_ours_is_not_backed_up(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE things (id INTEGER)")
    other.close()
    (tmp_path / "empty.db").touch()
    newer = sqlite3.connect(tmp_path / "newer.db")
    newer.execute("PRAGMA user_version = 1000")
    newer.close()
    (tmp_path / "text.db").write_text("hello, this is no database, and long enough for a header" * 9)
    for name, said in (
        ("nothing.db", "there is no database"),
        ("other.db", "no database of this program"),
        ("empty.db", "nothing is in it"),
        ("newer.db", "version 1000"),
        ("text.db", "not a database"),
    ):
        with pytest.raises(StorageError, match=said):
            await open_snapshot(f"sqlite:///{tmp_path}/{name}")


async def test_no_backup_is_made_that_could_not_be_restored(source: str, tmp_path: Path) -> None:
    """A database that something has spoilt: that is said when the backup is made, and not when it is needed."""
    for spoilt, said in (
        ("UPDATE chats SET head_seq = 3 WHERE id = 2", "the messages of chat 2 are not in their order"),
        (
            "UPDATE members SET role = 'god'",
            "a record of the type 'member' has a wrong or missing 'role', in chat 1",
        ),
        ("UPDATE messages SET seq = 12 WHERE id = 5", "the messages of chat 2 are not in their order"),
    ):
        db = sqlite3.connect(tmp_path / "a" / "vestnik.db", isolation_level=None)
        db.execute("BEGIN")
        db.execute(spoilt)
        db.execute("COMMIT")
        db.close()
        with pytest.raises(StorageError, match=said):
            await backup(source)
        (tmp_path / "a" / "vestnik.db").unlink()
        store = await SqliteStore.open(tmp_path / "a" / "vestnik.db")
        await fill(store)
        await store.close()
