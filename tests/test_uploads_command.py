"""`vestnik uploads`, beside a running server and without one."""

import json
import sys
from pathlib import Path

import pytest

from domain.files import Upload
from storage.open import open_store
from tests.clients.program import run, running
from tests.storage.world import START, World

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no sockets in the file system")

NAMES = ("small.txt", "large.bin", "odd\x1b[2J\u202ename.txt")
"""The last one would clear a terminal."""


async def vestnik(tmp_path: Path, *words: str) -> tuple[int, str]:
    """Runs the command line; its exit status and output."""
    status, output, errors = await run(tmp_path, "uploads", *words, DATA_DIR=str(tmp_path / "data"))
    return status, output + errors


async def fill(tmp_path: Path) -> tuple[int, int]:
    """Adds uploads, one of them attached; the user and the message."""
    (tmp_path / "data").mkdir(exist_ok=True)
    store = await open_store(f"sqlite:///{tmp_path}/data/vestnik.db")
    world = World(store)
    anna = await world.user("anna")
    chat_id = await world.chat(anna)
    for number, name in enumerate(NAMES):
        size = (700, 3 * 1024**2, 1536)[number]
        upload = Upload(f"upload{number}", anna, name, "text/plain", size, START)
        await store.uploads.create(upload, quota_bytes=0)
    message = await world.send(chat_id, anna, attachments=["upload1"])
    await store.close()
    return anna, message.id


async def test_counts_and_the_largest(tmp_path: Path) -> None:
    anna, message_id = await fill(tmp_path)
    stopped = await vestnik(tmp_path)
    stopped_json = await vestnik(tmp_path, "--json", "--largest", "1")
    async with running(tmp_path, UPLOAD_TTL_S="1000000000"):  # what is old stays
        assert await vestnik(tmp_path) == stopped
        assert await vestnik(tmp_path, "--json", "--largest", "1") == stopped_json
    status, text = stopped
    assert status == 0
    first, head, *rows = text.splitlines()
    assert first == "3 files, 3.0 MiB"
    assert head.split() == ["size", "created", "username", "message", "name"]
    assert [row.split() for row in rows] == [
        ["3.0", "MiB", "2025-11-23", "10:00", "anna", str(message_id), "large.bin"],
        [
            "1.5",
            "KiB",
            "2025-11-23",
            "10:00",
            "anna",
            "-",
            "odd\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}name.txt",
        ],
        ["700", "B", "2025-11-23", "10:00", "anna", "-", "small.txt"],
    ]
    status, text = stopped_json
    assert status == 0
    found = json.loads(text)
    assert (found["count"], found["size_bytes"]) == (3, 700 + 3 * 1024**2 + 1536)
    (largest,) = found["largest"]
    assert largest == {
        "id": "upload1",
        "name": "large.bin",
        "content_type": "text/plain",
        "size_bytes": 3 * 1024**2,
        "user_id": anna,
        "username": "anna",
        "message_id": message_id,
        "created_at": "2025-11-23T10:00:00.123456+00:00",
    }


async def test_without_any(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert await vestnik(tmp_path) == (0, "0 files, 0 B\n")
    assert await vestnik(tmp_path, "--largest", "0") == (0, "0 files, 0 B\n")
    status, said = await vestnik(tmp_path, "--largest", "1001")
    assert (status, said) == (1, "vestnik: --largest is a number from 0 to 1000\n")
