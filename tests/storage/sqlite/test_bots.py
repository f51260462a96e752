"""What becomes of bots with their owner is one write."""

import pytest

from domain.acts import AccountUpdate
from storage.errors import Unavailable
from tests.storage.contract.test_bots import create, get, works
from tests.storage.sqlite.conftest import Gremlin
from tests.storage.world import World


@pytest.mark.parametrize("update", [AccountUpdate(banned=True), AccountUpdate(deleted=True)])
@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_write_that_fails_at_a_bot_leaves_owner_and_bots_as_they_were(
    shaky_world: World, gremlin: Gremlin, update: AccountUpdate, number: int
) -> None:
    ann = await shaky_world.user()
    bots = [await create(shaky_world, ann, f"bot{one}") for one in range(3)]
    before = [await get(shaky_world, one) for one in (ann, *(bot.id for bot in bots))]
    shaky_world.published.clear()
    left = [number]

    def fails(sql: str) -> bool:
        is_account = sql.startswith("UPDATE users SET is_admin")
        left[0] -= is_account
        return is_account and left[0] < 0

    gremlin.fails = fails
    with pytest.raises(Unavailable):
        await shaky_world.store.users.update(ann, update)
    gremlin.fails = lambda _sql: False
    assert [await get(shaky_world, user.id) for user in before] == before
    assert [await works(shaky_world, f"bot:bot{one}") for one in range(3)] == [True] * 3
    assert shaky_world.published == []
    await shaky_world.store.users.update(ann, update)
    assert not any([await works(shaky_world, f"bot:bot{one}") for one in range(3)])
