"""Invites of chats and of the server: who makes them, how long they work, and that their uses are exact."""

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from itertools import count

import pytest

from domain.acts import AccountUpdate, Act
from domain.changes import MemberAdded
from domain.decisions import invites as decisions
from domain.invites import INVITES_MAX, Invite, InviteMade, InviteRemoved, Use
from domain.refusals import Forbidden, NotFound, TooMany, UnknownUsers
from tests.storage.world import START, World, at

pytestmark = pytest.mark.long_on_mongo

CODES = (f"code{number:04}-{'x' * 16}" for number in count())
NOW = at(10)


async def invite(
    world: World,
    chat_id: int | None,
    maker: int,
    *,
    max_uses: int = 0,
    expires_at: datetime | None = None,
    created_at: datetime = START,
) -> str:
    """The code of a new invite."""
    made = Invite(next(CODES), chat_id, maker, created_at, expires_at, max_uses)
    assert await world.store.invites.create(made) == made
    return made.code


async def uses(world: World, code: str, now: datetime = NOW) -> int | None:
    """How often an invite was used; None if it does not work."""
    found = await world.store.invites.find(code, now)
    return None if found is None else found.invite.uses


async def refused(*calls: Awaitable[object]) -> list[type]:
    return [type(one) for one in await asyncio.gather(*calls, return_exceptions=True)]


async def members(world: World, chat_id: int) -> set[int]:
    state = await world.store.chats.load(chat_id)
    return set() if state is None else set(state.members)


async def make_admin(world: World, user_id: int, *, is_admin: bool = True) -> None:
    await world.store.users.update(user_id, AccountUpdate(is_admin=is_admin), Act(None, START))


async def test_an_invite_is_kept_as_made_and_takes_somebody_in(world: World) -> None:
    anna, boris = await world.user(), await world.user(display_name="Boris")
    chat_id = await world.chat(anna, name="Lunch")
    newest = await world.send(chat_id, anna)
    code = await invite(world, chat_id, anna, max_uses=5, expires_at=at(100))
    found = await world.store.invites.find(code, NOW)
    assert found is not None
    assert found.invite == Invite(code, chat_id, anna, START, at(100), 5)
    assert found.chat is not None
    assert (found.chat.id, found.chat.name, found.chat.member_count) == (chat_id, "Lunch", 1)
    assert found.maker.id == anna
    assert await world.store.invites.accept(code, boris, NOW) == chat_id
    (added,) = [change for change in world.published if isinstance(change, MemberAdded)]
    member = added.member
    assert (member.user_id, member.role, member.joined_at, added.actor_id) == (boris, "member", NOW, boris)
    assert member.last_read_message_id == newest.id
    assert await uses(world, code) == 1
    assert await members(world, chat_id) == {anna, boris}


