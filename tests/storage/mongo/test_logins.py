"""Logins elsewhere on MongoDB: two servers, and accounts of before."""

import asyncio

import pytest

from domain.models import User
from domain.refusals import Duplicate
from handlers.issuer.accounts import IssuerAccounts
from handlers.issuer.tokens import Person
from storage.mongo import MongoStore
from tests.clients.clock import ManualClock
from tests.storage.world import START


def accounts(store: MongoStore) -> IssuerAccounts:
    async def welcome(_user: User) -> None:
        return None

    return IssuerAccounts(store.users, ManualClock(), welcome, create=True, max_name_chars=100)


async def test_of_two_servers_one_makes_a_person(mongo_store: MongoStore, second_store: MongoStore) -> None:
    here, there = accounts(mongo_store), accounts(second_store)
    people = [Person(f"key{number}", "ann", "Ann") for number in range(4)]
    ids = await asyncio.gather(*(each.id_of(person) for person in people for each in (here, there)))
    assert ids[::2] == ids[1::2]
    assert len(set(ids)) == 4
    users = await mongo_store.users.get_many(ids)
    assert sorted(user.username for user in users.values()) == ["ann", "ann-2", "ann-3", "ann-4"]


async def test_a_login_stays_taken_whatever_an_earlier_version_wrote_at_the_end(
    mongo_store: MongoStore,
) -> None:
    ann = await accounts(mongo_store).id_of(Person("key", "ann", "Ann"))
    users = mongo_store._database.users
    document = await users.find_one({"_id": str(ann)})
    assert document is not None
    assert document["email_key"] == "#login key"
    # As a server that knows no logins ends an account.
    await users.update_one({"_id": str(ann)}, {"$set": {"deleted": True, "email_key": f"#{ann}"}})
    found = await mongo_store.users.of_login("key")
    assert found is not None
    assert (found.id, found.deleted) == (ann, True)
    assert await accounts(mongo_store).id_of(Person("key", "ann", "Ann")) == ann


async def test_accounts_from_before_have_none(mongo_store: MongoStore) -> None:
    created = await mongo_store.users.create(
        username="old", display_name="Old", email="old@example.org", password_hash="", created_at=START
    )
    document = await mongo_store._database.users.find_one({"_id": str(created.id)})
    assert document is not None
    assert "login_key" not in document
    with pytest.raises(Duplicate):
        await mongo_store.users.create(
            username="new", display_name="New", email="OLD@example.org", password_hash="", created_at=START
        )
