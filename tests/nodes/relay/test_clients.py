"""Real clients, with each of their requests on another node: they see what they see of one node."""

import asyncio
import base64

import pytest
import socketio

from tests.engine.peers import CONNECT_S, until
from tests.nodes.relay.bare_nodes import BareNode
from tests.nodes.relay.conftest import Group, OpenProxy, StartNodes
from tests.nodes.relay.round_robin import RoundRobin
from tests.socketio.conftest import TRANSPORTS
from tests.socketio.node import Node, NodeClient
from tests.socketio.windows import Ack, PythonWindow

pytestmark = pytest.mark.stores("sqlite")

KINDS = ("polling", "upgrade")


@pytest.fixture
async def nodes(start_nodes: StartNodes) -> list[BareNode]:
    return await start_nodes(3, sio=True, ping_interval=25, ping_timeout=20)


async def opened(node: Node, proxy: RoundRobin, kind: str) -> NodeClient:
    """An official client that is connected, and upgraded if it wants to."""
    client = await node.open(proxy.url, **TRANSPORTS[kind])
    await client.notice("connect")
    if kind == "upgrade":
        await client.notice("upgrade")
    return client


async def ack_of(client: NodeClient, call: int) -> tuple[object, ...]:
    """What the node has answered to an event."""
    ack: Ack = await client._first(lambda seen: isinstance(seen, Ack) and seen.call == call)
    return ack.args


@pytest.mark.parametrize("kind", KINDS)
async def test_the_official_client_in_a_chat(group: Group, node: Node, kind: str) -> None:
    ann, bob = await group.person("ann"), await group.person("bob")
    chat_id = await ann.chat(bob)
    client = await node.open(ann.url, ann.token, **TRANSPORTS[kind])
    assert (await client.next()).name == "connected"
    if kind == "upgrade":
        await client.notice("upgrade")
    await client.done("join_chat", chat_id=chat_id)
    for number in range(30):
        sent = await bob.say(chat_id, f"to ann {number}")
        assert (await client.next("new_message")).payload["message"] == sent
    texts = [f"from ann {number}" for number in range(100)]
    answers = await client.burst(
        "send_message", [{"chat_id": chat_id, "content": text, "client_id": text} for text in texts]
    )
    assert [answer["message"]["content"] for answer in answers] == texts
    assert group.relayed > (1 if kind == "upgrade" else 30)
    assert len(group.engine(0).sockets) == 1
    await client.close()


