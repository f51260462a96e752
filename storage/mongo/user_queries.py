"""Finding accounts: by id, and by what somebody typed."""

from collections.abc import Sequence
from typing import Any

from domain.models import User
from domain.text import email_key, name_key
from storage.mongo.database import Database
from storage.mongo.documents import user_of
from storage.username_keys import key_bounds, namesake_key

_HIGHEST = chr(0x10FFFF)

NO_HOOK = {"is_hook": {"$ne": True}}
"""Of the users as whom hooks write, none."""


async def get(database: Database, user_id: int) -> User | None:
    """See `storage.ports.Users.get`."""
    document = await database.get(database.users, str(user_id))
    return None if document is None else user_of(document)


async def of_login(database: Database, login_key: str) -> User | None:
    """See `storage.ports.Users.of_login`."""
    found = await database.find(database.users, {"login_key": login_key}, limit=1)
    return user_of(found[0]) if found else None


async def find(database: Database, login: str) -> User | None:
    """See `storage.ports.Users.find`."""
    key, first, end = key_bounds(login)
    named = {
        "$or": [{"username_key": key}, {"username_key": {"$gte": first, "$lt": end}}],
        "deleted": False,
        **NO_HOOK,
    }
    found = await database.find(database.users, named, sort=[("username_key", 1)])
    if not found and not login.startswith("#"):  # that is how an absent email is stored
        addressed = {"email_key": email_key(login), "deleted": False}
        found = await database.find(database.users, addressed, limit=1)
    # Of namesakes, the one whose name was given exactly but for case, else the one that has the key of the name.
    exact = namesake_key(login)
    found = sorted(found, key=lambda document: document["username_key"] != exact)
    return user_of(found[0]) if found else None


async def search(database: Database, prefix: str, after_id: int, limit: int) -> Sequence[User]:
    """See `storage.ports.Users.search`."""
    key = name_key(prefix)
    wanted: dict[str, Any] = {"deleted": False, "banned": False, "id": {"$gt": after_id}, **NO_HOOK}
    if key:
        wanted["$or"] = _named(key)
    found = await database.find(database.users, wanted, sort=[("id", 1)], limit=limit)
    return [user_of(document) for document in found]


async def search_all(database: Database, prefix: str, after_id: int, limit: int) -> Sequence[User]:
    """See `storage.ports.Users.search_all`."""
    key, address = name_key(prefix), email_key(prefix)
    wanted: dict[str, Any] = {"deleted": False, "id": {"$gt": after_id}, **NO_HOOK}
    if key:
        wanted["$or"] = _named(key)
        if not address.startswith("#"):  # that is how an absent email is stored
            wanted["$or"].append({"email_key": {"$gte": address, "$lt": address + _HIGHEST}})
    found = await database.find(database.users, wanted, sort=[("id", 1)], limit=limit)
    return [user_of(document) for document in found]


def _named(key: str) -> list[dict[str, Any]]:
    """The names that begin with a key."""
    span = {"$gte": key, "$lt": key + _HIGHEST}
    return [{"username_key": span}, {"display_name_key": span}]
