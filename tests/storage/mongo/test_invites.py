"""Invites on several nodes: uses are exact, and an invite that has ended on one node works on none."""

import asyncio
from collections import Counter

import pytest

from domain.changes import MemberAdded
from domain.invites import Invite
from domain.refusals import NotFound
from storage.errors import Unavailable
from storage.mongo import MongoStore, invite_documents
from storage.mongo.invite_documents import KEPT_S
from tests.storage.mongo.nodes import Node
from tests.storage.world import START, at

NOW = at(10)


async def invite(node: Node, chat_id: int | None, maker: int, max_uses: int = 0, code: str = "code") -> str:
    made = Invite(code, chat_id, maker, START, None, max_uses)
    return (await node.store.invites.create(made)).code


async def chat_with_invite(node: Node, max_uses: int = 0) -> tuple[int, int, str]:
    """A chat, its owner, and the code of an invite."""
    owner = await node.user()
    chat_id = await node.chat(owner)
    return chat_id, owner, await invite(node, chat_id, owner, max_uses)


async def accept(node: Node, code: str, *user_ids: int) -> Counter[type]:
    outcomes = await asyncio.gather(
        *(node.store.invites.accept(code, one, NOW) for one in user_ids), return_exceptions=True
    )
    return Counter(map(type, outcomes))


async def test_thirty_accept_five_uses_on_two_nodes(here: Node, there: Node) -> None:
    chat_id, _, code = await chat_with_invite(here, max_uses=5)
    people = await here.users(30)
    half, other_half = await asyncio.gather(
        accept(here, code, *people[:15]), accept(there, code, *people[15:])
    )
    assert half + other_half == {int: 5, NotFound: 25}
    state = await there.store.chats.load(chat_id)
    assert state is not None
    assert len(state.members) == 6
    claims = here.store._database.claims
    assert await claims.count_documents({"invite": code}) == 5


async def test_uses_for_registration_are_exact_on_two_nodes(here: Node, there: Node) -> None:
    _, _, code = await chat_with_invite(here, max_uses=7)
    takes = await asyncio.gather(
        *(node.store.invites.take(code, NOW) for node in (here, there) for _ in range(10)),
        return_exceptions=True,
    )
    taken = [one for one in takes if not isinstance(one, BaseException)]
    assert len({use.number for use in taken}) == len(taken) == 7
    await there.store.invites.give_back(taken[3])
    assert (await here.store.invites.take(code, NOW)).number == taken[3].number


async def test_one_user_at_two_nodes_uses_one(here: Node, there: Node) -> None:
    _, _, code = await chat_with_invite(here, max_uses=9)
    boris = await here.user()
    both = await asyncio.gather(accept(here, code, boris, boris), accept(there, code, boris, boris))
    assert both == [{int: 2}, {int: 2}]
    found = await there.store.invites.find(code, NOW)
    assert found is not None
    assert found.invite.uses == 1


async def test_the_other_node_publishes_who_came(here: Node, there: Node) -> None:
    chat_id, _, code = await chat_with_invite(here)
    boris = await here.user()
    await there.look()
    await there.store.chats.begin(chat_id)
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    await accept(here, code, boris)
    await there.look()
    (added,) = there.take(MemberAdded)
    assert isinstance(added, MemberAdded)
    assert (added.member.user_id, added.actor_id) == (boris, boris)


async def test_what_ended_on_one_node_works_on_no_other(here: Node, there: Node) -> None:
    chat_id, owner, code = await chat_with_invite(here)
    admin, boris = await here.users(2)
    await here.store.chats.add_member(chat_id, owner, admin, "admin", at(1))
    second = await invite(here, chat_id, admin, code="second")
    third = await invite(there, chat_id, owner, code="third")
    assert await accept(there, third, admin) == {int: 1}  # so that this node has a replica
    await here.store.invites.remove(code, owner, at(2))
    await here.store.chats.set_role(chat_id, owner, admin, "member", at(2))
    assert await accept(there, code, boris) == await accept(there, second, boris) == {NotFound: 1}
    assert [one.code for one in await there.store.invites.of_chat(chat_id, owner, NOW)] == ["third"]


async def test_rows_that_are_projected_again_bring_no_invite_back_and_end_no_later_one(here: Node) -> None:
    """Two nodes may project the same rows, the later one long after the other."""
    chat_id, owner, code = await chat_with_invite(here)
    admin = await here.user()
    await here.store.chats.add_member(chat_id, owner, admin, "admin", at(1))
    early = await invite(here, chat_id, admin, code="early")
    await here.store.invites.remove(code, owner, at(2))
    await here.store.chats.set_role(chat_id, owner, admin, "member", at(2))
    await here.store.chats.set_role(chat_id, owner, admin, "admin", at(3))
    later = await invite(here, chat_id, admin, code="later")
    replicas = here.store._writer.replicas
    rows = await replicas.log.span(chat_id, 1, 100)
    await replicas._projection.project(rows, {chat_id: 0}, check_first=True)
    working = [one.code for one in await here.store.invites.of_chat(chat_id, owner, NOW)]
    assert working == [later]
    assert await here.store.invites.find(early, NOW) is None


async def test_a_use_stays_taken_if_nobody_knows_whether_it_was_needed(
    here: Node, mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One may be lost; there is never one too many."""
    _, _, code = await chat_with_invite(here, max_uses=2)
    boris, vera, gleb = await here.users(3)
    invites = mongo_store.invites
    enter = invites._enter

    async def lost(*args: object) -> bool:
        await enter(*args)  # type: ignore[arg-type]
        raise Unavailable("no answer", "unreachable")

    monkeypatch.setattr(invites, "_enter", lost)
    assert await accept(here, code, boris) == {Unavailable: 1}
    monkeypatch.undo()
    assert await accept(here, code, boris) == {int: 1}  # they are in
    assert await accept(here, code, vera) == {int: 1}
    assert await accept(here, code, gleb) == {NotFound: 1}


async def test_what_expired_long_ago_and_what_a_deleted_chat_had_is_removed(here: Node) -> None:
    database = here.store._database
    owner, boris = await here.users(2)
    chat_id = await here.chat(owner)
    old = Invite("old", chat_id, owner, START, at(20), 5)
    await here.store.invites.create(old)
    await accept(here, "old", boris)
    await here.store.invites.create(Invite("new", chat_id, owner, at(20 + KEPT_S - 1), None, 0))
    assert await database.get(database.invites, "old") is not None
    await here.store.invites.create(Invite("newer", chat_id, owner, at(20 + KEPT_S), None, 0))
    assert await database.get(database.invites, "old") is None
    assert await database.claims.count_documents({}) == 0
    await here.store.invites.take("new", at(30))
    await invite_documents.remove_of(database, chat_id)
    assert await database.invites.count_documents({}) == await database.claims.count_documents({}) == 0
