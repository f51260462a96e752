"""Hooks on several nodes: twenty a chat, what has ended on one node works on none, and one node delivers."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from domain.hooks import HOOKS_MAX, Delivery, Hook, HookUpdate
from domain.refusals import HookPaused, NotFound, TooMany
from tests.storage.mongo.nodes import Node
from tests.storage.world import START, draft


async def hook(node: Node, chat_id: int, maker: int, key: str = "hash") -> Hook:
    return await node.store.hooks.create(
        Hook(0, chat_id, "incoming", "Alerts", 0, maker, START), key_hash=key
    )


async def outgoing(node: Node) -> Hook:
    owner = await node.user()
    made = Hook(
        0, await node.chat(owner), "outgoing", "CI", 0, owner, START, "https://a.example/", ("new_message",)
    )
    return await node.store.hooks.create(made, secret="secret")


async def test_twenty_of_thirty_on_two_nodes(here: Node, there: Node) -> None:
    owner = await here.user()
    chat_id = await here.chat(owner)
    made = await asyncio.gather(
        *(hook((here, there)[n % 2], chat_id, owner, f"key{n}") for n in range(30)), return_exceptions=True
    )
    assert Counter(map(type, made)) == {Hook: HOOKS_MAX, TooMany: 30 - HOOKS_MAX}
    assert len(await there.store.hooks.of_chat(chat_id, owner)) == HOOKS_MAX
    database = here.store._database
    assert await database.users.count_documents({"is_hook": True}) == HOOKS_MAX
    assert await database.hooks.count_documents({}) == HOOKS_MAX


async def test_what_has_ended_on_one_node_works_on_none(here: Node, there: Node) -> None:
    owner, admin = await here.users(2)
    chat_id = await here.chat(owner, admin)
    await here.store.chats.set_role(chat_id, owner, admin, "admin", START)
    one = await hook(here, chat_id, admin)

    async def post(node: Node) -> object:
        try:
            return (await node.store.hooks.post(one.id, draft(chat_id, one.user_id))).message.seq
        except (NotFound, HookPaused) as refusal:
            return type(refusal)

    assert [await post(here), await post(there)] == [1, 2]
    await here.store.hooks.change(one.id, owner, HookUpdate(paused=True), START)
    assert await post(there) is HookPaused
    await there.store.hooks.change(one.id, owner, HookUpdate(paused=False), START)
    assert await post(here) == 3
    await here.store.chats.set_role(chat_id, owner, admin, "member", START)
    assert await post(there) is HookPaused
    await there.store.chats.set_role(chat_id, owner, admin, "admin", START)
    assert await post(here) == 4
    await here.store.hooks.remove(one.id, owner, START)
    assert [await post(there), await post(here)] == [NotFound, NotFound]


async def test_one_node_delivers_until_it_is_dead(here: Node, there: Node) -> None:
    one = await outgoing(here)
    nodes: Sequence[Node] = (here, there)
    names = [node.store.nodes.incarnation for node in nodes]
    leases = await asyncio.gather(*(node.store.hooks.take(one.id, names) for node in nodes))
    assert sorted(map(str, leases)) == ["1", "None"]
    holder, other = nodes if leases[0] == 1 else nodes[::-1]
    assert await other.store.hooks.take(one.id, names) is None
    assert await holder.store.hooks.save_delivery(one.id, 1, Delivery(7))
    assert await other.store.hooks.take(one.id, [other.store.nodes.incarnation]) == 2
    assert not await holder.store.hooks.save_delivery(one.id, 1, Delivery(8))
    assert await holder.store.hooks.take(one.id, names) is None
    state = await holder.store.hooks.get(one.id)
    assert state is not None
    assert state.delivery == Delivery(7)
    assert await other.store.hooks.save_delivery(one.id, 2, Delivery(9))


async def test_of_many_takeovers_the_last_counts_and_few_are_kept(here: Node, there: Node) -> None:
    one = await outgoing(here)
    for turn in range(30):
        node = (here, there)[turn % 2]
        assert await node.store.hooks.take(one.id, [node.store.nodes.incarnation]) == turn + 1
    claims = here.store._database.claims
    assert await claims.count_documents({"holder": {"$ne": None}}) <= 11


async def test_a_creation_that_was_refused_leaves_nothing(here: Node) -> None:
    owner, stranger = await here.users(2)
    chat_id = await here.chat(owner)
    outcomes = await asyncio.gather(hook(here, chat_id, stranger), return_exceptions=True)
    assert [type(one) for one in outcomes] == [NotFound]
    database = here.store._database
    assert await database.hooks.count_documents({}) == 0
    assert await database.users.count_documents({"is_hook": True}) == 0
