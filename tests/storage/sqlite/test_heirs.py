"""Chats of a banned user are passed on some at a time."""

import pytest

from domain.changes import RoleChanged
from storage.sqlite import heirs
from tests.storage.world import World


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6, 7])
@pytest.mark.parametrize("end", ["ban", "delete"])
async def test_in_several_writes_all_are_passed_on(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch, count: int, end: str
) -> None:
    monkeypatch.setattr(heirs, "AT_ONCE", 3)
    world = sqlite_world
    anna, boris = await world.users(2)
    owned = []
    for _ in range(count):
        await world.chat(anna)  # of nobody else
        await world.chat(boris, anna)
        owned.append(await world.chat(anna, boris))
    await world.chat(anna, boris, chat_type="private", name=None)
    if end == "ban":
        await world.store.users.set_banned(anna, True)
    else:
        await world.store.users.delete(anna)
    published = [change for change in world.published if isinstance(change, RoleChanged)]
    assert [change.chat_id for change in published] == owned
    for chat_id in owned:
        state = await world.store.chats.load(chat_id)
        assert state is not None
        assert (state.members[anna].role, state.members[boris].role) == ("member", "owner")
