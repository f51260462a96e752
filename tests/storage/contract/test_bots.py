"""Bots: whose they are, their one token, and what becomes of them with their owner."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.acts import AccountUpdate, Act
from domain.changes import SessionsRevoked, UserChanged
from domain.decisions.bots import BOTS_MAX
from domain.models import Session, User
from domain.refusals import Duplicate, Forbidden, NotFound, TokenUnknown, TooMany
from tests.storage.contract.test_sessions import sweep
from tests.storage.world import START, World, at

pytestmark = pytest.mark.long_on_mongo

FAR = datetime(9000, 1, 1, tzinfo=UTC)


async def create(world: World, owner_id: int, username: str = "echo", token: str = "") -> User:
    return await world.store.bots.create(
        owner_id=owner_id,
        username=username,
        display_name=username.title(),
        token_id=token or f"bot:{username}",
        created_at=START,
    )


async def get(world: World, user_id: int) -> User:
    user = await world.store.users.get(user_id)
    assert user is not None
    return user


async def works(world: World, token: str) -> bool:
    """Whether a token lets a bot in."""
    session = await world.store.sessions.get(token)
    return session is not None and not session.revoked and (await get(world, session.user_id)).active


async def of_owner(world: World, owner_id: int) -> list[int]:
    return [bot.id for bot in await world.store.bots.of_owner(owner_id)]


async def test_a_bot_is_kept_as_created(world: World) -> None:
    ann, bob = await world.users(2)
    bot = await create(world, ann, "Echo.1")
    expected = User(bot.id, "Echo.1", "Echo.1", None, "", START, is_bot=True, owner_id=ann)
    assert bot == expected == await get(world, bot.id)
    assert await world.store.users.find("ECHO.1") == bot
    assert [user.id for user in await world.store.users.search("echo", after_id=0, limit=9)] == [bot.id]
    assert await world.store.bots.of_owner(ann) == [bot]
    assert await world.store.bots.of_owner(bob) == await world.store.bots.of_owner(999) == []
    assert (await get(world, ann)).owner_id is None
    assert world.published == []


async def test_its_token_is_a_session_that_does_not_expire(world: World) -> None:
    bot = await create(world, await world.user(), token="bot:secret")
    session = Session("bot:secret", bot.id, START)
    assert await world.store.sessions.get("bot:secret") == session
    for now in (START, FAR):
        assert await world.store.sessions.of_user(bot.id, now=now, limit=9) == [session]
    await world.store.sessions.sweep(after="", limit=9, now=FAR, keep_s=0)
    assert await world.store.sessions.get("bot:secret") == session
    for spent in ("bot:secret", "secret"):
        with pytest.raises(TokenUnknown):
            await world.store.sessions.rotate(spent, new_hash="x", expires_at=FAR, now=START, grace_s=9)
    await world.store.sessions.used({"bot:secret": at(5)})
    assert (await world.store.sessions.of_user(bot.id, now=FAR, limit=9))[0].last_used_at == at(5)


@pytest.mark.parametrize("username", ["Ann", "ANN", "all", "echo", "ECHO"])
async def test_usernames_are_those_of_users(world: World, username: str) -> None:
    ann = await world.user("ann")
    await create(world, ann)
    with pytest.raises(Duplicate) as refused:
        await create(world, ann, username, "bot:other")
    assert refused.value.field == "username"
    assert await world.store.sessions.get("bot:other") is None
    with pytest.raises(Duplicate):
        await world.user("Echo")


async def test_who_may_have_bots(world: World) -> None:
    ann, bob, carl = await world.users(3)
    bot = await create(world, ann)
    await world.store.users.set_banned(bob, True)
    await world.store.users.delete(carl)
    for owner_id, refusal in ((bot.id, Forbidden), (bob, Forbidden), (carl, NotFound), (999, NotFound)):
        with pytest.raises(refusal):
            await create(world, owner_id, "other")
    assert await world.store.users.find("other") is None


async def test_at_most_twenty_a_user(world: World) -> None:
    ann, bob = await world.users(2)
    bots = [await create(world, ann, f"ann{number}") for number in range(BOTS_MAX)]
    with pytest.raises(TooMany):
        await create(world, ann, "another")
    assert await world.store.users.find("another") is None
    await create(world, bob)
    await world.store.users.set_banned(bots[3].id, True)
    with pytest.raises(TooMany):
        await create(world, ann, "another")
    await world.store.users.delete(bots[3].id)
    await world.store.users.delete(bots[7].id)
    await create(world, ann, "another")
    await create(world, ann, "second")
    with pytest.raises(TooMany):
        await create(world, ann, "third")
    ids = await of_owner(world, ann)
    assert len(ids) == BOTS_MAX
    assert ids == sorted(ids)


async def test_of_many_creations_at_once_as_many_succeed_as_there_is_room_for(world: World) -> None:
    ann = await world.user()
    for number in range(5):
        await create(world, ann, f"before{number}")
    results = await asyncio.gather(
        *(create(world, ann, f"at{number}") for number in range(BOTS_MAX)), return_exceptions=True
    )
    made = [result for result in results if isinstance(result, User)]
    assert len(made) == BOTS_MAX - 5
    assert all(isinstance(result, User | TooMany) for result in results)
    assert len(await of_owner(world, ann)) == BOTS_MAX
    assert [bot.username for bot in made if not await works(world, f"bot:{bot.username}")] == []


async def test_one_of_many_bots_at_once_gets_the_username(world: World) -> None:
    owners = await world.users(5)
    results = await asyncio.gather(
        *(create(world, owner, "echo", f"bot:{owner}") for owner in owners * 3), return_exceptions=True
    )
    (made,) = [result for result in results if isinstance(result, User)]
    assert sum(isinstance(result, Duplicate) for result in results) == 14
    assert [owner for owner in owners if await of_owner(world, owner)] == [made.owner_id]


async def test_another_token_ends_the_one_before(world: World) -> None:
    bot = await create(world, await world.user(), token="bot:1")
    await world.store.bots.renew_token(bot.id, "bot:2", at(1))
    assert (await works(world, "bot:1"), await works(world, "bot:2")) == (False, True)
    assert world.published == [SessionsRevoked(bot.id, ["bot:1"])]
    await world.store.bots.renew_token(bot.id, "bot:3", at(-100))  # of a node whose clock is behind
    assert (await works(world, "bot:2"), await works(world, "bot:3")) == (False, True)
    assert [one.id for one in await world.store.sessions.of_user(bot.id, now=at(9), limit=9)] == ["bot:3"]
    await sweep(world, 10)
    await sweep(world, 200)
    assert await world.store.sessions.get("bot:1") is None
    assert await works(world, "bot:3")


async def test_of_renewals_at_once_one_token_works(world: World) -> None:
    bot = await create(world, await world.user(), token="bot:before")
    tokens = [f"bot:{number}" for number in range(10)]
    await asyncio.gather(*(world.store.bots.renew_token(bot.id, token, at(1)) for token in tokens))
    assert [token for token in ["bot:before", *tokens] if await works(world, token)].__len__() == 1


async def test_whose_token_is_not_renewed(world: World) -> None:
    ann = await world.user()
    hook = await world.user(is_bot=True)  # without an owner
    gone, banned = await create(world, ann, "gone"), await create(world, ann, "banned")
    await world.store.users.delete(gone.id)
    await world.store.users.set_banned(banned.id, True)
    for user_id in (ann, hook, gone.id, 999):
        with pytest.raises(NotFound):
            await world.store.bots.renew_token(user_id, "bot:new", at(1))
    with pytest.raises(Forbidden):
        await world.store.bots.renew_token(banned.id, "bot:new", at(1))
    assert await world.store.sessions.get("bot:new") is None


async def test_a_deleted_bot_is_gone_and_its_token_with_it(world: World) -> None:
    ann = await world.user()
    bot = await create(world, ann)
    ended = await world.store.users.delete(bot.id)
    assert ended == replace(bot, deleted=True, display_name="echo")
    assert not await works(world, "bot:echo")
    assert await of_owner(world, ann) == []
    assert SessionsRevoked(bot.id, ["bot:echo"]) in world.published
    with pytest.raises(Duplicate):
        await create(world, ann, "echo", "bot:second")


async def ban(world: World, user_id: int, banned: bool = True) -> User:
    return await world.store.users.set_banned(user_id, banned)


async def states(world: World, *ids: int) -> list[tuple[bool, bool]]:
    """Of each bot, whether it is banned, and whether only with its owner."""
    users = [await get(world, one) for one in ids]
    return [(user.banned, user.banned_with_owner) for user in users]


async def test_a_ban_of_the_owner_bans_the_bots_and_an_unban_brings_them_back(world: World) -> None:
    ann, bob = await world.users(2)
    bots = [await create(world, ann, "one"), await create(world, ann, "two")]
    bobs = await create(world, bob, "three")
    world.published.clear()
    await ban(world, ann)
    ids = [bot.id for bot in bots]
    assert await states(world, *ids, bobs.id) == [(True, True), (True, True), (False, False)]
    assert [await works(world, f"bot:{name}") for name in ("one", "two", "three")] == [False, False, True]
    changes = [change for change in world.published if isinstance(change, UserChanged)]
    assert sorted((change.user.id, change.user.active) for change in changes if change.shown) == [
        (ann, False),
        *((one, False) for one in ids),
    ]
    revoked = {change.user_id for change in world.published if isinstance(change, SessionsRevoked)}
    assert revoked == set(ids)
    assert [bot.id for bot in await world.store.bots.of_owner(ann)] == ids
    await ban(world, ann, False)
    assert await states(world, *ids) == [(False, False)] * 2
    assert not await works(world, "bot:one")
    await world.store.bots.renew_token(bots[0].id, "bot:new", at(2))
    assert await works(world, "bot:new")


async def test_a_bot_that_is_banned_for_itself_stays_banned(world: World) -> None:
    ann = await world.user()
    bots = [await create(world, ann, name) for name in ("before", "during", "lifted", "never")]
    before, during, lifted, never = (bot.id for bot in bots)
    await ban(world, before)
    await ban(world, lifted)
    await ban(world, ann)
    await ban(world, during)
    await ban(world, lifted, False)
    assert await states(world, before, during, lifted, never) == [
        (True, False),
        (True, False),
        (True, True),
        (True, True),
    ]
    with pytest.raises(Forbidden):
        await ban(world, never, False)
    await ban(world, ann, False)
    assert await states(world, before, during, lifted, never) == [
        (True, False),
        (True, False),
        (False, False),
        (False, False),
    ]
    await ban(world, before, False)
    assert await states(world, before) == [(False, False)]


async def test_the_end_of_the_owner_ends_the_bots(world: World) -> None:
    ann, bob = await world.users(2)
    one, two = await create(world, ann, "one"), await create(world, ann, "two")
    three = await create(world, bob, "three")
    await ban(world, two.id)
    await world.store.users.delete(ann)
    assert [(await get(world, bot.id)).deleted for bot in (one, two, three)] == [True, True, False]
    assert [await works(world, f"bot:{name}") for name in ("one", "two", "three")] == [False, False, True]
    assert await of_owner(world, ann) == []
    assert (await get(world, one.id)).owner_id == ann, "a deleted bot names whose it was"


async def owner_of(world: World, chat_id: int) -> list[int]:
    state = await world.store.chats.load(chat_id)
    assert state is not None
    return [member.user_id for member in state.members.values() if member.role == "owner"]


@pytest.mark.parametrize("update", [AccountUpdate(banned=True), AccountUpdate(deleted=True)])
async def test_what_a_bot_owns_passes_on_with_the_ban_or_end_of_its_owner(
    world: World, update: AccountUpdate
) -> None:
    ann, bob = await world.users(2)
    bot, other = await create(world, ann, "one"), await create(world, bob, "other")
    chat_id = await world.chat(bot.id, ann, other.id, bob)
    alone = await world.chat(bot.id, ann, other.id)
    await world.store.users.update(ann, update)
    assert await owner_of(world, chat_id) == [bob]
    assert await owner_of(world, alone) == [bot.id], "bots do not inherit, and nor does who is banned"


async def test_a_bot_is_no_admin_of_the_server(world: World) -> None:
    bot = await create(world, await world.user())
    with pytest.raises(Forbidden):
        await world.store.users.update(bot.id, AccountUpdate(is_admin=True))


async def audit(world: World) -> list[tuple[str, int | None, int | None]]:
    entries, _ = await world.store.audit.page(None, cursor=None, limit=99)
    return [(entry.action, entry.user_id, entry.actor_id) for entry in reversed(entries)]


async def test_the_audit_says_what_became_of_bots(world: World) -> None:
    ann = await world.user()
    act = Act(None, at(3))
    bot = await world.store.bots.create(
        owner_id=ann, username="echo", display_name="E", token_id="bot:1", created_at=START, act=act
    )
    await world.store.bots.renew_token(bot.id, "bot:2", at(4), act)
    await world.store.bots.renew_token(bot.id, "bot:3", at(5))
    await world.store.users.update(ann, AccountUpdate(banned=True), act)
    await world.store.users.update(ann, AccountUpdate(banned=False), act)
    await world.store.users.delete(ann, replace(act, actor_id=ann))
    assert await audit(world) == [
        ("user_created", bot.id, None),
        ("token_renewed", bot.id, None),
        ("user_banned", ann, None),
        ("user_banned", bot.id, None),
        ("user_unbanned", ann, None),
        ("user_unbanned", bot.id, None),
        ("user_deleted", ann, ann),
        ("user_deleted", bot.id, ann),
    ]


async def test_all_bots_page_by_page(world: World) -> None:
    ann, bob = await world.users(2)
    await world.user(is_bot=True)
    bots = [await create(world, owner, f"b{n}") for n, owner in enumerate([ann, bob, ann, bob, ann])]
    await ban(world, bots[1].id)
    await world.store.users.delete(bots[2].id)
    ids = [bots[number].id for number in (0, 1, 3, 4)]
    page = world.store.bots.page
    assert [bot.id for bot in await page(after_id=0, limit=99)] == ids
    assert [bot.id for bot in await page(after_id=0, limit=2)] == ids[:2]
    assert [bot.id for bot in await page(after_id=ids[1], limit=9)] == ids[2:]


async def race(world: World, owner_id: int, *steps: bool) -> Sequence[User | BaseException]:
    """Bans and unbans of the owner beside creations and renewals."""
    one = (await world.store.bots.of_owner(owner_id))[0]
    return await asyncio.gather(
        *(ban(world, owner_id, step) for step in steps),
        *(create(world, owner_id, f"racing{number}") for number in range(4)),
        *(world.store.bots.renew_token(one.id, f"bot:new{number}", at(1)) for number in range(4)),
        return_exceptions=True,
    )


@pytest.mark.parametrize("steps", [(True,), (True, False), (True, False, True)])
async def test_bans_beside_creations_and_renewals_leave_no_bot_of_a_banned_owner_working(
    world: World, steps: Sequence[bool]
) -> None:
    ann = await world.user()
    await create(world, ann)
    results = await race(world, ann, *steps)
    allowed = (User, Forbidden, NotFound, type(None))
    assert [result for result in results if not isinstance(result, allowed)] == []
    banned = (await get(world, ann)).banned
    assert banned == steps[-1]
    for bot in await world.store.bots.of_owner(ann):
        assert (bot.banned, bot.banned_with_owner) == (banned, banned)
        sessions = await world.store.sessions.of_user(bot.id, now=at(9), limit=99)
        assert len(sessions) <= (0 if banned else 1)


async def test_the_end_of_the_owner_beside_creations_leaves_no_bot(world: World) -> None:
    ann = await world.user()
    await create(world, ann)
    results = await asyncio.gather(
        *(create(world, ann, f"racing{number}") for number in range(6)),
        world.store.users.delete(ann),
        *(create(world, ann, f"late{number}") for number in range(6)),
        return_exceptions=True,
    )
    assert [one for one in results if not isinstance(one, User | NotFound | Forbidden)] == []
    assert await of_owner(world, ann) == []
    for number in range(6):
        assert not await works(world, f"bot:racing{number}")
        assert not await works(world, f"bot:late{number}")
