from pathlib import Path

import pytest

from storage.errors import StorageError
from storage.open import open_store


@pytest.mark.parametrize(
    "form", ["sqlite:///x.db", "sqlite:///./x.db", "sqlite://x.db", "SQLite:///x.db", "sqlite://./x.db"]
)
async def test_relative_paths(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = await open_store(form)
    await store.ping()
    await store.close()
    assert (tmp_path / "x.db").exists()


async def test_absolute_paths(tmp_path: Path) -> None:
    path = tmp_path / "my chat ж.db"
    store = await open_store(f"sqlite:///{path}", connect_timeout_s=1)
    await store.close()
    assert path.exists()


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgres://anna:secret@db/chat", "'postgres'"),
        ("anna:secret@db/chat", "scheme"),
        ("", "scheme"),
        ("mongodb://anna:secret@db/chat", "MongoDB"),
        ("mongodb+srv://anna:secret@db/chat", "MongoDB"),
        ("sqlite://", "no file"),
        ("sqlite:///", "no file"),
        ("sqlite:///:memory:", "no file"),
        ("sqlite:///x.db?password=secret", "options"),
    ],
)
async def test_what_is_wrong_is_named_without_passwords(url: str, named: str) -> None:
    with pytest.raises(StorageError) as error:
        await open_store(url, connect_timeout_s=0.1)
    assert named in str(error.value)
    assert "secret" not in str(error.value)
