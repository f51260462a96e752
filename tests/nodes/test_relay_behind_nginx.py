"""Three nodes as processes on one database, behind an nginx that gives each request to the next one."""

import asyncio
from typing import Any

import pytest

from tests.clients.people import Person
from tests.cluster.cluster import Cluster
from tests.cluster.fixtures import StartCluster
from tests.socketio.conftest import TRANSPORTS, node_process  # noqa: F401 -- a fixture
from tests.socketio.node import Node, NodeClient, NodeProcess, need_node
from tests.socketio.windows import Notice

pytestmark = pytest.mark.cluster

KINDS = ("polling", pytest.param("upgrade", marks=pytest.mark.long))


@pytest.fixture
async def node(
    node_process: NodeProcess,  # noqa: F811 -- the fixture
    start_cluster: StartCluster,
) -> Any:
    """Official clients; they are gone before the nodes are."""
    need_node()
    async with Node(node_process) as node:
        yield node


async def connected(node: Node, person: Person, kind: str) -> NodeClient:
    client = await node.open(person.url, person.token, **TRANSPORTS[kind])
    assert (await client.next()).name == "connected"
    if kind == "upgrade":
        await client.notice("upgrade")
    return client


async def two_people(cluster: Cluster) -> tuple[Person, Person, int]:
    """Ann and Bob, as clients of nginx, and their chat."""
    ann, bob = [cluster.through_front(person) for person in await cluster.people("ann", "bob")]
    return ann, bob, await ann.chat(bob)


@pytest.mark.parametrize("kind", KINDS)
async def test_clients_need_no_sticky_sessions(start_cluster: StartCluster, node: Node, kind: str) -> None:
    cluster = await start_cluster(3, front=True)
    ann, bob, chat_id = await two_people(cluster)
    clients = [await connected(node, person, kind) for person in (ann, bob, ann, bob)]
    for client in clients:
        await client.done("join_chat", chat_id=chat_id)
    for number in range(20):
        answer = await clients[number % 4].done("send_message", chat_id=chat_id, content=str(number))
        for client in clients:
            message = (await client.next("new_message")).payload["message"]
            assert message["seq"] == answer["message"]["seq"]
            assert message["content"] == str(number)
    seen = [each for client in clients for each in client.everything if isinstance(each, Notice)]
    assert "disconnect" not in {notice.what for notice in seen}
    for client in clients:
        await client.close()
    for _, log in cluster.logs():
        assert "does not answer" not in log
        assert "NODE_URL" not in log


@pytest.mark.parametrize("kind", KINDS)
async def test_the_node_of_a_session_is_killed_and_its_client_recovers(
    start_cluster: StartCluster, node: Node, kind: str
) -> None:
    cluster = await start_cluster(3, front=True)
    ann, bob, chat_id = await two_people(cluster)
    client = await connected(node, ann, kind)
    await client.done("join_chat", chat_id=chat_id)
    first = await bob.say(chat_id, "before")
    assert (await client.next("new_message")).payload["message"] == first
    (owner,) = [each for each in cluster.nodes if "gate=socket.io" in each.log]
    await owner.kill()
    began = asyncio.get_running_loop().time()
    assert (await client.notice("disconnect"))["reason"] in ("transport error", "transport close")
    assert (await client.next("connected")).name == "connected"
    assert asyncio.get_running_loop().time() - began < 5
    sent = await bob.say(chat_id, "after")
    await client.done("join_chat", chat_id=chat_id, after_seq=first["seq"])
    assert (await client.next("new_message")).payload["message"] == sent
    await client.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_node_in_between_is_killed_while_messages_flow_and_none_is_missing(
    start_cluster: StartCluster, node: Node, kind: str
) -> None:
    """nginx then asks another node for the answer to a poll that the killed one may have had already."""
    cluster = await start_cluster(3, front=True)
    ann, bob, chat_id = await two_people(cluster)
    client = await connected(node, ann, kind)
    await client.done("join_chat", chat_id=chat_id)
    owner, *others = sorted(cluster.nodes, key=lambda each: "gate=socket.io" not in each.log)
    sender = owner.host(bob)

    async def send() -> None:
        for number in range(100):
            await sender.say(chat_id, str(number))
            if number == 40:
                await others[0].kill()

    sending = asyncio.create_task(send())
    seen: list[str] = []
    seq = 0
    while len(seen) < 100:
        event = await client.next()
        if event.name == "connected":
            await client.done("join_chat", chat_id=chat_id, after_seq=seq)
        elif event.name == "new_message":
            message = event.payload["message"]
            seq = message["seq"]
            seen.append(message["content"])
    assert seen == [str(number) for number in range(100)]
    await sending
    await client.close()
