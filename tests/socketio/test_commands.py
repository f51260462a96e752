"""The largest packet. Everything else about commands holds on every wire: tests/wires/test_commands.py."""

from tests.conftest import Server
from tests.socketio.conftest import TRANSPORTS, connected
from tests.socketio.node import Node


async def test_a_packet_of_the_largest_size_is_taken_and_a_larger_one_ends_the_connection(
    server: Server, node: Node
) -> None:
    ann = await server.person("ann")
    for name, transport in TRANSPORTS.items():
        client = await connected(node, ann, transport)
        if name == "upgrade":
            await client.notice("upgrade")
        envelope = len('420["ping",{"x":""}]')
        call = await client.start("ping", {"x": (128 * 1024 - envelope) * "x"})
        assert await client.answer_to(call) == {"ok": True}
        await client.start("ping", {"x": 128 * 1024 * "x"})
        assert (await client.next("closing")).payload["code"] == 1009
        # It is not to come back by itself: it would send the same again.
        assert (await client.notice("disconnect"))["active"] is False
