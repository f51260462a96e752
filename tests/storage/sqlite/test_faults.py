"""What an error of SQLite means, by its code and by what the disk tells."""

import errno
import os
import resource
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from storage.errors import Unavailable
from storage.sqlite.faults import fault, unavailable

MUCH = SimpleNamespace(f_flag=0, f_bavail=10**6, f_frsize=4096)


def error(code: int, name: str = "SQLITE_SOMETHING") -> sqlite3.Error:
    raised = sqlite3.OperationalError("it failed")
    raised.sqlite_errorcode, raised.sqlite_errorname = code, name  # as SQLite sets them
    return raised


@pytest.fixture
def path(tmp_path: Path) -> Path:
    database = tmp_path / "vestnik.db"
    database.write_bytes(b"database")
    (tmp_path / "vestnik.db-wal").write_bytes(b"log")
    return database


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (sqlite3.SQLITE_FULL, "full"),
        (sqlite3.SQLITE_READONLY, "read_only"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "gone"),
        (sqlite3.SQLITE_BUSY, "locked"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "locked"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "broken"),
        (sqlite3.SQLITE_NOTADB, "broken"),
        (sqlite3.SQLITE_INTERNAL, "failing"),
    ],
)
def test_most_codes_say_what_is_wrong(path: Path, code: int, trouble: str) -> None:
    assert unavailable(error(code), "cannot write", path).trouble == trouble


def full_disk(_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=0, f_bavail=1, f_frsize=4096))


def full_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: MUCH)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (path.stat().st_size + 4096, resource.RLIM_INFINITY))


def read_only_disk(_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**{**vars(MUCH), "f_flag": os.ST_RDONLY}))


def read_only_log(_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda file, _mode: not str(file).endswith("-wal"))


def deleted(path: Path, _monkeypatch: pytest.MonkeyPatch) -> None:
    path.unlink()


def without_folder(path: Path, _monkeypatch: pytest.MonkeyPatch) -> None:
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()


def disk_that_tells_nothing(_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "statvfs", fail)


def sound(_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: MUCH)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_CANTOPEN])
@pytest.mark.parametrize(
    ("disk", "trouble"),
    [
        (full_disk, "full"),
        (full_file, "full"),
        (read_only_disk, "read_only"),
        (read_only_log, "read_only"),
        (deleted, "gone"),
        (without_folder, "gone"),
        (disk_that_tells_nothing, "failing"),
        (sound, "failing"),
    ],
)
def test_of_an_error_of_the_disk_the_disk_tells_more(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    disk: Callable[[Path, pytest.MonkeyPatch], None],
    trouble: str,
) -> None:
    disk(path, monkeypatch)
    assert unavailable(error(code), "cannot write", path).trouble == trouble


def test_what_may_get_better_is_unavailable_with_its_reason(path: Path) -> None:
    raised = error(sqlite3.SQLITE_FULL, "SQLITE_FULL")
    found = fault(raised, "cannot write", path)
    assert isinstance(found, Unavailable)
    assert str(found) == "cannot write: it failed (SQLITE_FULL)"
    assert found.__cause__ is raised


def test_an_error_that_python_raised_has_no_name(path: Path) -> None:
    assert (
        str(unavailable(sqlite3.OperationalError("it failed"), "cannot read", path))
        == "cannot read: it failed"
    )


@pytest.mark.parametrize(
    "bug", [sqlite3.IntegrityError("twice"), sqlite3.ProgrammingError("closed"), KeyError("x")]
)
def test_a_bug_is_shown_as_it_is(path: Path, bug: Exception) -> None:
    assert fault(bug, "cannot write", path) is bug
