"""Accounts at first sight: their names, and who makes them when several do."""

import asyncio
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from domain.models import User
from domain.refusals import Duplicate
from domain.usernames import is_username
from handlers.issuer.accounts import IssuerAccounts, display_name_of, usernames_for
from handlers.issuer.tokens import Person
from handlers.wire.endings import Ending, Refused
from storage.ports import Store
from storage.sqlite import SqliteStore
from tests.clients.clock import ManualClock


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await SqliteStore.open(tmp_path / "vestnik.db")
    yield store
    await store.close()


def accounts(users: Any, *, create: bool = True, welcomed: list[int] | None = None) -> IssuerAccounts:
    async def welcome(user: User) -> None:
        await asyncio.sleep(0)
        if welcomed is not None:
            welcomed.append(user.id)

    return IssuerAccounts(users, ManualClock(), welcome, create=create, max_name_chars=100)


def test_usernames_begin_as_the_name_elsewhere_and_there_are_enough_of_them() -> None:
    assert list(islice(usernames_for("ann"), 6))[:5] == ["ann", "ann-2", "ann-3", "ann-4", "ann-5"]
    assert next(usernames_for("an")) == "an-2"
    assert next(usernames_for("анна")) == "user-2"
    for wanted in ("ann", "a", "", "x" * 50, "анна"):
        found = list(usernames_for(wanted))
        assert len(set(found)) > 20
        assert all(map(is_username, found))


@pytest.mark.parametrize(
    ("name", "username", "shown"),
    [
        ("Ann Lee", "ann", "Ann Lee"),
        ("  Ann  ", "ann", "Ann"),
        ("Анна 👩‍🚀", "anna", "Анна 👩‍🚀"),
        ("x" * 150, "ann", "x" * 100),
        ("a\u202eb\x00c\n", "ann", "abc"),
        ("", "анна", "анна"),
        ("   ", "ann", "ann"),
        ("\u200b", "", "user-2"),
        ("\ud800", "", "user-2"),
    ],
)
def test_the_display_name_is_the_name_elsewhere_as_far_as_it_can_be(
    name: str, username: str, shown: str
) -> None:
    assert display_name_of(Person("key", username, name), "user-2", 100) == shown


async def test_a_person_is_made_once_and_found_from_then_on(store: Store) -> None:
    welcomed: list[int] = []
    ann = Person("key", "ann", "Ann")
    here = accounts(store.users, welcomed=welcomed)
    ids = await asyncio.gather(*(here.id_of(ann) for _ in range(10)))
    assert len(set(ids)) == 1
    assert welcomed == ids[:1], "who comes in meanwhile waits for the welcome"
    user = await store.users.get(ids[0])
    assert user is not None
    assert (user.username, user.display_name, user.email, user.password_hash) == ("ann", "Ann", None, "")
    assert here.peek(ann) == await accounts(store.users, create=False).id_of(ann) == ids[0]
    with pytest.raises(Refused) as refused:
        await accounts(store.users, create=False).id_of(Person("other", "ann", "Ann"))
    assert refused.value.ending is Ending.UNAUTHENTICATED


async def test_of_several_servers_one_makes_a_person_and_all_find_them(store: Store) -> None:
    welcomed: list[int] = []
    servers = [accounts(store.users, welcomed=welcomed) for _ in range(5)]
    people = [Person(f"key{number % 2}", "ann", "Ann") for number in range(10)]
    ids = await asyncio.gather(*(servers[number // 2].id_of(one) for number, one in enumerate(people)))
    assert len(set(ids)) == 2
    assert ids[::2] == ids[:1] * 5
    assert sorted(welcomed) == sorted(set(ids))
    users = await store.users.get_many(ids)
    assert sorted(user.username for user in users.values()) == ["ann", "ann-2"]


async def test_reserved_and_taken_names_are_passed_over(store: Store) -> None:
    here = accounts(store.users)
    found = [await here.id_of(Person(f"key{number}", "ALL", "")) for number in range(8)]
    users = await store.users.get_many(found)
    assert [users[one].username for one in found][:4] == ["ALL-2", "ALL-3", "ALL-4", "ALL-5"]
    assert len({users[one].username for one in found}) == 8


async def test_without_any_free_name_they_are_asked_to_come_again() -> None:
    class Full:
        async def of_login(self, _key: str) -> None:
            return None

        async def create(self, **_fields: Any) -> User:
            raise Duplicate("username")

    with pytest.raises(Refused) as refused:
        await accounts(Full()).id_of(Person("key", "ann", "Ann"))
    assert refused.value.ending is Ending.OVERLOADED
