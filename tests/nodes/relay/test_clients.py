"""Real clients, with each request on another server: they see what they see of one server."""

import pytest

from tests.nodes.relay.conftest import Cluster
from tests.socketio.conftest import TRANSPORTS
from tests.socketio.node import Node

pytestmark = pytest.mark.stores("sqlite")


@pytest.mark.parametrize("kind", ["polling", "upgrade"])
async def test_the_official_client(cluster: Cluster, node: Node, kind: str) -> None:
    ann, bob = await cluster.person("ann"), await cluster.person("bob")
    chat_id = await ann.chat(bob)
    client = await node.open(ann.url, ann.token, **TRANSPORTS[kind])
    assert (await client.next()).name == "connected"
    if kind == "upgrade":
        await client.notice("upgrade")
    await client.done("join_chat", chat_id=chat_id)
    for number in range(30):
        sent = await bob.say(chat_id, f"to ann {number}")
        assert (await client.next("new_message")).payload["message"] == sent
    answers = await client.burst(
        "send_message",
        [
            {"chat_id": chat_id, "content": f"from ann {number}", "client_id": str(number)}
            for number in range(100)
        ],
    )
    assert [answer["message"]["content"] for answer in answers] == [
        f"from ann {number}" for number in range(100)
    ]
    assert cluster.relayed > (1 if kind == "upgrade" else 30)
    assert len(cluster.engine(0).sockets) == 1
    await client.close()
