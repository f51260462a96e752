"""Admins of the server, in both stores: who becomes one, and that one stays."""

import asyncio
from collections.abc import Awaitable

import pytest

from domain.acts import AccountUpdate, Act
from domain.changes import SessionsRevoked, UserChanged
from domain.models import User
from domain.refusals import BadReference, Duplicate, Forbidden, LastAdmin, NotFound, Refusal
from tests.storage.world import START, World, at

pytestmark = pytest.mark.long_on_mongo

SHELL = Act(None, at(1))
MAKE, TAKE = AccountUpdate(is_admin=True), AccountUpdate(is_admin=False)
BAN, UNBAN, END = AccountUpdate(banned=True), AccountUpdate(banned=False), AccountUpdate(deleted=True)


async def first(world: World, username: str = "ada", setup_hash: str = "hash", **more: object) -> User:
    fields = {"display_name": "Ada", "email": None, "password_hash": "$2b$", "created_at": START} | more
    return await world.store.users.create_first_admin(setup_hash=setup_hash, username=username, **fields)


async def admin(world: World, username: str | None = None) -> int:
    user_id = await world.user(username)
    await world.store.users.update(user_id, MAKE, SHELL)
    return user_id


async def outcomes(*calls: Awaitable[object]) -> list[type]:
    return [type(one) for one in await asyncio.gather(*calls, return_exceptions=True)]


async def active_admins(world: World) -> list[int]:
    users = await world.store.users.search_all("", after_id=0, limit=100)
    return [user.id for user in users if user.is_admin and user.active]


async def actions(world: World) -> list[tuple[str, int | None, int | None]]:
    """The entries of the server, the oldest first."""
    entries, _ = await world.store.audit.page(None, cursor=None, limit=100)
    return [(entry.action, entry.actor_id, entry.user_id) for entry in reversed(entries)]


async def test_the_right_code_makes_the_first_admin_once(world: World) -> None:
    users = world.store.users
    assert (await users.admin(), await users.setup_hash()) == (None, None)
    await users.keep_setup_hash("earlier")
    await users.keep_setup_hash("hash")
    for wrong in ("earlier", "other", ""):
        with pytest.raises(Forbidden):
            await first(world, setup_hash=wrong)
    assert not await users.exist()
    ada = await first(world)
    assert (ada.is_admin, await users.get(ada.id), await users.admin()) == (True, ada, ada)
    with pytest.raises(Forbidden):
        await first(world, "eve")
    await users.keep_setup_hash("new")
    with pytest.raises(Forbidden):
        await first(world, "eve", setup_hash="new")
    assert await users.find("eve") is None
    assert await actions(world) == [("admin_added", ada.id, ada.id)]


async def test_a_failed_setup_uses_nothing_up(world: World) -> None:
    await world.user("ada", email="a@example.org")
    await world.store.users.keep_setup_hash("hash")
    with pytest.raises(Duplicate):
        await first(world)
    with pytest.raises(Duplicate):
        await first(world, "eve", email="A@example.org")
    assert await world.store.users.find("eve") is None
    assert (await first(world, "eve")).is_admin


async def test_of_many_at_once_one_is_the_first_admin(world: World) -> None:
    await world.store.users.keep_setup_hash("hash")
    found = await outcomes(*(first(world, f"person{number}") for number in range(10)))
    assert sorted(kind.__name__ for kind in found) == ["Forbidden"] * 9 + ["User"]
    users = await world.store.users.search_all("", after_id=0, limit=100)
    assert [user.is_admin for user in users] == [True]


async def test_an_admin_is_made_with_the_account(world: World) -> None:
    ada = await world.user("ada", is_admin=True, act=SHELL)
    assert await active_admins(world) == [ada]
    bob = await world.user("bob", is_admin=True, act=Act(ada, at(2)))
    assert await active_admins(world) == [ada, bob]
    assert await actions(world) == [
        ("user_created", None, ada),
        ("admin_added", None, ada),
        ("user_created", ada, bob),
        ("admin_added", ada, bob),
    ]
    carl = await world.user("carl")
    with pytest.raises(Forbidden):
        await world.user("dora", act=Act(carl, at(3)))
    assert await world.store.users.find("dora") is None


@pytest.mark.parametrize("update", [TAKE, BAN, END])
async def test_the_last_active_admin_stays_one(world: World, update: AccountUpdate) -> None:
    users, ada = world.store.users, await admin(world, "ada")
    banned = await admin(world)
    await users.update(banned, BAN, SHELL)
    before = await users.get(ada)
    world.published.clear()
    for act in (SHELL, Act(ada, at(2))):
        with pytest.raises(LastAdmin):
            await users.update(ada, update, act)
    with pytest.raises(LastAdmin):
        await users.set_banned(ada, True) if update is BAN else await users.update(ada, update)
    assert (await users.get(ada), world.published) == (before, [])
    await users.update(banned, UNBAN, SHELL)
    await users.update(ada, update, SHELL)
    assert await active_admins(world) == [banned]


async def test_who_comes_back_is_an_admin_again(world: World) -> None:
    users, ada, bob = world.store.users, await admin(world), await admin(world)
    await users.update(bob, BAN, SHELL)
    assert await active_admins(world) == [ada]
    await users.update(bob, UNBAN, SHELL)
    await users.update(ada, END, SHELL)
    assert await active_admins(world) == [bob]
    ended = await users.get(ada)
    assert ended is not None
    assert (ended.is_admin, ended.deleted, ended.email, ended.password_hash) == (False, True, None, "")


async def test_who_is_banned_is_made_an_admin_for_later(world: World) -> None:
    users, ada, bob = world.store.users, await admin(world), await world.user()
    await users.set_banned(bob, True)
    await users.update(bob, MAKE, SHELL)
    with pytest.raises(LastAdmin):
        await users.update(ada, TAKE, SHELL)
    await users.set_banned(bob, False)
    await users.update(ada, TAKE, SHELL)
    assert await active_admins(world) == [bob]


