"""Bots on two nodes at once, and what a node leaves that dies."""

import asyncio
from typing import Any

import pytest

from domain.acts import AccountUpdate
from domain.changes import SessionsRevoked, UserChanged
from domain.decisions.bots import BOTS_MAX
from domain.models import User
from domain.refusals import Duplicate, Forbidden, NotFound, TooMany
from storage.errors import Unavailable
from storage.mongo import MongoStore
from tests.storage.conftest import MongoPlace
from tests.storage.contract.test_bots import ban, create, get, works
from tests.storage.mongo.nodes import Node
from tests.storage.world import World, at


async def test_of_25_at_once_at_two_nodes_20_are_made(here: Node, there: Node) -> None:
    ann = await here.user()
    results = await asyncio.gather(
        *(create((here, there)[number % 2], ann, f"bot{number}") for number in range(BOTS_MAX + 5)),
        return_exceptions=True,
    )
    made = [result for result in results if isinstance(result, User)]
    assert len(made) == BOTS_MAX
    assert sum(isinstance(result, TooMany) for result in results) == 5
    assert [bot.id for bot in await there.store.bots.of_owner(ann)] == sorted(bot.id for bot in made)
    places = {(await document(here, bot.id))["email_key"] for bot in made}
    assert len(places) == BOTS_MAX
    await there.store.users.delete(made[0].id)
    await create(here, ann, "another")
    with pytest.raises(TooMany):
        await create(there, ann, "late")


async def document(world: Node, user_id: int) -> Any:
    return await world.store._database.users.find_one({"_id": str(user_id)})


async def test_one_username_for_bots_of_two_nodes(here: Node, there: Node) -> None:
    owners = await here.users(4)
    results = await asyncio.gather(
        *(create(world, owner, "echo", f"bot:{owner}") for owner in owners for world in (here, there)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, Duplicate) for result in results) == 7


async def test_of_renewals_at_two_nodes_one_token_works(here: Node, there: Node) -> None:
    bot = await create(here, await here.user())
    for time in range(5):
        tokens = [f"bot:{time} {number}" for number in range(6)]
        await asyncio.gather(
            # The clock of the other node is far behind.
            *(
                (here, there)[number % 2].store.bots.renew_token(bot.id, token, at(-1000 * (number % 2)))
                for number, token in enumerate(tokens)
            )
        )
        assert len([token for token in tokens if await works(here, token)]) == 1
        assert len(await there.store.sessions.of_user(bot.id, now=at(0), limit=99)) == 1


@pytest.mark.parametrize("update", [AccountUpdate(banned=True), AccountUpdate(deleted=True)])
async def test_an_owner_ends_at_one_node_while_the_other_makes_bots(
    here: Node, there: Node, update: AccountUpdate
) -> None:
    ann = await here.user()
    first = await create(here, ann, "first")
    results = await asyncio.gather(
        *(create(there, ann, f"racing{number}") for number in range(8)),
        *(there.store.bots.renew_token(first.id, f"bot:new{number}", at(1)) for number in range(4)),
        here.store.users.update(ann, update),
        return_exceptions=True,
    )
    allowed = (User, Forbidden, NotFound, type(None))
    assert [result for result in results if not isinstance(result, allowed)] == []
    for bot in await here.store.bots.of_owner(ann):
        assert (bot.banned, bot.banned_with_owner) == (True, True)
    tokens = ["bot:first", *(f"bot:racing{n}" for n in range(8)), *(f"bot:new{n}" for n in range(4))]
    assert [token for token in tokens if await works(there, token)] == []


async def test_another_node_hears_what_became_of_bots(here: Node, there: Node) -> None:
    ann = await here.user()
    bot = await create(here, ann)
    await there.look()
    there.take()
    await here.store.bots.renew_token(bot.id, "bot:2", at(1))
    await there.look()
    assert there.take(SessionsRevoked) == [SessionsRevoked(bot.id, ["bot:echo"])]
    await ban(here, ann)
    await there.look()
    changes = there.take()
    assert {one.user.id: one.user.active for one in changes if isinstance(one, UserChanged)} == {
        ann: False,
        bot.id: False,
    }
    revoked = [one.session_ids for one in changes if isinstance(one, SessionsRevoked)]
    assert any("bot:2" in session_ids for session_ids in revoked)


async def settled(store: MongoStore) -> World:
    """A node that has mended what it found at its start."""
    assert store._mending is not None
    await store._mending
    return World(store)


@pytest.mark.parametrize("fields", [{"banned": True}, {"deleted": True}])
async def test_bots_whose_owner_ended_at_a_node_that_died_follow_at_the_next_start(
    here: Node, mongo_place: MongoPlace, fields: dict[str, bool]
) -> None:
    ann, bob = await here.users(2)
    bot, other = await create(here, ann), await create(here, bob, "other")
    chat_id = await here.chat(bot.id, bob)
    users = here.store._database.users
    await users.update_one({"_id": str(ann)}, {"$set": fields})  # and it died before it came to the bots
    there = await settled(await mongo_place.open())
    found = await get(there, bot.id)
    assert (found.banned_with_owner, found.deleted) == ("banned" in fields, "deleted" in fields)
    assert (await works(there, "bot:echo"), await works(there, "bot:other")) == (False, True)
    assert await get(there, other.id) == other
    state = await there.store.chats.load(chat_id)
    assert state is not None
    assert {one.user_id: one.role for one in state.members.values()} == {bot.id: "member", bob: "owner"}
    await users.update_one({"_id": str(ann)}, {"$set": {"banned": False}})
    again = await settled(await mongo_place.open())
    assert (await get(again, bot.id)).active == ("banned" in fields)
    for world in (there, again):
        await world.store.close()


async def test_a_repeated_ban_reaches_the_bots_that_the_first_did_not(
    here: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await here.user()
    bots = [await create(here, ann, f"bot{number}") for number in range(3)]
    acts = here.store.users._acts
    original = acts.update

    async def update(user_id: int, *rest: Any) -> User:
        if user_id == bots[1].id:
            raise Unavailable("away")
        return await original(user_id, *rest)

    monkeypatch.setattr(acts, "update", update)
    with pytest.raises(Unavailable):
        await ban(here, ann)
    monkeypatch.undo()
    await ban(here, ann)
    assert [(await get(here, bot.id)).banned_with_owner for bot in bots] == [True] * 3
    assert [await works(here, f"bot:bot{number}") for number in range(3)] == [False] * 3


async def test_no_token_comes_back_that_a_node_did_not_end_before_it_died(here: Node) -> None:
    ann = await here.user()
    bot = await create(here, ann)
    users = here.store._database.users
    for user_id, fields in ((ann, {"banned": True}), (bot.id, {"banned": True, "banned_with_owner": True})):
        await users.update_one({"_id": str(user_id)}, {"$set": fields})
    await ban(here, ann, False)
    assert (await get(here, bot.id)).active
    assert not await works(here, "bot:echo")
