"""Nothing reads a whole collection: what is fast with ten messages is fast with ten million. FerretDB cannot tell."""

import asyncio
from typing import Any

import pytest

from storage.mongo import MongoStore, schema
from tests.storage.world import World

_QUERIES: list[tuple[str, dict[str, Any], list[tuple[str, int]]]] = [
    ("changes", {"chat_id": 1, "n": {"$gt": 3}}, [("n", 1)]),
    ("changes", {"sender_id": 1, "client_id": {"$in": ["a", "b"]}}, []),
    ("changes", {"message_id": {"$in": [1, 2]}}, []),
    ("changes", {"message_id": 1, "kind": "edited"}, [("n", -1)]),
    ("messages", {"chat_id": 1, "extra.mentions": {"$in": [0, 2]}, "seq": {"$gt": 3}}, []),
    ("users", {"username_key": {"$in": ["anna", "boris"]}}, []),
    ("messages", {"chat_id": 1, "deleted": False, "seq": {"$lt": 9}}, [("seq", -1)]),
    ("messages", {"chat_id": 1, "deleted": False, "seq": {"$gt": 9}}, [("seq", 1)]),
    ("messages", {"chat_id": 1, "deleted": False, "seq": {"$gt": 9}, "sender_id": {"$ne": 1}}, []),
    ("messages", {"chat_id": 1, "changed_seq": {"$gt": 1, "$lte": 9}}, [("changed_seq", 1)]),
    ("messages", {"chat_id": 1, "pinned": True}, []),
    ("members", {"chat_id": 1, "gone": False}, []),
    (
        "members",
        {
            "chat_id": 1,
            "gone": False,
            "$or": [{"joined_at": {"$gt": 1}}, {"joined_at": 1, "user_id": {"$gt": 1}}],
        },
        [("joined_at", 1), ("user_id", 1)],
    ),
    ("members", {"chat_id": {"$in": [1, 2]}, "gone": False, "user_id": {"$in": [1, 2]}}, []),
    ("members", {"user_id": 1, "gone": False}, []),
    ("users", {"username_key": "anna", "deleted": False}, []),
    ("users", {"email_key": "a@b.c", "deleted": False}, []),
    ("users", {"deleted": False, "id": {"$gt": 1}}, [("id", 1)]),
    ("sessions", {"user_id": 1}, [("_id", 1)]),
    ("tokens", {"session_id": "s", "expires_at": {"$lte": 1}}, []),
    ("pairs", {"users": "1 2"}, [("generation", -1)]),
    ("blocks", {"kind": "users"}, [("number", -1)]),
    ("chats", {"deleted": True, "swept": False}, []),
    ("chats", {"is_public": True, "deleted": False, "id": {"$gt": 1}}, [("id", 1)]),
    ("invites", {"chat_id": 1, "ended": False}, []),
    ("invites", {"chat_id": 1, "created_by": 1, "n": {"$lt": 3}, "ended": False}, []),
    ("invites", {"chat_id": None, "expires_at": {"$ne": None, "$lte": 1}}, []),
    ("claims", {"invite": "code"}, []),
    ("users", {"avatar_id": {"$in": ["a", "b"]}}, []),
    ("chats", {"avatar_id": {"$in": ["a", "b"]}}, []),
    ("uploads", {"user_id": 1, "message_id": None}, []),
    ("uploads", {"message_id": None, "created_at": {"$lt": 1}}, [("created_at", 1)]),
    ("quotas", {"entry": "+a"}, []),
    ("quotas", {"user_id": 1}, [("n", -1)]),
    ("files", {"_id": {"$gt": "a"}, "kept_at": {"$lt": 1}}, [("_id", 1)]),
    ("file_writings", {"begun_at": {"$lt": 1}}, []),
    ("freed_files", {"_id": {"$gt": "a"}}, [("_id", 1)]),
]


def stages(plan: Any) -> set[str]:
    if isinstance(plan, list):
        return set().union(*map(stages, plan))
    if not isinstance(plan, dict):
        return set()
    own = {plan["stage"]} if "stage" in plan else set()
    return own.union(*map(stages, plan.values()))


@pytest.fixture
async def planning_store(mongo_store: MongoStore) -> MongoStore:
    """A store whose server can explain; skips if there is none."""
    if "ferretdbVersion" in await mongo_store._database.client.admin.command("buildInfo"):
        pytest.skip("FerretDB has no plans to show")
    return mongo_store


async def test_every_query_goes_by_an_index(planning_store: MongoStore) -> None:
    database = planning_store._database
    world = World(planning_store)
    anna = await world.user()
    await world.send(await world.chat(anna), anna)
    for collection, query, sort in _QUERIES:
        cursor = getattr(database, collection).find(query)
        explained = await (cursor.sort(sort) if sort else cursor).explain()
        found = stages(explained["queryPlanner"]["winningPlan"])
        assert "COLLSCAN" not in found, (collection, query)
        assert "SORT" not in found, (collection, query)


async def test_unread_of_others_steps_over_ones_own(planning_store: MongoStore) -> None:
    """What a member wrote himself costs nothing, however much that is."""
    world, messages = World(planning_store), planning_store._database.messages
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await asyncio.gather(*(world.send(chat_id, anna) for _ in range(2500)))
    await asyncio.gather(*(world.send(chat_id, boris) for _ in range(3)))
    wanted = {"chat_id": chat_id, "deleted": False, "seq": {"$gt": 100}, "sender_id": {"$ne": anna}}
    explained = await messages.find(wanted).hint(list(schema.BY_SENDER)).explain()
    assert explained["executionStats"]["nReturned"] == 3
    assert explained["executionStats"]["totalKeysExamined"] < 20


async def test_unread_mentions_are_found_by_their_index(planning_store: MongoStore) -> None:
    world, messages = World(planning_store), planning_store._database.messages
    anna, boris, carl = [await world.user(name) for name in ("anna", "boris", "carl")]
    chat_id = await world.chat(anna, boris, carl)
    await asyncio.gather(*(world.send(chat_id, anna, "hello") for _ in range(500)))
    await asyncio.gather(*(world.send(chat_id, anna, "@boris") for _ in range(3)))
    clauses = [
        {"chat_id": chat_id, "extra.mentions": user_id, "seq": {"$gt": 0}} for user_id in (0, boris, carl)
    ]
    explained = await messages.find({"$or": clauses}).hint(list(schema.BY_MENTION)).explain()
    assert explained["executionStats"]["nReturned"] == 3
    assert explained["executionStats"]["totalKeysExamined"] < 20


async def test_opening_again_makes_nothing_new(mongo_store: MongoStore) -> None:
    database = mongo_store._database
    before = {one.name: await one.index_information() for one in schema.indexes(database)}
    await schema.prepare(database)
    assert {one.name: await one.index_information() for one in schema.indexes(database)} == before
    assert ("chat_id_1_changed_seq_1" in before["messages"]) == database.finds_many
    assert before["changes"]["sender_id_1_client_id_1"]["unique"]