@pytest.mark.parametrize("transports", [["polling"], ["polling", "websocket"]], ids=["polling", "upgrade"])
async def test_the_python_client_in_a_chat(group: Group, transports: list[str]) -> None:
    ann, bob = await group.person("ann"), await group.person("bob")
    chat_id = await ann.chat(bob)
    window = PythonWindow(ann.http)
    client: socketio.AsyncClient = window._client
    await client.connect(ann.url, auth={"token": ann.token}, transports=transports, wait_timeout=CONNECT_S)
    await window.done("join_chat", chat_id=chat_id)
    for number in range(20):
        sent = await bob.say(chat_id, f"to ann {number}")
        assert (await window.next("new_message")).payload["message"] == sent
        answer = await window.done("send_message", chat_id=chat_id, content=str(number))
        assert (await window.next("new_message")).payload["message"] == answer["message"]
    assert client.transport() == transports[-1]
    assert group.relayed > (0 if len(transports) == 2 else 30)
    await window.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_large_and_binary_events_both_ways(
    node: Node, nodes: list[BareNode], proxy: RoundRobin, kind: str
) -> None:
    client = await opened(node, proxy, kind)
    data = base64.b64encode(bytes(range(256)) * 300).decode()
    for size in (10, 20_000, 131_072):
        for argument, back in (
            ("ж" * (size // 2), "ж" * (size // 2)),
            (
                {"$bytes": data[: size // 4 * 4]},
                {"type": "Buffer", "data": list(base64.b64decode(data[: size // 4 * 4]))},
            ),
        ):
            call = await client.start("echo", size, argument)
            assert await ack_of(client, call) == (size, back)
    if kind == "polling":
        assert all(one.relay.relayed for one in nodes[1:])
    else:
        assert sum(one.relay.tunnels for one in nodes) == len([1 for one in nodes if one.relay.tunnels])
    await client.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_many_events_keep_their_order_both_ways(
    node: Node, nodes: list[BareNode], proxy: RoundRobin, kind: str
) -> None:
    client = await opened(node, proxy, kind)
    (sid,) = nodes[0].sids

    async def send() -> None:
        for number in range(500):
            nodes[0].server.fan_out.post("n", number, room=sid)
            if number % 7 == 0:
                await asyncio.sleep(0.002)

    sending = asyncio.create_task(send())
    calls = [await client.start("echo", number) for number in range(300)]
    for number in range(500):
        assert (await client.next("n")).args == (number,)
    for number, call in enumerate(calls):
        assert await ack_of(client, call) == (number,)
    await sending
    await client.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_noticed", [True, False], ids=["lease over", "lease alive"])
async def test_the_owner_is_killed_and_the_client_comes_back_at_once(
    node: Node, nodes: list[BareNode], proxy: RoundRobin, kind: str, is_noticed: bool
) -> None:
    client = await opened(node, proxy, kind)
    nodes[0].die()
    if is_noticed:
        nodes[0]._leases.drop("node1")
    proxy.ports.pop(0)
    asked = asyncio.get_running_loop().time()
    assert (await client.notice("disconnect"))["reason"] in ("transport error", "transport close")
    again = await client.notice("connect")
    assert again["engine_sid"].startswith("node2.")
    assert asyncio.get_running_loop().time() - asked < 3
    call = await client.start("echo", "still there")
    assert await ack_of(client, call) == ("still there",)
    await client.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_the_node_in_between_is_killed_and_the_client_comes_back_at_once(
    node: Node, nodes: list[BareNode], proxy: RoundRobin, kind: str
) -> None:
    proxy.choose = lambda head: nodes[0].port if b"sid=" not in head else nodes[1].port
    client = await opened(node, proxy, kind)
    await until(lambda: len(nodes[1].relay.traffic))
    if kind == "upgrade":
        (session,) = nodes[0].engine.sockets.values()
        await until(lambda: session.upgraded)
    nodes[1].die()
    nodes[1].relay.traffic.stop()
    proxy.choose = lambda _head: nodes[0].port
    assert (await client.notice("disconnect"))["reason"] in ("transport error", "transport close")
    assert (await client.notice("connect"))["engine_sid"].startswith("node1.")
    await client.close()
    await until(lambda: len(nodes[0].engine.sockets) == 0)


@pytest.mark.parametrize("kind", KINDS)
async def test_heartbeats_go_through_and_their_absence_is_seen(
    node: Node, start_nodes: StartNodes, open_proxy: OpenProxy, kind: str
) -> None:
    nodes = await start_nodes(3, sio=True, ping_interval=0.5, ping_timeout=2.0)
    proxy = await open_proxy(*(each.port for each in nodes))
    client = await opened(node, proxy, kind)
    await asyncio.sleep(2)
    call = await client.start("echo", 1)
    assert await ack_of(client, call) == (1,)
    assert nodes[0].ended == []
    proxy.pause()
    await until(lambda: nodes[0].ended)
    assert (await client.notice("disconnect"))["reason"] in (
        "ping timeout",
        "transport error",
        "transport close",
    )
    proxy.go_on()
    await client.notice("connect")
    await client.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_that_leaves_is_gone_at_once(
    node: Node, nodes: list[BareNode], proxy: RoundRobin, kind: str
) -> None:
    client = await opened(node, proxy, kind)
    await client.close()
    await until(lambda: nodes[0].ended == ["client disconnect"])
    await until(lambda: not nodes[0].engine.sockets)
