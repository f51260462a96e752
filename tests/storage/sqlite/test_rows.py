"""What no method of a store writes yet, but every one has to read."""

from datetime import UTC, datetime

import pytest

from domain.refusals import NotFound, UnknownUsers
from storage.sqlite.writer import Writer
from storage.times import from_micros, to_micros
from tests.storage.world import START, World, at


@pytest.mark.parametrize("year", [1, 1969, 1970, 2025, 2100, 9999])
def test_times_are_exact(year: int) -> None:
    for microsecond in (0, 1, 123_456, 999_999):
        time = datetime(year, 12, 31, 23, 59, 59, microsecond, tzinfo=UTC)
        assert from_micros(to_micros(time)) == time


async def execute(world: World, sql: str, *values: object) -> None:
    def action(writer: Writer) -> None:
        writer.db.execute(sql, values)

    await world.store._database.write(action)


async def test_deleted_users_are_known_but_not_found(sqlite_world: World) -> None:
    world = sqlite_world
    anna, boris = await world.user("anna", email="a@b.c"), await world.user("boris")
    await execute(world, "UPDATE users SET deleted = 1 WHERE id = ?", anna)
    users = world.store.users
    user = await users.get(anna)
    assert user is not None
    assert user.deleted
    assert await users.get_many([anna]) == {anna: user}
    assert await users.find("anna") is None
    assert await users.find("a@b.c") is None
    for prefix in ("a", ""):
        assert anna not in [found.id for found in await users.search(prefix, after_id=0, limit=9)]
    with pytest.raises(UnknownUsers):
        await world.chat(boris, anna)
    chat_id = await world.chat(boris)
    for call in (
        users.rename(anna, "New"),
        users.change_password(anna, "hash", keep_session=None),
        world.store.sessions.create(
            session_id="s", user_id=anna, token_hash="t", expires_at=at(1), created_at=START
        ),
    ):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(UnknownUsers):
        await world.store.chats.add_member(chat_id, boris, anna, "member", at(1))


async def test_banned_users_are_found(sqlite_world: World) -> None:
    anna = await sqlite_world.user("anna")
    await execute(sqlite_world, "UPDATE users SET banned = 1 WHERE id = ?", anna)
    user = await sqlite_world.store.users.find("anna")
    assert user is not None
    assert user.banned
