"""Draining: how long a stop takes at each step, and what newcomers get meanwhile."""

import asyncio
import json
import time

import pytest

from server import draining
from server.draining import DRAIN_S, DRAINING, Crowd, Draining, Endings, endings, unready_s
from tests.clients.people import Person
from tests.clients.wires import WIRES, Wire
from tests.conftest import Serve, Server

CLIENTS_OF_A_KIND = 8


@pytest.mark.parametrize(
    ("setting_s", "stop_s", "others", "serves_on_s"),
    [
        (None, 10, 0, 0),
        (None, 10, 2, DRAIN_S),
        (None, 5, 2, 1),  # the whole stop comes first
        (None, 4, 2, 0),
        (0, 10, 2, 0),
        (6, 10, 0, 6),
    ],
)
def test_how_long_it_serves_on(
    setting_s: float | None, stop_s: float, others: int, serves_on_s: float
) -> None:
    assert unready_s(setting_s, stop_s, others) == serves_on_s


@pytest.mark.parametrize(
    ("connections", "others", "left_s", "expected"),
    [
        (0, 1, 57, Endings(0, 1)),
        (200, 1, 57, Endings(1, 1)),
        (10_000, 1, 57, Endings(50, 1)),
        (10_000, 2, 57, Endings(25, 1)),
        (10_000, 1, 9, Endings(3, 47)),  # the rest of the spread is in the clients' waits
        (10_000, 1, 3, Endings(0, 50)),
        (100_000, 1, 3, Endings(0, 60)),
    ],
)
def test_how_the_connections_end(connections: int, others: int, left_s: float, expected: Endings) -> None:
    assert endings(connections, others, left_s) == expected


async def open_wires(people: list[Person]) -> list[Wire]:
    wires = [
        WIRES[kind](person.http, person.url, person.token, lambda _frame: None)
        for person, kind in zip(people, list(WIRES) * CLIENTS_OF_A_KIND, strict=True)
    ]
    assert all(await asyncio.gather(*(wire.open() for wire in wires)))
    return wires


@pytest.fixture
async def server(serve: Serve) -> Server:
    return await serve(shutdown_timeout_s=30)


async def test_with_others_connections_end_in_turn_and_newcomers_go_elsewhere(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await server.people(*(f"user{number}" for number in range(CLIENTS_OF_A_KIND * len(WIRES))))
    wires = await open_wires(people)
    monkeypatch.setattr(draining, "RETURNS_PER_S", len(wires) / 4)  # so that two others need two seconds
    drain = server.app[DRAINING]
    drain._drain_s, drain.others = 0.5, lambda: 2
    tunnels = list(range(8))
    drain.crowds = [Crowd(lambda: len(tunnels), lambda count: tunnels.__delitem__(slice(count)))]
    began_at = time.monotonic()
    running = asyncio.create_task(drain.run(server.chat_app, 30))
    await asyncio.sleep(0.25)
    assert not any(wire.over.is_set() for wire in wires), "all are served while proxies learn of it"
    (newcomer,) = [WIRES["raw"](people[0].http, server.url, people[0].token, lambda _frame: None)]
    assert await newcomer.open()
    assert await health(server) == (503, {"status": "going away"})
    wires.append(newcomer)
    ended_at_s = await asyncio.gather(*(ended_after(wire, began_at) for wire in wires))
    await running
    assert tunnels == [], "what is handed on for others ends as well"
    crowded = max(sum(at_s <= other_s < at_s + 0.5 for other_s in ended_at_s) for at_s in ended_at_s)
    assert crowded <= len(wires) * 3 / 4, ("most ended in the same half of a second", ended_at_s)
    assert max(ended_at_s) - min(ended_at_s) > 1
    for wire in wires:
        assert wire.close_code == 1001
        assert 0 <= json.loads(wire.close_reason)["retry_in_ms"] <= 1000
        await wire.close()


async def ended_after(wire: Wire, began_at: float) -> float:
    await wire.over.wait()
    return time.monotonic() - began_at


async def health(server: Server) -> tuple[int, object]:
    async with server.http.get(f"{server.url}/health/ready") as answer:
        return answer.status, await answer.json()


async def test_new_sockets_are_refused_while_connections_end(server: Server) -> None:
    ann = await server.person("ann")
    polling = WIRES["polling"](ann.http, server.url, ann.token, lambda _frame: None)
    assert await polling.open()
    drain = server.app[DRAINING]
    drain.going_away = drain._ends_connections = True
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    for path in ("/ws", "/socket.io/?EIO=4&transport=websocket", "/socket.io/?EIO=4&transport=polling"):
        async with server.http.get(server.url + path, headers=headers) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert await polling.ask("ping") is not None, "an open session goes on"
    async with server.http.get(f"{server.url}/health/live") as answer:
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
    await polling.close()


async def test_a_node_that_is_alone_ends_nobody_in_turn(server: Server) -> None:
    ann = await server.person("ann")
    client = await ann.connect()
    drain: Draining = server.app[DRAINING]
    await drain.run(server.chat_app, 30)
    assert drain.going_away
    assert not drain._ends_connections
    await client.done("ping")
    await server.stop()
    assert await client.closed() == 1001
    assert 0 <= json.loads(client.close_reason)["retry_in_ms"] <= 5000
