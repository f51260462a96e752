"""A file of each earlier schema version opens with everything that was in it."""

from pathlib import Path

import pytest

from domain.search import parse
from storage.search import SearchRequest
from storage.sqlite import SqliteStore, schema
from tests.storage.old_chats import check_goes_on, everything, fill
from tests.storage.sqlite.earlier import take_back

VERSION = len(schema.MIGRATIONS)


@pytest.mark.parametrize("version", range(1, VERSION + 1))
async def test_everything_is_kept(path: Path, version: int, caplog: pytest.LogCaptureFixture) -> None:
    store = await SqliteStore.open(path)
    await fill(store)
    before = await everything(store)
    await store.close()
    take_back(path, version)
    with caplog.at_level("INFO", logger="storage.sqlite.schema"):
        store = await SqliteStore.open(path)
    assert await everything(store) == before
    found, _ = await store.search.messages(1, SearchRequest(parse("edited"), 20))
    assert [message.content for message in found] == ["edited twice"]
    await check_goes_on(store)
    await store.close()
    said = [record.getMessage() for record in caplog.records if record.name == "storage.sqlite.schema"]
    # One line for each step.
    for number, line in zip(range(version, VERSION), said, strict=True):
        assert line.startswith(f"the database went from schema version {number} to {number + 1}: ")
        assert line.endswith(" rows changed)")
        assert "\n" not in line
