"""`vestnik check`: nothing is wrong with what servers write, and what is broken by hand is found."""

import asyncio
import io
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from server.cli import main
from storage.backup.making import make_backup
from storage.backup_ports import Snapshot
from storage.check.checking import Checked, check_backup, check_store
from storage.files.folder import FolderFiles
from storage.open import open_snapshot, open_store
from tests.backup.content import fill
from tests.conftest import Serve
from tests.storage.world import at

Filled = tuple[str, Path]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that has something of everything."""
    folder = tmp_path_factory.mktemp("content")

    async def prepare() -> None:
        store = await open_store(f"sqlite:///{folder / 'vestnik.db'}")
        await fill(store)
        await store.close()

    asyncio.run(prepare())
    return folder


@pytest.fixture
def filled(content: Path, tmp_path: Path) -> Filled:
    """The URL and the file of such a store."""
    folder = shutil.copytree(content, tmp_path / "data")
    return f"sqlite:///{folder / 'vestnik.db'}", folder / "vestnik.db"


def opener(url: str) -> Callable[[], Awaitable[Snapshot]]:
    return lambda: open_snapshot(url)


async def checked(url: str) -> Checked:
    open_now = opener(url)
    return await check_store(await open_now(), open_now, later_s=0)


async def found(url: str) -> Sequence[str]:
    return [finding.line for finding in (await checked(url)).findings]


async def backup_of(url: str) -> bytes:
    out = io.BytesIO()
    snapshot = await open_snapshot(url)
    await make_backup(snapshot, out, version="of the tests")
    await snapshot.close()
    return out.getvalue()


async def test_nothing_is_wrong_with_a_store_and_its_backup(filled: Filled) -> None:
    url, _ = filled
    store, backup = await checked(url), await check_backup(io.BytesIO(await backup_of(url)))
    for each in (store, backup):
        assert each.findings == []
        assert each.counts["chat"] == 4
        assert each.files == 6
    assert [part.digest for part in store.parts] == [part.digest for part in backup.parts]


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("DELETE FROM messages WHERE id = 5", "chat 2: change "),
        ("UPDATE chats SET head_seq = head_seq + 2 WHERE id = 2", "chat 2: changes "),
        ("UPDATE chats SET head_seq = head_seq - 1 WHERE id = 2", "is above the head"),
        ("UPDATE chats SET member_count = 9 WHERE id = 2", "members, and says 9"),
        ("UPDATE chats SET activity = 0 WHERE id = 2", "newer than its last activity"),
        ("UPDATE members SET role = 'member' WHERE chat_id = 2", "chat 2: it has no owner"),
        ("UPDATE members SET read_seq = 99 WHERE chat_id = 2 AND user_id = 2", "is at 99, the head is"),
        ("UPDATE members SET last_read_message_id = 99 WHERE chat_id = 2", "is on message 99"),
        ("UPDATE messages SET sender_id = 99 WHERE id = 4", "names user 99, who is not there"),
        ("UPDATE messages SET reply_to = 99 WHERE id = 2", "message 2 answers message 99"),
        (
            "UPDATE messages SET changed_seq = 12 WHERE id = 2",
            "is that of another message too",
        ),
        ("UPDATE messages SET run_seq = 1 WHERE id = 2", "the run of message number 2 begins at 1"),
        ("UPDATE users SET presence = 'odd' WHERE id = 2", "wrong or missing 'presence' (id 2)"),
        ("UPDATE messages SET extra = '{' WHERE id = 2", "cannot be read"),
        ("UPDATE users SET uploads_bytes = 1 WHERE id = 2", "user 2 has uploads of"),
        ("DELETE FROM users WHERE id = 3", "names user 3, who is not there"),
        ("DELETE FROM uploads WHERE id = 'photo'", "has the upload photo, of which there is no row"),
        ("UPDATE uploads SET message_id = 99 WHERE id = 'unattached'", "upload unattached is of message 99"),
        ("INSERT INTO versions VALUES (99, 'x', NULL)", "earlier versions of message 99"),
        ("INSERT INTO mentions VALUES (2, 1, 99, 1)", "a mention in message number 99"),
        ("INSERT INTO mutes VALUES (99, 1, 1)", "1 rows in mutes of chat 99"),
        ("DELETE FROM members WHERE chat_id = 2", "chat 2: it has no members"),
        ("UPDATE hooks SET position = 99 WHERE kind = 'outgoing'", "is at 99, the head is"),
        ("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'users'", "is said to be 1"),
    ],
)
async def test_what_is_broken_is_found(filled: Filled, statement: str, line: str) -> None:
    url, path = filled
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute(statement).rowcount > 0
    lines = await found(url)
    assert any(line in one for one in lines), lines


async def test_files_are_looked_at(filled: Filled) -> None:
    url, path = filled
    files = {each.name: each for each in (path.parent / "uploads").rglob("*") if each.is_file()}
    files["photo"].unlink()
    files["notes"].write_bytes(b"more")
    stray = FolderFiles(path.parent / "uploads").place("stray")
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"")
    assert sorted(await found(url)) == [
        "chat 2: file notes has 4 bytes, and should have 0",
        "chat 2: file photo is missing",
    ]
    old_s = time.time() - 2 * 24 * 3600
    os.utime(stray, (old_s, old_s))
    assert "nothing refers to the file stray" in await found(url)


async def test_a_damaged_file_is_found(filled: Filled) -> None:
    url, path = filled
    with closing(sqlite3.connect(path)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'messages_alive'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with open(path, "r+b") as file:
        file.seek((page - 1) * size + size // 2)
        file.write(os.urandom(size // 2))
    assert any("damaged" in line for line in await found(url))


async def test_what_looks_wrong_for_a_moment_is_no_finding(filled: Filled) -> None:
    """A file is removed with its message while the check looks."""
    url, path = filled
    first = await open_snapshot(url)
    await anext(first.server())  # the moment that it shows
    store = await open_store(url)
    await store.messages.delete(1, 1, at(99))
    await store.close()
    for name in ("photo", "notes"):
        (place,) = (path.parent / "uploads").rglob(name)
        place.unlink()
    result = await check_store(first, opener(url), later_s=0)
    assert result.findings == []


def test_the_command(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url, path = filled
    folder = path.parent
    (folder / "backup").write_bytes(asyncio.run(backup_of(url)))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DATA_DIR", str(folder))
    assert main(["check"]) == 0
    assert "all is right" in capsys.readouterr().out
    for argv in (["check", "--json"], ["check", "backup", "--json"]):
        assert main(argv) == 0
        shown = json.loads(capsys.readouterr().out)
        assert (shown["findings"], shown["counts"]["chat"], len(shown["parts"])) == ([], 4, 5)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE chats SET member_count = 9, activity = 0 WHERE id = 1")
    assert main(["check", "--digests"]) == 1
    out = capsys.readouterr().out
    assert "check: chat 1: it has 1 members, and says 9\n" in out
    assert "1 finding, in" in out
    assert (
        f"check: chat 2: {shown['parts'][1]['counts']['message']} messages, digest {shown['parts'][1]['digest']}"
        in out
    )
    content = (folder / "backup").read_bytes()
    (folder / "backup").write_bytes(content[:-5000])
    assert main(["check", "backup"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setenv("DATA_DIR", str(folder / "nothing"))
    assert main(["check"]) == 1
    assert "there is no database" in capsys.readouterr().err


async def test_a_server_at_work_has_no_findings(serve: Serve) -> None:
    server = await serve(messages_per_s=0)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    url = f"sqlite:///{server.config.data_dir / 'vestnik.db'}"
    results = []

    async def work() -> None:
        for number in range(60):
            message = await ann.say(chat_id, f"@bob {number}")
            if number % 3 == 0:
                await ann.patch(f"/messages/{message['id']}", content="edited")
            if number % 4 == 0:
                await ann.delete(f"/messages/{message['id']}")
            if number % 20 == 0:
                await ann.delete(f"/chats/{await ann.chat(bob, name='short')}")
            if number % 15 == 0:
                results.append(await found(url))

    await work()
    assert results == [[]] * 4
