"""The log of admins on several nodes, and when a node dies in the middle."""

import asyncio
from collections.abc import Awaitable

import pytest

from domain.acts import AccountUpdate, Act
from domain.models import User
from domain.refusals import Duplicate, Forbidden, LastAdmin
from storage.mongo import MongoStore
from storage.mongo.admin_log import AdminRow
from tests.storage.world import START, World, at

SHELL = Act(None, at(1))
MAKE, TAKE = AccountUpdate(is_admin=True), AccountUpdate(is_admin=False)
BAN, END = AccountUpdate(banned=True), AccountUpdate(deleted=True)


async def kinds(*calls: Awaitable[object]) -> list[str]:
    found = await asyncio.gather(*calls, return_exceptions=True)
    return sorted(type(one).__name__ for one in found)


async def active_admins(store: MongoStore) -> list[int]:
    users = await store.users.search_all("", after_id=0, limit=100)
    return [user.id for user in users if user.is_admin and user.active]


async def first(store: MongoStore, username: str, setup_hash: str) -> User:
    return await store.users.create_first_admin(
        setup_hash=setup_hash,
        username=username,
        display_name=username,
        email=None,
        password_hash="$2b$",
        created_at=START,
    )


class Crash(Exception):
    """Stands for the end of the process."""


def crash_before_writing(store: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store inserts changes into the log and never writes them to the accounts."""

    async def write(_row: AdminRow) -> None:
        raise Crash

    monkeypatch.setattr(store.users._acts.log, "write", write)


@pytest.mark.parametrize("update", [TAKE, BAN, END])
async def test_on_two_nodes_one_admin_is_left(
    mongo_store: MongoStore, second_store: MongoStore, update: AccountUpdate
) -> None:
    world = World(mongo_store)
    for _ in range(3):
        one, two = await world.users(2)
        for user_id in (one, two):
            await mongo_store.users.update(user_id, MAKE, SHELL)
        for other in await active_admins(mongo_store):
            if other not in (one, two):
                await mongo_store.users.update(other, TAKE, SHELL)
        found = await kinds(
            mongo_store.users.update(two, update, SHELL), second_store.users.update(one, update, SHELL)
        )
        assert found == ["LastAdmin", "User"]
        assert len(await active_admins(second_store)) == 1


async def test_on_two_nodes_one_is_the_first_admin(mongo_store: MongoStore, second_store: MongoStore) -> None:
    await mongo_store.users.keep_setup_hash("hash")
    found = await kinds(
        *(
            first(store, f"{name}{n}", "hash")
            for n in range(4)
            for name, store in (("a", mongo_store), ("b", second_store))
        )
    )
    assert found == ["Forbidden"] * 7 + ["User"]
    users = await mongo_store.users.search_all("", after_id=0, limit=100)
    assert [user.is_admin for user in users] == [True]


async def test_the_code_of_a_node_that_starts_later_counts(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    await mongo_store.users.keep_setup_hash("first")
    await second_store.users.keep_setup_hash("second")
    found = await kinds(first(mongo_store, "ann", "first"), first(second_store, "bob", "second"))
    assert found == ["Forbidden", "User"]


async def test_who_was_made_the_first_admin_by_a_node_that_died_is_one(
    mongo_store: MongoStore, second_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await mongo_store.users.keep_setup_hash("hash")
    crash_before_writing(mongo_store, monkeypatch)
    with pytest.raises(Crash):
        await first(mongo_store, "ann", "hash")
    with pytest.raises(Forbidden):
        await first(second_store, "bob", "hash")
    ann = await second_store.users.find("ann")
    assert ann is not None
    assert (ann.is_admin, await second_store.users.find("bob")) == (True, None)


async def test_a_node_that_died_before_it_claimed_leaves_the_link_good(
    mongo_store: MongoStore, second_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def make_first(_user_id: int) -> AdminRow:
        raise Crash

    await mongo_store.users.keep_setup_hash("hash")
    monkeypatch.setattr(mongo_store.users._acts.log, "make_first", make_first)
    with pytest.raises(Crash):
        await first(mongo_store, "ann", "hash")
    with pytest.raises(Duplicate):
        await first(second_store, "ann", "hash")
    assert (await first(second_store, "bob", "hash")).is_admin


@pytest.mark.parametrize("update", [TAKE, BAN, END])
async def test_what_a_node_that_died_took_away_counts(
    mongo_store: MongoStore, second_store: MongoStore, monkeypatch: pytest.MonkeyPatch, update: AccountUpdate
) -> None:
    one, two = await World(mongo_store).users(2)
    for user_id in (one, two):
        await mongo_store.users.update(user_id, MAKE, SHELL)
    crash_before_writing(mongo_store, monkeypatch)
    with pytest.raises(Crash):
        await mongo_store.users.update(one, update, SHELL)
    for last in (TAKE, BAN, END):
        with pytest.raises(LastAdmin):
            await second_store.users.update(two, last, SHELL)
    assert await active_admins(second_store) == [two]


async def test_what_a_slow_node_writes_late_is_mended(
    mongo_store: MongoStore,
    second_store: MongoStore,
    monkeypatch: pytest.MonkeyPatch,
    gate: asyncio.Event,
) -> None:
    """The first node stops between the log and the account, while the second one does the opposite."""
    one, two = await World(mongo_store).users(2)
    await mongo_store.users.update(one, MAKE, SHELL)
    log = mongo_store.users._acts.log
    write = log.write

    async def write_late(row: AdminRow) -> None:
        await gate.wait()
        await write(row)

    monkeypatch.setattr(log, "write", write_late)
    slow = asyncio.create_task(mongo_store.users.update(two, MAKE, SHELL))
    while not (user := await second_store.users.get(two)) or not user.is_admin:
        await second_store.users.admin()  # which writes the newest change
    await second_store.users.update(two, TAKE, SHELL)
    gate.set()
    await slow
    assert await active_admins(second_store) == [one]


async def test_on_two_nodes_the_default_chat_is_created_once(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    ada, bob = await World(mongo_store).users(2)
    await asyncio.gather(
        mongo_store.chats.create_default(name="A", owner_id=ada, created_at=START),
        second_store.chats.create_default(name="B", owner_id=bob, created_at=START),
    )
    chat_ids = [*await mongo_store.chats.ids_of(ada), *await mongo_store.chats.ids_of(bob)]
    assert len(chat_ids) == 1
    await asyncio.gather(*(store.chats.join_default(ada, at(1)) for store in (mongo_store, second_store)))
    assert await mongo_store.chats.ids_of(ada) == chat_ids


async def test_a_node_that_died_leaves_the_default_chat_to_the_next(
    mongo_store: MongoStore, second_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = await World(mongo_store).users(2)

    def submit(_item: object) -> None:
        raise Crash

    monkeypatch.setattr(mongo_store._writer, "submit", submit)
    with pytest.raises(Crash):
        await mongo_store.chats.create_default(name="A", owner_id=ada, created_at=START)
    await second_store.chats.join_default(bob, at(1))
    assert await second_store.chats.ids_of(bob) == []
    await second_store.chats.create_default(name="B", owner_id=bob, created_at=START)
    assert len(await second_store.chats.ids_of(bob)) == 1


@pytest.mark.parametrize("dies", ["before the account", "after the account"])
async def test_a_node_that_dies_while_it_creates_an_admin_leaves_no_plain_account(
    mongo_store: MongoStore, second_store: MongoStore, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    acts = mongo_store.users._acts
    expect = acts.log.expect

    async def dying_expect(user_id: int) -> None:
        await expect(user_id)
        raise Crash

    async def dying_note(*_words: object) -> None:
        raise Crash

    if dies == "before the account":
        monkeypatch.setattr(acts.log, "expect", dying_expect)
    else:
        monkeypatch.setattr(acts, "note", dying_note)
    with pytest.raises(Crash):
        await World(mongo_store).user("root", is_admin=True, act=SHELL)
    if dies == "before the account":
        assert await second_store.users.find("root") is None
        assert await second_store.users.admin() is None
        again = await World(second_store).user("root", is_admin=True, act=SHELL)
    else:
        found = await second_store.users.find("root")
        assert found is not None
        again = found.id
    assert await active_admins(second_store) == [again]
    admin = await second_store.users.admin()
    assert admin is not None
    assert (admin.id, admin.is_admin) == (again, True)
    assert await kinds(second_store.users.update(again, TAKE, SHELL)) == ["LastAdmin"]
    boris = await World(second_store).user("boris")
    await second_store.users.update(boris, MAKE, SHELL)
    await second_store.users.update(again, TAKE, SHELL)
    assert await active_admins(second_store) == [boris]


async def test_of_several_who_create_the_same_admin_one_does(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    worlds = [World(mongo_store), World(second_store)] * 3
    created = [world.user("root", is_admin=True, act=SHELL) for world in worlds]
    assert await kinds(*created) == ["Duplicate"] * 5 + ["int"]
    (root,) = await active_admins(second_store)
    assert await kinds(second_store.users.update(root, TAKE, SHELL)) == ["LastAdmin"]
