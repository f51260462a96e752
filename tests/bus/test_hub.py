"""Events as bytes between two nodes: on all wires, in order with other events, and held while a node is behind."""

import pytest

from handlers.live.loaded_chat import room_of
from server.engine_hub import EngineHub
from server.keys import SIO
from tests.conftest import Server
from tests.nodes.behind import put_behind

pytestmark = [pytest.mark.wires, pytest.mark.undocumented]


def hub_of(server: Server) -> EngineHub:
    hub = server.chat_app.context.hub
    assert isinstance(hub, EngineHub)
    return hub


async def test_what_one_hub_has_encoded_another_hands_out(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client, hub, room = await bob.joined(chat_id), hub_of(server), room_of(chat_id)
    blobs = hub.emit_encoded("typing", {"n": 1, "text": "да"}, room=room)
    hub.emit("typing", {"n": 2}, room=room)
    hub.emit_blobs(blobs, room=room)
    hub.emit_encoded("typing", {"n": 3}, room="nobody is here")
    frames = await client.drain()
    assert [frame["n"] for frame in frames] == [1, 2, 1]
    assert frames[0] == frames[2] == {"type": "typing", "n": 1, "text": "да"}


async def test_they_are_held_while_a_node_is_behind(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client, hub, room = await bob.joined(chat_id), hub_of(server), room_of(chat_id)
    behind = put_behind(server)
    behind.fall_behind()
    blobs = hub.emit_encoded("typing", {"n": 1}, room=room)
    hub.emit("typing", {"n": 2}, room=room)
    hub.emit_blobs(blobs, room=room)
    assert server.app[SIO].fan_out.posted == 0
    behind.catch_up()
    assert [frame["n"] for frame in await client.drain()] == [1, 2, 1]
