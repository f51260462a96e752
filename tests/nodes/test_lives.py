"""Nodes that are killed, suspended, cut off from the database, or newer than others."""

import asyncio

import pytest

from tests.clients.client import Client
from tests.cluster.fixtures import StartCluster
from tests.cluster.waiting import until
from tests.nodes.conftest import Pair, content_of
from tests.patience import within

pytestmark = pytest.mark.cluster


async def contents(client: Client, within_s: float, number: int) -> list[str]:
    """The texts of so many messages that come in time."""
    async with within(within_s):
        return [content_of(await client.next("new_message")) for _ in range(number)]


@pytest.mark.parametrize("number", [1, 40])
async def test_what_a_node_acked_before_it_was_killed_is_published(pair: Pair, number: int) -> None:
    """Nothing else happens in the chat afterwards that would show the gap."""
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    here, there = await ann.connect(), await pair.there(bob).joined(chat_id)
    for one in range(number):
        await here.send({"type": "send_message", "chat_id": chat_id, "content": f"m{one}", "id": one})
    for one in range(number):
        assert (await here.answer_to(one))["type"] == "ack"
    await pair.one.kill()
    assert await contents(there, 2, number) == [f"m{one}" for one in range(number)]


async def test_a_removal_that_a_node_acked_before_it_was_killed_counts(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    there = await pair.there(bob).joined(chat_id)
    await ann.delete(f"/chats/{chat_id}/members/{bob.id}")
    await pair.one.kill()
    async with within(2):
        assert (await there.next("chat_removed"))["chat_id"] == chat_id


@pytest.mark.parametrize("stopped_s", [3, pytest.param(40, marks=pytest.mark.long)])
async def test_a_suspended_node_runs_and_sends_nothing_from_before(pair: Pair, stopped_s: int) -> None:
    """It wakes with commands in its sockets and with old sessions and memberships in memory."""
    ann, bob, carl, dora = await pair.people("ann", "bob", "carl", "dora")
    chat_id = await ann.chat(bob, carl, dora)
    # Bob is logged out meanwhile, Carl removed, Dora banned.
    clients = [await pair.there(person).joined(chat_id) for person in (bob, carl, dora)]
    quiet = [await pair.there(person).connect() for person in (bob, dora)]
    anns = await ann.joined(chat_id)
    pair.two.pause()
    for client in clients:
        await client.send({"type": "send_message", "chat_id": chat_id, "content": "too late", "id": "late"})
    rest = [
        asyncio.ensure_future(
            pair.there(person).request("POST", "/messages", json={"chat_id": chat_id, "content": "too late"})
        )
        for person in (bob, carl, dora)
    ]
    await bob.post("/auth/logout")
    await ann.delete(f"/chats/{chat_id}/members/{carl.id}")
    assert (await pair.one.command_line("user", "ban", "dora"))[0] == 0
    await ann.say(chat_id, "not for those three")
    await asyncio.sleep(stopped_s)
    pair.two.resume()
    assert await clients[0].closed() == 4403
    assert (await clients[1].answer_to("late"))["code"] == "not_found"
    assert await clients[2].closed() == 4403
    assert [(await one)[0] for one in rest] == [401, 404, 403]
    for client in (*clients, *quiet):
        if client is not clients[1]:
            assert await client.closed() == 4403
        assert "new_message" not in [frame["type"] for frame in client.take()]
    assert [content_of(frame) for frame in await anns.drain() if frame["type"] == "new_message"] == [
        "not for those three"
    ]


@pytest.mark.long
async def test_a_node_that_was_suspended_for_long_ends_its_connections_to_recover(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await pair.there(bob).joined(chat_id)
    pair.two.pause()
    await ann.say(chat_id, "meanwhile")
    await asyncio.sleep(55)
    pair.two.resume()
    assert await client.closed() == 1013
    there = await pair.there(bob).connect()
    answer = await there.done("join_chat", chat_id=chat_id, after_seq=0)
    assert (answer["replayed"], answer["head_seq"]) == (1, 1)


async def test_a_suspended_node_holds_up_nobody_else(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await bob.joined(chat_id)
    pair.two.pause()
    for number in range(20):
        await ann.say(chat_id, f"m{number}")
        await asyncio.sleep(0.2)
    assert await contents(client, 1, 20) == [f"m{number}" for number in range(20)]
    assert await pair.one.is_ready()
    pair.two.resume()
    await pair.two.ready()


async def test_a_node_that_cannot_look_at_the_others_refuses_commands_and_is_not_ready(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2, toxiproxy=True)
    one, two = cluster.nodes
    ann = await cluster.person("ann")
    chat_id = await ann.chat()
    client = await two.host(ann).joined(chat_id)
    await two.links["database"].cut()
    await until(two.is_unready, 10)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await client.send({"type": "typing", "chat_id": chat_id, "is_typing": True, "id": 1})
    await asyncio.sleep(3)
    client.take()
    answer = await client.answer_to(1)
    assert (answer["code"], answer["retryable"]) == ("unavailable", True)
    assert 4 < loop.time() - began_s < 8
    assert await one.is_ready()
    await two.links["database"].mend()
    await two.ready()
    await client.done("typing", chat_id=chat_id, is_typing=True)


@pytest.mark.long
async def test_a_node_that_cannot_look_at_the_others_ends_its_connections(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2, toxiproxy=True)
    _, two = cluster.nodes
    ann = await cluster.person("ann")
    client = await two.host(ann).joined()
    await two.links["database"].cut()
    await asyncio.sleep(28)
    assert client.take() == []
    assert await client.closed() == 1013
    await two.links["database"].mend()
    await two.ready()
    assert (await (await two.host(ann).connect()).done("ping"))["ok"] is True


@pytest.mark.parametrize("seconds", [8, pytest.param(35, marks=pytest.mark.long)])
async def test_a_single_node_keeps_its_connections_while_its_database_is_away(
    start_cluster: StartCluster, seconds: int
) -> None:
    cluster = await start_cluster(1, toxiproxy=True)
    (node,) = cluster.nodes
    ann = await cluster.person("ann")
    chat_id = await ann.chat()
    client = await ann.joined(chat_id)
    await node.links["database"].cut()
    for _ in range(seconds):
        await client.done("ping")
        await asyncio.sleep(1)
    await node.links["database"].mend()
    await node.ready()
    await ann.say(chat_id, "back")
    assert content_of(await client.next("new_message")) == "back"


async def test_an_act_of_the_command_line_counts_at_every_node_within_a_second(pair: Pair) -> None:
    (ann,) = await pair.people("ann")
    for place in (pair.one, pair.two):
        clients = [await ann.connect(), await pair.there(ann).connect()]
        for client in clients:
            await client.drain()
        assert (await place.command_line("user", "ban", "ann"))[0] == 0
        async with within(1):
            assert [await client.closed() for client in clients] == [4403, 4403]
        assert (await place.command_line("user", "unban", "ann"))[0] == 0
        await ann.login("ann")


async def test_an_act_of_the_command_line_beside_running_nodes_counts_too(pair: Pair) -> None:
    """The command line finds no node in its own folder, and opens the database."""
    (ann,) = await pair.people("ann")
    clients = [await ann.connect(), await pair.there(ann).connect()]
    for client in clients:
        await client.drain()
    elsewhere = await pair.cluster.prepare()
    assert (await elsewhere.command_line("user", "ban", "ann"))[0] == 0
    async with within(1):
        assert [await client.closed() for client in clients] == [4403, 4403]
