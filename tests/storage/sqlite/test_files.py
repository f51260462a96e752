"""Whether the files of an open database are still the ones that were opened."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage.errors import Unavailable
from storage.sqlite.files import DatabaseFiles

HEADER = b"SQLite format 3\0".ljust(4096, b"\0")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"vestnik.db{suffix}").write_bytes(HEADER)
        (tmp_path / f"vestnik.db{suffix}").chmod(0o600)
    return tmp_path / "vestnik.db"


@pytest.fixture
def files(path: Path) -> Iterator[DatabaseFiles]:
    file = os.open(path, os.O_RDWR)
    yield DatabaseFiles(path, file)
    os.close(file)


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(HEADER)
    other.rename(path)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def overwrite(path: Path) -> None:
    path.write_bytes(b"no database".ljust(4096, b"\0"))


def test_files_in_their_places_are_sound(files: DatabaseFiles) -> None:
    files.check()
    files.check_quickly()
    assert files.has_database()


@pytest.mark.parametrize("look", [DatabaseFiles.check, DatabaseFiles.check_quickly])
@pytest.mark.parametrize(
    ("name", "harm", "says", "trouble"),
    [
        ("vestnik.db", Path.unlink, "was deleted", "gone"),
        ("vestnik.db-wal", Path.unlink, "was deleted", "gone"),
        ("vestnik.db-shm", replace, "was replaced", "gone"),
        ("vestnik.db", replace, "was replaced", "gone"),
        ("vestnik.db", empty, "was emptied", "gone"),
    ],
)
def test_a_file_that_is_another_is_named(
    files: DatabaseFiles,
    path: Path,
    look: Callable[[DatabaseFiles], None],
    name: str,
    harm: Callable[[Path], None],
    says: str,
    trouble: str,
) -> None:
    harm(path.with_name(name))
    with pytest.raises(Unavailable, match=f"{name} {says} while the server runs") as raised:
        look(files)
    assert raised.value.trouble == trouble
    assert files.has_database() is (name != "vestnik.db")


def test_a_database_that_was_overwritten_is_broken(files: DatabaseFiles, path: Path) -> None:
    overwrite(path)
    with pytest.raises(Unavailable, match="was overwritten") as raised:
        files.check()
    assert raised.value.trouble == "broken"


def test_a_folder_that_is_gone_took_the_files_along(files: DatabaseFiles, path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))
    with pytest.raises(Unavailable, match=r"vestnik\.db was deleted"):
        files.check_quickly()
