"""Users whose login is elsewhere: one for a login, for ever."""

import asyncio

import pytest

from domain.acts import AccountUpdate, Act
from domain.refusals import Duplicate
from tests.storage.world import START, World

pytestmark = pytest.mark.long_on_mongo


async def user_of(world: World, login_key: str, username: str) -> int:
    user = await world.store.users.create(
        username=username,
        display_name=username,
        email=None,
        password_hash="",
        created_at=START,
        login_key=login_key,
    )
    assert user.login_key == login_key
    return user.id


async def test_a_user_is_found_by_their_login_and_by_that_alone(world: World) -> None:
    plain = await world.user("plain")
    ann = await user_of(world, "key of ann", "ann")
    users = world.store.users
    for key, user_id in (("key of ann", ann), ("key of Ann", None), ("", None), ("plain", None)):
        found = await users.of_login(key)
        assert (None if found is None else found.id) == user_id
    assert await users.of_login("key of ann") == await users.get(ann) == await users.find("ann")
    for login in ("key of ann", "#login key of ann", "#", f"#{ann}"):
        assert await users.find(login) is None
    assert [one.id for one in await users.search_all("#login", after_id=0, limit=10)] == []
    user = await users.get(plain)
    assert user is not None
    assert user.login_key is None


async def test_a_login_is_of_one_user_whoever_is_first(world: World) -> None:
    await user_of(world, "one", "ann")
    with pytest.raises(Duplicate) as taken:
        await user_of(world, "one", "other")
    assert taken.value.field == "login"
    with pytest.raises(Duplicate) as both:
        await user_of(world, "one", "ann")
    assert both.value.field == "login", "who is there already is found, and gets no second name"
    with pytest.raises(Duplicate) as name:
        await user_of(world, "two", "ANN")
    assert name.value.field == "username"
    made = await asyncio.gather(
        *(user_of(world, "three", f"name{number}") for number in range(20)), return_exceptions=True
    )
    assert sum(isinstance(one, int) for one in made) == 1
    assert {one.field for one in made if isinstance(one, Duplicate)} == {"login"}


async def test_an_ended_account_keeps_its_login(world: World) -> None:
    users = world.store.users
    ann = await user_of(world, "one", "ann")
    await users.update(ann, AccountUpdate(banned=True), Act(None, START))
    await users.delete(ann)
    found = await users.of_login("one")
    assert found is not None
    assert (found.id, found.deleted, found.login_key) == (ann, True, "one")
    with pytest.raises(Duplicate) as taken:
        await user_of(world, "one", "ann2")
    assert taken.value.field == "login"
