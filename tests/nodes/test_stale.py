"""A node that may be behind others runs nothing and publishes nothing until it has looked."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.changes import MemberRemoved, SessionsRevoked
from tests.conftest import Server
from tests.nodes.behind import put_behind
from tests.patience import within
from tests.storage.world import START

pytestmark = [pytest.mark.wires, pytest.mark.undocumented]


async def test_a_command_waits_for_the_look(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.joined(chat_id)
    behind = put_behind(server)
    behind.fall_behind()
    await client.send({"type": "send_message", "chat_id": chat_id, "content": "x", "id": 1})
    rest = asyncio.ensure_future(ann.get(f"/chats/{chat_id}"))
    await asyncio.sleep(0.1)
    assert not rest.done()
    assert client.take() == []
    assert await server.chat_app.context.store.messages.changed_since(chat_id, 0, limit=1) == []
    behind.catch_up()
    assert (await client.answer_to(1))["ok"] is True
    assert (await rest)["id"] == chat_id


async def test_a_command_is_unavailable_if_the_look_takes_too_long(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await server.person("ann")
    client = await ann.connect()
    behind = put_behind(server)
    behind.fall_behind()
    monkeypatch.setattr("tests.nodes.behind.CAUGHT_UP_WITHIN_S", 0.1)
    answer = await client.command("ping")
    assert (answer["code"], answer["retryable"]) == ("unavailable", True)
    assert (await ann.request("GET", "/users/me"))[0] == 503
    behind.catch_up()
    await client.done("ping")


async def test_events_are_held_and_come_in_their_order(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await bob.joined(chat_id)
    behind = put_behind(server)
    store = server.chat_app.context.store
    behind.fall_behind()
    for name in ("One", "Two", "Three"):
        await store.chats.change(chat_id, ann.id, START, name=name)
    await asyncio.sleep(0.1)
    assert client.take() == []
    behind.catch_up()
    frames = [frame for frame in await client.drain() if frame["type"] == "chat_changed"]
    assert [frame["chat"]["name"] for frame in frames] == ["One", "Two", "Three"]


async def test_who_was_removed_elsewhere_gets_nothing_that_was_held(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
    behind = put_behind(server)
    context = server.chat_app.context
    behind.fall_behind()
    context.hub.emit("new_message", {"chat_id": chat_id, "secret": True}, room=f"chat:{chat_id}")
    behind.news = lambda: server.chat_app._publisher([MemberRemoved(chat_id, bob.id, None, ann.id, "Room")])
    behind.catch_up()
    behind.news = lambda: None
    assert (await anns.next("new_message"))["secret"] is True
    assert "new_message" not in [frame["type"] for frame in await bobs.drain()]


async def test_who_enters_a_room_meanwhile_gets_nothing_from_before(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await bob.connect()
    await client.drain()
    behind = put_behind(server)
    hub, room = server.chat_app.context.hub, f"chat:{chat_id}"
    (connection_id,) = server.chat_app.context.connections.ids_of(bob.id)
    behind.fall_behind()
    hub.emit("typing", {}, room=room)
    hub.enter(connection_id, room)
    hub.emit("user_status", {}, room=room)
    hub.enter(connection_id, "left")
    hub.leave(connection_id, "left")
    hub.emit("user_offline", {}, room="left")
    behind.catch_up()
    assert [frame["type"] for frame in await client.drain()] == ["user_status"]
    hub.leave(connection_id, room)


async def test_a_session_that_was_revoked_elsewhere_runs_nothing(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.joined(chat_id)
    behind = put_behind(server)
    (connection,) = server.chat_app.context.connections.of(ann.id)
    assert connection.session_id is not None
    revoked = SessionsRevoked(ann.id, [connection.session_id])
    behind.fall_behind()
    await client.send({"type": "send_message", "chat_id": chat_id, "content": "x", "id": 1})
    rest = asyncio.ensure_future(ann.request("POST", "/messages", json={"chat_id": chat_id, "content": "x"}))
    await asyncio.sleep(0.1)
    behind.news = lambda: server.chat_app._publisher([revoked])
    behind.catch_up()
    assert await client.closed() == 4403
    assert (await rest)[0] == 401
    assert await server.chat_app.context.store.messages.changed_since(chat_id, 0, limit=1) == []


async def test_a_bad_token_is_refused_at_once(server: Server) -> None:
    """A stranger holds nothing up, and no other server could make it good."""
    ann = await server.person("ann")
    put_behind(server).fall_behind()
    ann.token = "bad"
    async with within(1):
        assert (await ann.request("GET", "/users/me"))[0] == 401


async def test_who_leaves_rooms_costs_nothing_for_what_is_held(server: Server) -> None:
    """Thousands of connections that end leave all their rooms, while thousands of events wait."""
    behind = put_behind(server)
    hub: Any = server.chat_app.context.hub
    behind.fall_behind()
    hub.emit("user_changed", {}, room="room")
    held = hub._held
    hub.leave("somebody", "room")
    assert hub._held is held
    hub.enter("somebody", "room")
    hub.leave("somebody", "room")
    assert (len(hub._held), hub._held_entries) == (1, set())
    behind.catch_up()


async def test_a_token_is_good_after_a_look_that_has_missed_something(server: Server) -> None:
    """All accounts are forgotten then; memory that is empty refuses nobody."""
    ann = await server.person("ann")
    chat_id = await ann.chat()
    behind, body_may_come = put_behind(server), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b'{"chat_id": '
        await body_may_come.wait()
        yield b'%d, "content": "x"}' % chat_id

    headers = {"Content-Type": "application/json"}
    sent = asyncio.ensure_future(ann.request("POST", "/messages", data=body(), headers=headers))
    await asyncio.sleep(0.1)  # the server has read the token
    behind.fall_behind()
    body_may_come.set()
    await asyncio.sleep(0.1)
    assert not sent.done()
    behind.news = server.chat_app.fall_behind
    behind.catch_up()
    assert (await sent)[0] == 201


async def test_a_connection_that_is_accepted_meanwhile_is_greeted_after_the_look(server: Server) -> None:
    ann = await server.person("ann")
    behind = put_behind(server)
    opening = asyncio.ensure_future(ann.connect())
    behind.fall_behind()
    await asyncio.sleep(0.1)
    assert not opening.done()
    behind.catch_up()
    await (await opening).done("ping")


async def test_connections_that_end_while_the_node_is_behind_say_when_to_come_back(server: Server) -> None:
    ann = await server.person("ann")
    clients = [await ann.connect() for _ in range(3)]
    for client in clients:
        await client.drain()
    put_behind(server).fall_behind()
    server.chat_app.fall_behind()
    assert [await client.closed() for client in clients] == [1013] * 3
    assert len({client.close_reason for client in clients}) > 1


async def test_the_ack_of_a_join_does_not_overtake_its_replay(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    for number in range(3):
        await ann.say(chat_id, f"text {number}")
    client = await ann.connect()
    await client.drain()
    behind = put_behind(server)
    messages = server.chat_app.context.store.messages
    read = messages.changed_since

    async def fall_behind_after_reading(*args: Any, **options: Any) -> Any:
        piece = await read(*args, **options)
        behind.fall_behind()
        return piece

    monkeypatch.setattr(messages, "changed_since", fall_behind_after_reading)
    await client.send({"type": "join_chat", "chat_id": chat_id, "after_seq": 0, "id": "join"})
    while not behind.is_stale:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    monkeypatch.undo()
    behind.catch_up()
    ack = await client.answer_to("join")
    assert (ack["replayed"], ack["head_seq"]) == (3, 3)
    assert [frame["seq"] for frame in client.take() if frame["type"] == "new_message"] == [1, 2, 3]


async def test_what_was_held_comes_before_what_is_emitted_when_nothing_has_to_wait_any_more(
    server: Server,
) -> None:
    """A node that finds itself alone is no longer behind without a look."""
    ann = await server.person("ann")
    client = await ann.connect()
    await client.drain()
    behind = put_behind(server)
    hub = server.chat_app.context.hub
    (connection_id,) = server.chat_app.context.connections.ids_of(ann.id)
    behind.fall_behind()
    hub.emit("typing", {}, room=connection_id)
    behind.is_stale = False
    hub.emit("user_status", {}, room=connection_id)
    assert [frame["type"] for frame in await client.drain()] == ["typing", "user_status"]