async def test_two_admins_who_demote_each_other_leave_one(world: World) -> None:
    for _ in range(3):
        users, (one, two) = world.store.users, [await admin(world), await admin(world)]
        for other in await active_admins(world):
            if other not in (one, two):
                await users.update(other, TAKE, SHELL)
        found = await outcomes(
            users.update(two, TAKE, Act(one, at(2))), users.update(one, TAKE, Act(two, at(2)))
        )
        assert found.count(User) == 1
        assert issubclass(next(kind for kind in found if kind is not User), Refusal)
        assert len(await active_admins(world)) == 1


async def test_of_acts_of_all_kinds_at_once_one_admin_is_left(world: World) -> None:
    users, (one, two, three) = world.store.users, [await admin(world) for _ in range(3)]
    found = await outcomes(
        users.update(one, TAKE, SHELL),
        users.update(two, BAN, SHELL),
        users.update(three, END, SHELL),
        users.update(one, BAN, SHELL),
        users.update(two, END, SHELL),
        users.update(three, TAKE, SHELL),
    )
    assert LastAdmin in found
    assert len(await active_admins(world)) == 1


async def test_all_of_an_update_or_nothing(world: World) -> None:
    users, ada = world.store.users, await admin(world)
    before = await users.get(ada)
    with pytest.raises(LastAdmin):
        await users.update(ada, AccountUpdate(is_admin=False, banned=False, display_name="New"), SHELL)
    assert await users.get(ada) == before
    bob = await world.user("bob")
    await users.update(bob, AccountUpdate(is_admin=True, banned=True, display_name="New"), Act(ada, at(2)))
    after = await users.get(bob)
    assert after is not None
    assert (after.is_admin, after.banned, after.display_name) == (True, True, "New")
    assert [name for name, actor_id, _ in await actions(world) if actor_id == ada] == [
        "user_renamed",
        "user_banned",
        "admin_added",
    ]


async def test_only_admins_act_on_others(world: World) -> None:
    users, ada, bob = world.store.users, await admin(world), await world.user()
    carl = await world.user()
    for update in (MAKE, BAN, END):
        with pytest.raises(Forbidden):
            await users.update(carl, update, Act(bob, at(2)))
    with pytest.raises(Forbidden):
        await users.change_password(carl, "$2b$new", keep_session=None, act=Act(bob, at(2)))
    await users.change_password(carl, "$2b$new", keep_session=None, act=Act(ada, at(2)))
    await users.update(bob, END, Act(bob, at(3)))
    assert (await actions(world))[-2:] == [("password_reset", ada, carl), ("user_deleted", bob, bob)]
    with pytest.raises(NotFound):
        await users.update(bob, BAN, SHELL)
    with pytest.raises(NotFound):
        await users.update(999, BAN, SHELL)


async def test_the_right_of_an_admin_is_published_to_themselves(world: World) -> None:
    ada, bob = await admin(world), await world.user()
    world.published.clear()
    await world.store.users.update(bob, MAKE, SHELL)
    (made,) = world.published
    assert isinstance(made, UserChanged)
    assert (made.user.is_admin, made.shown, made.own) == (True, False, True)
    await world.store.sessions.create(
        session_id="s", user_id=bob, token_hash="t", expires_at=at(999), created_at=START
    )
    world.published.clear()
    await world.store.users.update(bob, AccountUpdate(is_admin=False, banned=True), Act(ada, at(2)))
    assert {type(change) for change in world.published} == {UserChanged, SessionsRevoked}
    changed = next(change for change in world.published if isinstance(change, UserChanged))
    assert (changed.user.active, changed.shown, changed.own) == (False, True, True)
    world.published.clear()
    await world.store.users.update(ada, MAKE, SHELL)  # as it is
    assert world.published == []


async def test_admins_find_banned_users_too_and_by_email(world: World) -> None:
    users = world.store.users
    ann = await world.user("ann", display_name="Zoe", email="Reader@example.org")
    bob, gone = await world.user("bob", display_name="Annabel"), await world.user("anna")
    await users.set_banned(ann, True)
    await users.delete(gone)

    async def found(prefix: str, after_id: int = 0, limit: int = 10) -> list[int]:
        return [one.id for one in await users.search_all(prefix, after_id=after_id, limit=limit)]

    assert await found("") == [ann, bob]
    assert await found("ANN") == [ann, bob]
    assert await found("zo") == [ann]
    assert await found("reader@EX") == [ann]
    assert await found("", after_id=ann) == [bob]
    assert await found("", limit=1) == [ann]
    for odd in ("%", "_", ".*", "$gt", '{"$ne": 1}', "' OR 1=1 --", "\x00", "#", "#1", "*"):
        assert await found(odd) == []


async def test_the_audit_is_paged_newest_first(world: World) -> None:
    ada = await admin(world)
    for number in range(6):
        await world.store.users.update(
            ada, AccountUpdate(display_name=f"Ada {number}"), Act(ada, at(2 + number))
        )
    audit, details, cursor = world.store.audit, [], None
    while True:
        entries, cursor = await audit.page(None, cursor=cursor, limit=3)
        assert 0 < len(entries) <= 3
        details += [entry.detail for entry in entries if entry.action == "user_renamed"]
        if cursor is None:
            break
    assert details == [f"Ada {number}" for number in reversed(range(6))]
    assert entries[-1].at == SHELL.at
    assert await audit.page(77, cursor=None, limit=10) == ([], None)
    for bad in ("", "x", "1", "1.5"):
        with pytest.raises(BadReference):
            await audit.page(None, cursor=bad, limit=10)
