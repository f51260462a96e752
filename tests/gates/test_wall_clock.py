"""Tokens expire by the wall clock, which jumps when a suspended machine wakes or the time is set."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.shapes import assert_error
from tests.clients.wires import WIRES, Frame, Wire
from tests.conftest import Serve, Server
from tests.patience import within

DAY_S = 24 * 3600.0

pytestmark = pytest.mark.stores("sqlite")

Connect = Callable[[Server, Person, str], Awaitable[tuple[Wire, list[Frame]]]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Opens connections: the wire, and the frames it has seen."""
    wires: list[Wire] = []

    async def open_wire(server: Server, person: Person, kind: str) -> tuple[Wire, list[Frame]]:
        seen: list[Frame] = []
        wire = WIRES[kind](person.http, server.url, person.token, seen.append)
        wires.append(wire)
        assert await wire.open()
        return wire, seen

    yield open_wire
    for wire in wires:
        await wire.close()


async def clocked(serve: Serve) -> Server:
    return await serve(clock=ManualClock(), ping_interval_s=3600)


async def over(wire: Wire) -> int | None:
    async with within(10):
        await wire.over.wait()
    return wire.close_code


async def expiry_warnings(wire: Wire, seen: list[Frame]) -> list[int]:
    """The warnings about the end of the token that came before the ack of a `ping`."""
    assert await wire.ask("ping") is not None
    return [frame["expires_in"] for frame in seen if frame["type"] == "token_expiring"]


@pytest.mark.parametrize("kind", WIRES)
async def test_after_a_jump_of_two_days_no_command_is_taken(
    serve: Serve, connect: Connect, kind: str
) -> None:
    server = await clocked(serve)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    wire, seen = await connect(server, ann, kind)
    server.clock.jump(2 * DAY_S)
    answer = await wire.ask("send_message", chat_id=chat_id, content="too late")
    assert answer is None or answer["code"] == "unauthenticated"
    assert await over(wire) == 4401
    assert not [frame for frame in seen if frame["type"] == "new_message"]
    assert_error(await ann.request("GET", "/users/me"), 401, "unauthenticated")
    await ann.login("ann")
    assert (await ann.get(f"/chats/{chat_id}/messages"))["messages"] == []


@pytest.mark.parametrize("kind", WIRES)
async def test_after_a_jump_the_silent_are_ended_within_a_minute(
    serve: Serve, connect: Connect, kind: str
) -> None:
    server = await clocked(serve)
    ann = await server.person("ann")
    wire, _ = await connect(server, ann, kind)
    server.clock.jump(DAY_S)
    server.clock.advance(60)
    assert await over(wire) == 4401
    assert not server.chat_app.context.connections.all()


async def test_one_command_after_a_jump_ends_all_whose_token_has_ended(
    serve: Serve, connect: Connect
) -> None:
    server = await clocked(serve)
    ann, bob = await server.people("ann", "bob")
    asking, _ = await connect(server, ann, "raw")
    silent, _ = await connect(server, ann, "raw")
    server.clock.advance(3600)
    await bob.login("bob")
    other, _ = await connect(server, bob, "raw")
    server.clock.jump(DAY_S - 1800)
    await asking.ask("ping")
    assert (await over(asking), await over(silent)) == (4401, 4401)
    assert (await other.ask("ping") or {})["type"] == "ack"


async def test_a_jump_to_just_before_the_end_warns_within_a_minute(serve: Serve, connect: Connect) -> None:
    server = await clocked(serve)
    ann = await server.person("ann")
    wire, seen = await connect(server, ann, "raw")
    server.clock.jump(DAY_S - 90)
    server.clock.advance(60)
    (received,) = await expiry_warnings(wire, seen)
    assert 30 <= received <= 60
    server.clock.advance(31)
    assert await over(wire) == 4401


async def test_if_the_clock_is_set_back_nobody_is_ended_early_and_all_are_warned_in_time(
    serve: Serve, connect: Connect
) -> None:
    server = await clocked(serve)
    ann = await server.person("ann")
    wire, seen = await connect(server, ann, "raw")
    server.clock.advance(DAY_S - 30)
    assert await expiry_warnings(wire, seen) == [60]
    server.clock.jump(-7200)
    server.clock.advance(7200 - 60)
    assert await expiry_warnings(wire, seen) == [60]
    server.clock.advance(60)
    assert len(await expiry_warnings(wire, seen)) == 2
    server.clock.advance(60)
    assert await over(wire) == 4401


async def test_limits_go_by_the_other_clock(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), messages_per_s=1, messages_burst=1)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    await ann.say(chat_id, "one")
    server.clock.jump(3600)
    body = {"chat_id": chat_id, "content": "two"}
    assert_error(await ann.request("POST", "/messages", json=body), 429, "rate_limited")
    server.clock.jump(-7200)
    server.clock.advance(1)
    assert (await ann.request("POST", "/messages", json=body))[0] == 201


async def test_refresh_tokens_end_by_the_wall_clock(serve: Serve) -> None:
    server = await clocked(serve)
    ann = await server.person("ann")
    body = {"refresh_token": ann.refresh_token}
    server.clock.jump(31 * DAY_S)
    assert_error(await ann.request("POST", "/auth/refresh", json=body), 401, "unauthenticated")
    server.clock.jump(-2 * DAY_S)
    assert (await ann.request("POST", "/auth/refresh", json=body))[0] == 200
