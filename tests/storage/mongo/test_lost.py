"""Connections that break in the worst moment: before a write has reached the server, and after."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from domain.decisions.bots import BOTS_MAX
from domain.models import Appended, Chat, Member
from domain.refusals import ClientIdTaken, NotFound, TooMany
from storage.errors import Unavailable
from storage.mongo import MongoStore
from storage.mongo.database import Database
from tests.storage.contract.test_bots import create, works
from tests.storage.world import START, World, at, draft


@pytest.fixture
def lossy(monkeypatch: pytest.MonkeyPatch) -> random.Random:
    """Every third call loses its connection, half of them after it has been carried out."""
    script = random.Random(17)
    once = Database.once

    async def lose(self: Database, call: Callable[[], Awaitable[Any]]) -> Any:
        async def shaky() -> Any:
            fate = script.random()
            if fate < 0.17:
                raise AutoReconnect("lost before")
            result = await call()
            if fate > 0.83:
                raise AutoReconnect("lost after")
            return result

        return await once(self, shaky)

    monkeypatch.setattr(Database, "once", lose)
    monkeypatch.setattr("storage.mongo.database._PAUSE_S", 0)
    monkeypatch.setattr("storage.mongo.retry_budget._PAUSE_S", 0)
    return script


@pytest.mark.long
async def test_everything_happens_once(lossy: random.Random, mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna, boris, vera = await world.users(3)
    chat_id, other = await world.chat(anna, boris), await world.chat(anna)
    sends = [
        draft(chat_id, anna, f"{number}", client_id=None if number % 3 else f"{number % 20}")
        for number in range(150)
    ]
    results = await asyncio.gather(*(mongo_store.messages.append(one) for one in sends))
    assert all(isinstance(result, Appended) for result in results)
    messages = {result.message.id: result.message for result in results}
    assert len(messages) == 100 + 20
    for message in list(messages.values())[:20]:
        await mongo_store.messages.edit(message.id, anna, "edited", at(1))
        with pytest.raises(ClientIdTaken):
            await world.send(other, anna, client_id="0")
    await mongo_store.messages.delete(next(iter(messages)), anna, at(1))
    with pytest.raises(NotFound):
        await mongo_store.messages.delete(next(iter(messages)), anna, at(1))
    await world.check_published(chat_id)
    assert await world.head(chat_id) == 120 + 20 + 1
    assert isinstance(await mongo_store.chats.add_member(chat_id, anna, vera, "member", at(1)), Member)
    assert (await mongo_store.messages.mark_read(chat_id, boris, None)).moved
    assert isinstance(await mongo_store.chats.change(chat_id, anna, START, name="New"), Chat)
    await mongo_store.chats.remove_member(chat_id, anna, boris, START)
    chat, created = await world.make_chat(anna, vera, chat_type="private")
    assert created
    assert (await world.make_chat(vera, anna, chat_type="private"))[0].id == chat.id
    state = await mongo_store.chats.load(chat_id)
    assert state is not None
    assert state.members.keys() == {anna, vera}
    kinds = [type(change).__name__ for change in world.published]
    assert [kinds.count(kind) for kind in ("ChatCreated", "MemberAdded", "MemberRemoved", "ReadMoved")] == [
        3,
        1,
        1,
        1,
    ]


async def test_accounts(lossy: random.Random, mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    users = [await world.user(f"name{number}", email=f"{number}@b.c") for number in range(20)]
    assert len(set(users)) == 20
    for number, user_id in enumerate(users):
        await mongo_store.sessions.create(
            session_id=f"{number}",
            user_id=user_id,
            token_hash=f"t{number}",
            expires_at=at(60),
            created_at=START,
        )
        await mongo_store.sessions.rotate(
            f"t{number}", new_hash=f"u{number}", expires_at=at(60), now=START, grace_s=5
        )
        world.published.clear()
        await mongo_store.users.change_password(user_id, "new", keep_session=None)
        assert [type(change).__name__ for change in world.published] == ["UserChanged", "SessionsRevoked"]


async def test_rows_of_a_write_that_failed_are_published_by_the_next(
    mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows got in, but nobody could learn of it for as long as the retry budget lasted."""
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    once = Database.once

    async def lose(self: Database, call: Callable[[], Awaitable[Any]]) -> Any:
        async def broken() -> Any:
            await call()
            raise AutoReconnect("lost after")

        return await once(self, broken)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "once", lose)
        patch.setattr("storage.mongo.retry_budget.RETRY_S", 0)
        patch.setattr("storage.mongo.database.RETRY_S", 0)
        mongo_store._writer.ids._left["messages"] = range(1000, 2000)
        with pytest.raises(Unavailable):
            await world.send(chat_id, anna, "lost", client_id="x")
    assert world.message_changes(chat_id) == []
    assert (await world.send(chat_id, anna, "next")).seq == 2
    assert [message.content for message in world.message_changes(chat_id)] == ["lost", "next"]
    again = await mongo_store.messages.append(draft(chat_id, anna, client_id="x"))
    assert again.duplicate
    await world.check_published(chat_id)


async def test_a_failing_send_is_its_own_failure(mongo_store: MongoStore) -> None:
    """A text that cannot be stored spoils nobody else's."""
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    contents = ["one", "two", "\ud800", "three"]
    results = await asyncio.gather(
        *(world.send(chat_id, anna, content) for content in contents), return_exceptions=True
    )
    assert [isinstance(result, Exception) for result in results] == [False, False, True, False]
    assert not isinstance(results[2], Unavailable)
    await world.check_published(chat_id)


async def test_bots(lossy: random.Random, mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    ann = await world.user()
    bots = await asyncio.gather(*(create(world, ann, f"bot{number}") for number in range(BOTS_MAX)))
    with pytest.raises(TooMany):
        await create(world, ann, "another")
    await asyncio.gather(*(mongo_store.bots.renew_token(bot.id, f"bot:new{bot.id}", at(1)) for bot in bots))
    for bot in bots:
        assert [await works(world, token) for token in (f"bot:{bot.username}", f"bot:new{bot.id}")] == [
            False,
            True,
        ]
    await mongo_store.users.set_banned(ann, True)
    found = await mongo_store.bots.of_owner(ann)
    assert [bot.banned_with_owner for bot in found] == [True] * BOTS_MAX
    assert not any([await works(world, f"bot:new{bot.id}") for bot in bots])
    await mongo_store.users.delete(ann)
    assert await mongo_store.bots.of_owner(ann) == []
