"""`vestnik check` and `vestnik export` of a database, by the records that any store has."""

from functools import partial
from pathlib import Path

from server.exports.chat_export import export_chat
from server.exports.user_export import export_user
from storage.check.checking import Checked, check_store
from storage.open import open_snapshot, open_store
from tests.backup.content import fill
from tests.storage.conftest import MongoPlace, close


async def checked(place: MongoPlace) -> Checked:
    async def open_now() -> object:
        return await open_snapshot(place.url)

    return await check_store(await open_snapshot(place.url), open_now, later_s=0)  # type: ignore[arg-type]


async def exported(place: MongoPlace, folder: Path) -> None:
    """Both kinds of export, of which other tests look at the contents."""
    snapshot = await open_snapshot(place.url)
    for number, export in enumerate(
        (partial(export_chat, snapshot, 2), partial(export_user, snapshot, "Ann"))
    ):
        out = folder / str(number)
        out.mkdir()
        made = await export(out, with_files=True, progress=lambda messages: None)
        assert (made.missing_files, made.files) == (0, 2 + number)
    await snapshot.close()


async def test_nothing_is_wrong_until_something_is_broken(mongo_place: MongoPlace, tmp_path: Path) -> None:
    store = await open_store(mongo_place.url)
    await fill(store)
    await close(store)
    result = await checked(mongo_place)
    assert result.findings == []
    assert result.counts["chat"] == 4
    assert result.files == 6
    await exported(mongo_place, tmp_path)
    store = await mongo_place.open()
    database = store._database
    assert (await database.users.delete_one({"_id": "5"})).deleted_count == 1
    assert (await store.files.size("photo")) is not None
    await store.files.delete(["photo"])
    lines = [finding.line for finding in (await checked(mongo_place)).findings]
    assert "chat 2: file photo is missing" in lines
    assert any("names user 5, who is not there" in line for line in lines), lines
    await close(store)
