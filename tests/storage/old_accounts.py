"""Accounts of a database made when names were compared without case and no more."""

import pytest

from domain.refusals import Duplicate
from storage.ports import Store
from tests.storage.world import World

# Name, display name, banned, deleted; the ids are 1, 2, 3…
OLD_ACCOUNTS = [
    ("anna", "Jose\u0301", 0, 0),
    ("Jos\u00e9", "ＷＩＤＥ", 0, 0),
    ("Jose\u0301", "  \u202eevil\n", 0, 0),
    ("JOS\uff25\u0301", "\u3164", 0, 0),
    ("\uff41\uff42\uff43", "x", 0, 0),
    ("abc", "x", 0, 0),
    ("\uff58yz", "x", 0, 0),
    ("gone", "gone", 0, 1),
    ("out", "Out", 1, 0),
]


async def check_upgraded(store: Store) -> None:
    """Everybody is found by what they were called, nobody new is called the same."""
    users = store.users
    for number, (username, *_, deleted) in enumerate(OLD_ACCOUNTS, start=1):
        for login in (username, username.upper(), f"e{number}@X.y"):
            found = await users.find(login)
            assert (found and found.id) == (None if deleted else number), login
    # A form that no account has exactly finds any account of that name.
    for login, ids in (("ＪＯＳÉ", {2, 3, 4}), ("ＸＹＺ", {7}), ("Ａbc", {5, 6})):
        found = await users.find(login)
        assert found is not None
        assert found.id in ids
    for prefix, ids in (
        ("jose\u0301", [1, 2, 3, 4]),
        ("JOS\u00c9", [1, 2, 3, 4]),
        ("wide", [2]),
        ("ab", [5, 6]),
    ):
        assert [user.id for user in await users.search(prefix, after_id=0, limit=9)] == ids
    world = World(store)
    for taken in ("jose\u0301", "JOS\u00c9", "ＡＢＣ", "xyz", "gone", "out"):
        with pytest.raises(Duplicate):
            await world.user(taken)
