"""Temporary files."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from handlers.files.spool import PIECE_BYTES, Spools
from storage.files.threads import Threads


async def pieces(count: int, size: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes((number % 256,)) * size


@pytest.mark.parametrize("size", [1, 24, 30_000, PIECE_BYTES, PIECE_BYTES + 1])
async def test_it_has_what_was_filled_in_and_few_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    writes = 0
    run = Threads.run

    async def counted(self: Threads, action: Any, *args: Any) -> Any:
        nonlocal writes
        writes += action.__name__ == "write"
        return await run(self, action, *args)

    monkeypatch.setattr(Threads, "run", counted)
    count = 300_000 // size + 1
    spools = Spools(tmp_path / "tmp")
    async with spools.open() as spool:
        await spool.fill(pieces(count, size))
        assert writes <= count * size // PIECE_BYTES + 1
        kept = b"".join([piece async for piece in spool.read()])
        assert kept == b"".join([piece async for piece in pieces(count, size)])
    await spools.close()
    assert [*tmp_path.glob("tmp/*")] == []
