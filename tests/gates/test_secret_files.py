"""Files that hold secrets: an error is one line that names the file, and no line holds the secret."""

import os
import stat
from pathlib import Path

import pytest

from tests.clients.program import refused_start, running

ROOT = Path(__file__).parents[2]
KEY = "k" * 40


@pytest.mark.parametrize("content", [b"\xff\xfe" * 20, b"key-\xc3\x28-of-latin", "ключ".encode("utf-16")])
async def test_a_key_that_is_no_text_is_refused_in_one_line_that_names_the_file(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "data" / "secret_key"
    path.parent.mkdir()
    path.write_bytes(content)
    line = await refused_start(tmp_path)
    assert line.startswith("vestnik: SECRET_KEY: data/secret_key is not UTF-8 text")
    assert "latin" not in line
    assert path.read_bytes() == content


async def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret_key"
    path.mkdir(parents=True)
    assert "SECRET_KEY: data/secret_key cannot be read: Is a directory" in await refused_start(tmp_path)
    path.rmdir()
    path.write_text("  \n")
    assert "data/secret_key is empty" in await refused_start(tmp_path)
    path.unlink()
    path.symlink_to(path)
    assert "SECRET_KEY: data/secret_key cannot be read: Too many levels" in await refused_start(tmp_path)


async def test_other_texts_that_are_none(tmp_path: Path) -> None:
    assert "SECRET_KEY: is not UTF-8 text" in await refused_start(tmp_path, SECRET_KEY=b"\xff" * 40)
    assert "HOST: is no host name" in await refused_start(tmp_path, SECRET_KEY=KEY, HOST="a" * 70 + ".org")
    (tmp_path / ".env").write_bytes(b"SECRET_KEY=\xff\xfe\n")
    assert await refused_start(tmp_path) == "vestnik: .env: is not UTF-8 text"


@pytest.mark.skipif(os.name != "posix", reason="has no such modes")
@pytest.mark.parametrize(
    ("mode", "warned"),
    [(0o600, False), (0o400, False), (0o644, True), (0o640, True), (0o604, True), (0o666, True)],
)
async def test_a_key_that_others_may_read_is_warned_of(tmp_path: Path, mode: int, warned: bool) -> None:
    path = tmp_path / "data" / "secret_key"
    path.parent.mkdir()
    path.write_text(KEY)
    path.chmod(mode)
    async with running(tmp_path) as program:
        pass
    lines = [line for line in program.log.splitlines() if "may read or write" in line]
    assert len(lines) == warned
    assert all("secret_key" in line and f"{mode:04o}" in line for line in lines)
    assert KEY not in program.log


@pytest.mark.skipif(os.name != "posix", reason="has no such modes")
async def test_what_the_server_makes_is_for_its_owner_only(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        async with running(tmp_path) as program:
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "data").iterdir()}
    finally:
        os.umask(mask)
    assert {"secret_key", "vestnik.db", "vestnik.db-wal", "vestnik.db-shm", "control.sock"} <= modes.keys()
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
    assert "may read or write" not in program.log