async def test_changes_and_audit_tell_of_invites_but_not_their_codes(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat_id = await world.chat(anna, boris)
    await world.store.chats.set_role(chat_id, anna, boris, "admin", START)
    code = await invite(world, chat_id, boris)
    await world.store.invites.remove(code, anna, at(20))
    made, removed = [one for one in world.published if isinstance(one, InviteMade | InviteRemoved)]
    assert made == InviteMade(Invite(code, chat_id, boris, START, None, 0))
    assert removed == InviteRemoved(chat_id, code, anna, at(20))
    entries, _ = await world.store.audit.page(chat_id, cursor=None, limit=10)
    assert [(one.action, one.actor_id, one.at) for one in entries[:2]] == [
        ("invite_removed", anna, at(20)),
        ("invite_made", boris, START),
    ]
    assert not any(code in repr(entry) for entry in entries)
    assert await refused(world.store.invites.accept(code, vera, NOW)) == [NotFound]


async def test_who_makes_lists_and_removes_invites(world: World) -> None:
    owner, admin, member, stranger = await world.users(4)
    for chat_type in ("group", "channel"):
        chat_id = await world.chat(owner, admin, member, chat_type=chat_type)
        await world.store.chats.set_role(chat_id, owner, admin, "admin", START)
        first, second = [await invite(world, chat_id, maker) for maker in (owner, admin)]
        for user_id, refusal in ((member, Forbidden), (stranger, NotFound)):
            assert (
                await refused(
                    invite(world, chat_id, user_id),
                    world.store.invites.of_chat(chat_id, user_id, NOW),
                    world.store.invites.remove(first, user_id, NOW),
                )
                == [refusal] * 3
            )
        for user_id in (owner, admin):
            listed = await world.store.invites.of_chat(chat_id, user_id, NOW)
            assert [one.code for one in listed] == sorted([first, second])
        await world.store.invites.remove(first, admin, NOW)
        await world.store.invites.remove(second, stranger, NOW, is_server_admin=True)
        assert await world.store.invites.of_chat(chat_id, owner, NOW) == []


async def test_private_chats_have_no_invites(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris, chat_type="private")
    assert (
        await refused(invite(world, chat_id, anna), world.store.invites.of_chat(chat_id, anna, NOW))
        == [Forbidden] * 2
    )


async def test_a_chat_that_is_not_there_has_no_invites(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna)
    code = await invite(world, chat_id, anna)
    await world.store.chats.delete(chat_id, anna)
    calls = world.store.invites
    assert (
        await refused(
            calls.accept(code, boris, NOW),
            calls.take(code, NOW),
            calls.remove(code, anna, NOW),
            calls.of_chat(chat_id, anna, NOW),
            invite(world, chat_id, anna),
            invite(world, 999, anna),
            calls.accept("nothing", boris, NOW),
            calls.remove("nothing", anna, NOW),
        )
        == [NotFound] * 8
    )
    assert await uses(world, code) is None


async def test_an_invite_works_until_its_time(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat_id = await world.chat(anna)
    code = await invite(world, chat_id, anna, expires_at=at(20))
    forever = await invite(world, chat_id, anna)
    assert await world.store.invites.accept(code, boris, at(19)) == chat_id
    assert await refused(world.store.invites.accept(code, vera, at(20))) == [NotFound]
    assert await refused(world.store.invites.accept(code, boris, at(20))) == [NotFound]  # a member, too
    assert await uses(world, code, at(20)) is None
    assert [one.code for one in await world.store.invites.of_chat(chat_id, anna, at(20))] == [forever]
    assert await world.store.invites.accept(forever, vera, at(10**9)) == chat_id


async def test_for_a_member_nothing_is_used(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat_id = await world.chat(anna)
    code = await invite(world, chat_id, anna, max_uses=2)
    for _ in range(3):
        assert await world.store.invites.accept(code, boris, NOW) == chat_id
        assert await world.store.invites.accept(code, anna, NOW) == chat_id
    assert await uses(world, code) == 1
    assert await world.store.invites.accept(code, vera, NOW) == chat_id
    assert await uses(world, code) is None
    assert await refused(world.store.invites.accept(code, vera, NOW)) == [NotFound]
    assert await world.store.invites.of_chat(chat_id, anna, NOW) == []


async def test_thirty_accept_an_invite_with_five_uses(world: World) -> None:
    anna, *people = await world.users(31)
    chat_id = await world.chat(anna)
    code = await invite(world, chat_id, anna, max_uses=5)
    outcomes = await refused(*(world.store.invites.accept(code, one, NOW) for one in people))
    assert (outcomes.count(int), outcomes.count(NotFound)) == (5, 25)
    assert len(await members(world, chat_id)) == 6
    assert await uses(world, code) is None


async def test_one_user_who_accepts_many_times_at_once_uses_one(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat_id = await world.chat(anna)
    code = await invite(world, chat_id, anna, max_uses=30)
    assert await refused(*(world.store.invites.accept(code, boris, NOW) for _ in range(20))) == [int] * 20
    assert await uses(world, code) == 1
    assert await world.store.invites.accept(code, vera, NOW) == chat_id
    assert await uses(world, code) == 2


async def test_uses_that_are_taken_and_given_back(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna)
    invites = world.store.invites
    code = await invite(world, chat_id, anna, max_uses=3)
    taken = [await invites.take(code, NOW) for _ in range(3)]
    assert {use.chat_id for use in taken} == {chat_id}
    assert await refused(invites.take(code, NOW), invites.accept(code, boris, NOW)) == [NotFound] * 2
    await invites.give_back(taken[1])
    assert await uses(world, code) == 2
    outcomes = await refused(*(invites.take(code, NOW) for _ in range(5)))
    assert (outcomes.count(Use), outcomes.count(NotFound)) == (1, 4)
    await invites.enter(taken[0], boris, NOW)
    assert await members(world, chat_id) == {anna, boris}
    assert await uses(world, code) is None


async def test_who_comes_in_by_a_use_that_has_lost_its_invite(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna)
    code = await invite(world, chat_id, anna, max_uses=3)
    use = await world.store.invites.take(code, NOW)
    await world.store.invites.remove(code, anna, NOW)
    assert await refused(world.store.invites.enter(use, boris, NOW)) == [NotFound]
    assert await members(world, chat_id) == {anna}


async def test_an_unknown_user_uses_nothing(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    code = await invite(world, chat_id, anna, max_uses=1)
    assert await refused(world.store.invites.accept(code, 999, NOW)) == [UnknownUsers]
    assert await uses(world, code) == 0


@pytest.mark.parametrize("loss", ["demoted", "removed", "left", "banned owner"])
async def test_an_invite_ends_for_good_when_its_maker_loses_the_right(world: World, loss: str) -> None:
    owner, admin, boris, vera = await world.users(4)
    chat_id = await world.chat(owner, admin)
    chats, invites = world.store.chats, world.store.invites
    await chats.set_role(chat_id, owner, admin, "admin", START)
    maker = admin
    code, kept = await invite(world, chat_id, admin), await invite(world, chat_id, owner)
    if loss == "demoted":
        await chats.set_role(chat_id, owner, admin, "member", at(1))
    elif loss == "removed":
        await chats.remove_member(chat_id, owner, admin, at(1))
    elif loss == "left":
        await chats.remove_member(chat_id, admin, admin, at(1))
    else:  # the account of the last owner is banned, and the role passes on
        maker, code, kept = owner, kept, code
        await world.store.users.set_banned(owner, True)
        await world.store.users.set_banned(owner, False)
    assert await uses(world, code) is None
    by = admin if maker == owner else owner
    assert [one.code for one in await invites.of_chat(chat_id, by, NOW)] == [kept]
    if loss in ("removed", "left"):
        await chats.add_member(chat_id, owner, maker, "admin", at(2))
    else:
        await chats.set_role(chat_id, by, maker, "admin", at(2))
    assert await refused(invites.accept(code, boris, NOW), invites.take(code, NOW)) == [NotFound] * 2
    again = await invite(world, chat_id, maker)
    assert await invites.accept(again, boris, NOW) == chat_id
    assert await invites.accept(kept, vera, NOW) == chat_id


async def test_an_invite_ends_for_good_with_the_account_of_its_maker(world: World) -> None:
    owner, admin, boris = await world.users(3)
    chat_id = await world.chat(owner, admin)
    await world.store.chats.set_role(chat_id, owner, admin, "admin", START)
    code = await invite(world, chat_id, admin)
    await world.store.users.set_banned(admin, True)
    assert await uses(world, code) is None
    assert await world.store.invites.of_chat(chat_id, owner, NOW) == []
    assert await refused(world.store.invites.accept(code, boris, NOW)) == [NotFound]
    assert await refused(invite(world, chat_id, admin)) == [NotFound]
    await world.store.users.set_banned(admin, False)
    assert await refused(world.store.invites.accept(code, boris, NOW)) == [NotFound]
    again = await invite(world, chat_id, admin)
    await world.store.users.rename(admin, "Another Name")
    await make_admin(world, admin)  # which is another right
    assert await world.store.invites.accept(again, boris, NOW) == chat_id


@pytest.mark.long_on_mongo
async def test_a_chat_has_at_most_a_hundred_invites_that_work(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id, other = await world.chat(anna), await world.chat(anna)
    codes = [await invite(world, chat_id, anna, max_uses=1) for _ in range(INVITES_MAX - 1)]
    await invite(world, chat_id, anna, expires_at=at(20))
    assert await refused(invite(world, chat_id, anna)) == [TooMany]
    await invite(world, other, anna)
    await invite(world, chat_id, anna, created_at=at(20))  # one has expired
    assert await refused(invite(world, chat_id, anna, created_at=at(20))) == [TooMany]
    await world.store.invites.accept(codes[0], boris, at(20))
    await world.store.invites.remove(codes[1], anna, at(20))
    assert await refused(*(invite(world, chat_id, anna, created_at=at(21)) for _ in range(4))) == [
        *(str, str),
        *(TooMany, TooMany),
    ]
    assert len(await world.store.invites.of_chat(chat_id, anna, at(21))) == INVITES_MAX


async def test_invites_of_the_server(world: World) -> None:
    anna, boris, vera = await world.users(3)
    await make_admin(world, anna)
    await make_admin(world, boris)
    invites = world.store.invites
    first = await invite(world, None, anna, max_uses=2)
    second = await invite(world, None, boris, created_at=at(1))
    over = await invite(world, None, anna, created_at=at(2), expires_at=at(5))
    found = await invites.find(first, NOW)
    assert found is not None
    assert (found.chat, found.maker.id, found.invite.chat_id) == (None, anna, None)
    assert [one.code for one in await invites.of_server(NOW)] == [first, second]
    assert await invites.accept(first, vera, NOW) is None
    assert await refused(invites.accept(over, vera, NOW)) == [NotFound]
    uses_taken = [await invites.take(first, NOW) for _ in range(2)]
    assert await refused(invites.take(first, NOW)) == [NotFound]
    await invites.give_back(uses_taken[0])
    assert await uses(world, first) == 1
    assert await refused(invites.remove(first, vera, NOW)) == [Forbidden]
    await invites.remove(first, boris, NOW, is_server_admin=True)
    assert await refused(invites.remove(first, boris, NOW, is_server_admin=True)) == [NotFound]
    assert [one.code for one in await invites.of_server(NOW)] == [second]
    entries, _ = await world.store.audit.page(None, cursor=None, limit=10)
    assert [(one.action, one.actor_id) for one in entries if one.action.startswith("invite")] == [
        ("invite_removed", boris),
        *[("invite_made", maker) for maker in (anna, boris, anna)],
    ]


async def test_an_invite_of_the_server_ends_for_good_when_its_maker_is_no_admin(world: World) -> None:
    anna, boris = await world.users(2)
    await make_admin(world, anna)
    await make_admin(world, boris)
    code = await invite(world, None, boris)
    await make_admin(world, boris, is_admin=False)
    assert (await uses(world, code), await world.store.invites.of_server(NOW)) == (None, [])
    assert await refused(world.store.invites.take(code, NOW)) == [NotFound]
    assert await refused(invite(world, None, boris)) == [Forbidden]
    await make_admin(world, boris)
    assert await uses(world, code) is None
    code = await invite(world, None, boris)
    chats = await invite(world, await world.chat(boris), boris)
    await make_admin(world, boris, is_admin=False)
    assert (await uses(world, code), await uses(world, chats)) == (None, 0)
    await make_admin(world, boris)
    code, kept = await invite(world, None, boris), await invite(world, None, anna)
    await world.store.users.set_banned(boris, True)
    await world.store.users.set_banned(boris, False)
    assert (await uses(world, code), await uses(world, chats), await uses(world, kept)) == (None, None, 0)


async def test_the_server_has_at_most_a_thousand_invites_that_work(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "SERVER_INVITES_MAX", 3)
    anna, boris = await world.users(2)
    await make_admin(world, anna)
    await make_admin(world, boris)
    codes = [await invite(world, None, anna), await invite(world, None, boris)]
    await invite(world, None, anna, expires_at=at(20))
    assert await refused(invite(world, None, anna)) == [TooMany]
    await invite(world, None, anna, created_at=at(20))  # one has expired
    assert await refused(invite(world, None, boris, created_at=at(20))) == [TooMany]
    await make_admin(world, boris, is_admin=False)
    await world.store.invites.remove(codes[0], anna, at(20), is_server_admin=True)
    for _ in range(2):
        await invite(world, None, anna, created_at=at(21))
    assert await refused(invite(world, None, anna, created_at=at(21))) == [TooMany]
    assert len(await world.store.invites.of_server(at(21))) == 3


async def test_thirty_register_with_an_invite_with_five_uses(world: World) -> None:
    anna = await world.user()
    await make_admin(world, anna)
    code = await invite(world, None, anna, max_uses=5)
    takes = await asyncio.gather(
        *(world.store.invites.take(code, NOW) for _ in range(30)), return_exceptions=True
    )
    taken = [one for one in takes if not isinstance(one, BaseException)]
    assert len(taken) == 5
    assert len({use.number for use in taken}) == 5


async def test_a_ban_keeps_out_whoever_has_an_invite_and_uses_nothing(world: World) -> None:
    owner, admin, boris = await world.users(3)
    chat_id = await world.chat(owner, admin)
    await world.store.chats.set_role(chat_id, owner, admin, "admin", START)
    code, kept = await invite(world, chat_id, admin), await invite(world, chat_id, owner, max_uses=1)
    await world.store.moderation.ban(chat_id, owner, boris, None, at(1))
    assert await refused(*(world.store.invites.accept(kept, boris, NOW) for _ in range(3))) == [Forbidden] * 3
    assert await uses(world, kept) == 0
    await world.store.moderation.ban(chat_id, owner, admin, None, at(2))
    assert await uses(world, code) is None  # its maker is out
    await world.store.moderation.unban(chat_id, owner, admin, at(3))
    await world.store.moderation.unban(chat_id, owner, boris, at(3))
    await world.store.chats.add_member(chat_id, owner, admin, "admin", at(4))
    assert await refused(world.store.invites.accept(code, boris, NOW)) == [NotFound]
    assert await world.store.invites.accept(kept, boris, NOW) == chat_id
