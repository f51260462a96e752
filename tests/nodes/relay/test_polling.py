"""Requests of polling clients that reach another node than that of their session."""

import asyncio
import json
from io import BytesIO

import aiohttp
import pytest

from server.engine.packets import SEPARATOR
from tests.engine.clocks import ManualClock
from tests.engine.peers import until
from tests.nodes.relay.bare_nodes import BareNode, sid_of
from tests.nodes.relay.conftest import StartNodes
from tests.nodes.relay.hung import Hung
from tests.nodes.relay.leases import Leases

UNKNOWN = {"code": 1, "message": "Session ID unknown"}


async def test_a_session_is_served_through_any_node(start_nodes: StartNodes) -> None:
    first, second, third = await start_nodes(3)
    sid = (await first.peer.open())["sid"]
    for number in range(10):
        assert await (second, third)[number % 2].peer.post(sid, f"4{number}") == (200, "ok")
        assert await (third, first, second)[number % 3].peer.poll(sid) == (200, f"4{number}")
    assert [len(one.engine.sockets) for one in (first, second, third)] == [1, 0, 0]
    assert (first.relay.relayed, first.relay.failed) == (0, 0)
    assert second.relay.relayed + third.relay.relayed == 17


async def test_a_poll_waits_at_the_other_node(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    poll = asyncio.ensure_future(second.peer.poll(sid))
    await until(lambda: first.engine.sockets[sid].polling.is_waiting)
    assert len(second.relay.traffic) == 1
    await first.engine.send(sid, "now")
    assert await poll == (200, "4now")
    await until(lambda: not len(second.relay.traffic))


@pytest.mark.parametrize("size", [0, 1, 16_000, 16_384, 16_385, 100_000, 131_072 - 1])
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_bodies_and_answers_of_any_size(start_nodes: StartNodes, size: int, is_chunked: bool) -> None:
    first, second = await start_nodes(max_http_buffer_size=131_072)
    sid = (await first.peer.open())["sid"]
    text = "4" + "ж" * (size // 2) + "x" * (size % 2)

    async def parts() -> object:
        data = text.encode()
        for at in range(0, len(data), 50_000):
            yield data[at : at + 50_000]
            await asyncio.sleep(0)

    assert await second.peer.post(sid, parts() if is_chunked else text.encode()) == (200, "ok")
    assert await second.peer.poll(sid) == (200, text)


async def test_a_large_answer_is_passed_on_whole(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    for number in range(10):
        await first.engine.send(sid, str(number) * 100_000)
    poll = await second.peer.poll(sid)
    assert poll == (200, SEPARATOR.join("4" + str(number) * 100_000 for number in range(10)))


async def test_what_the_client_accepts_and_what_pages_may_read(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    await first.engine.send(sid, "x" * 5000)
    asked = {"Origin": "https://page.test", "Accept-Encoding": "gzip", "X-Other": "1"}
    async with second.peer.session.get(second.peer.at(sid=sid), headers=asked) as answer:
        assert await answer.text() == "4" + "x" * 5000
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Content-Type"] == "text/plain; charset=UTF-8"
        assert answer.headers.getall("Access-Control-Allow-Origin") == ["https://page.test"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert "X-Vestnik-Relay" not in answer.headers
    preflight = {"Origin": "https://page.test", "Access-Control-Request-Headers": "x-one"}
    async with second.peer.session.options(second.peer.at(sid=sid), headers=preflight) as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Headers"]) == (200, "x-one")
    assert second.relay.relayed == 1


async def test_jsonp(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    form = aiohttp.FormData({"d": "4hello"})
    url = second.peer.at(sid=sid, j="3")
    assert await second.peer.request("POST", url, data=form) == (200, "ok")
    assert await second.peer.request("GET", url) == (200, '___eio[3]("4hello");')


async def test_a_refusal_and_its_status_are_passed_on(start_nodes: StartNodes) -> None:
    first, second = await start_nodes(max_http_buffer_size=1000)
    sid = (await first.peer.open())["sid"]
    assert (await second.peer.post(sid, BytesIO(b"4" + b"x" * 2_000_000)))[0] == 413
    assert (await second.peer.poll(sid))[0] == 400
    assert first.engine.sockets == {}


async def test_a_client_that_polls_twice_at_once_loses_its_session_as_on_one_node(
    nodes: list[BareNode],
) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    poll = asyncio.ensure_future(second.peer.poll(sid))
    await until(lambda: first.engine.sockets[sid].polling.is_waiting)
    assert (await first.peer.poll(sid))[0] == 400
    assert await poll == (200, "1")


async def test_an_unknown_session_of_a_living_node(nodes: list[BareNode]) -> None:
    assert (await nodes[1].peer.poll(sid_of("node1")))[0] == 400
    assert (await nodes[1].peer.post(sid_of("node1"), "4x"))[0] == 400
    assert (nodes[1].relay.relayed, nodes[1].relay.failed) == (2, 0)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_session_of_a_dead_node_is_unknown_at_once(
    nodes: list[BareNode], leases: Leases, method: str
) -> None:
    status, body = await nodes[1].peer.request(method, nodes[1].peer.at(sid=sid_of("dead")))
    assert (status, json.loads(body)) == (400, UNKNOWN)
    assert (leases.looks, nodes[1].relay.relayed) == (1, 0)


async def test_a_node_that_came_since_the_last_look_is_found(start_nodes: StartNodes, leases: Leases) -> None:
    first, second = await start_nodes()
    sid = (await first.peer.open())["sid"]
    del leases.seen["node1"]
    assert await second.peer.post(sid, "4x") == (200, "ok")
    assert leases.looks == 1


async def test_a_node_without_a_url_cannot_be_asked(nodes: list[BareNode], leases: Leases) -> None:
    leases.add("mute", "")
    status, body = await nodes[1].peer.poll(sid_of("mute"))
    assert (status, json.loads(body)) == (400, UNKNOWN)


async def test_a_killed_node_answers_nothing_and_its_clients_start_anew_at_once(
    nodes: list[BareNode],
) -> None:
    """Its lease still lives."""
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    poll = asyncio.ensure_future(second.peer.poll(sid))
    await until(lambda: first.engine.sockets[sid].polling.is_waiting)
    first.die()
    for status, body in (await poll, await second.peer.poll(sid), await second.peer.post(sid, "4x")):
        assert (status, json.loads(body)) == (400, UNKNOWN)
    assert second.relay.failed == 3


@pytest.mark.parametrize(("method", "limit_s"), [("GET", 45.0), ("POST", 90.0)])
async def test_a_node_that_hangs_is_waited_for_as_long_as_a_heartbeat(
    start_nodes: StartNodes, leases: Leases, clock: ManualClock, method: str, limit_s: float
) -> None:
    (first,) = await start_nodes(1, clock=clock)
    hung = Hung()
    await hung.open(leases, "hung")
    asked = asyncio.ensure_future(first.peer.request(method, first.peer.at(sid=sid_of("hung"))))
    await until(lambda: hung.heads)
    clock.turn(limit_s - 0.1)
    await asyncio.sleep(0.05)
    assert not asked.done()
    clock.turn(0.2)
    status, body = await asked
    assert (status, json.loads(body)) == (400, UNKNOWN)
    await hung.close()


async def test_what_waits_for_a_node_ends_when_its_lease_does(
    start_nodes: StartNodes, leases: Leases, clock: ManualClock
) -> None:
    (first,) = await start_nodes(1, clock=clock)
    hung = Hung()
    await hung.open(leases, "hung")
    asked = asyncio.ensure_future(first.peer.poll(sid_of("hung")))
    await until(lambda: hung.heads)
    leases.drop("hung")
    clock.turn(1.0)
    status, body = await asked
    assert (status, json.loads(body)) == (400, UNKNOWN)
    await hung.close()


async def test_a_client_that_goes_is_gone_for_the_other_node_too(
    start_nodes: StartNodes, clock: ManualClock
) -> None:
    first, second = await start_nodes(clock=clock)
    sid = (await first.peer.open())["sid"]
    session = first.engine.sockets[sid]
    poll = asyncio.ensure_future(second.peer.poll(sid))
    await until(lambda: session.polling.is_waiting)
    poll.cancel()
    await asyncio.sleep(0.05)
    clock.turn(1.0)
    await until(lambda: not len(second.relay.traffic))
    await asyncio.sleep(0.05)
    await first.engine.send(sid, "nobody is there")
    await until(lambda: session.closed)


@pytest.mark.parametrize(
    "says",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n4fake",
        b"HTTP/1.1 200 OK\r\nX-Vestnik-Relay: 1 1 AAAA\r\nContent-Length: 5\r\n\r\n4fake",
        b"HTTP/1.1 302 Found\r\nLocation: /engine.io/\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
    ids=["unsigned", "forged", "redirect", "no http", "nothing"],
)
async def test_an_answer_of_somebody_else_reaches_no_client(
    start_nodes: StartNodes, leases: Leases, says: bytes
) -> None:
    (first,) = await start_nodes(1)
    somebody = Hung()
    await somebody.open(leases, "somebody")
    somebody.says = says
    somebody.answer.set()
    for method in ("GET", "POST"):
        status, body = await first.peer.request(method, first.peer.at(sid=sid_of("somebody")))
        assert (status, json.loads(body)) == (400, UNKNOWN)
    await somebody.close()


async def test_a_body_that_breaks_off_handles_nothing(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    heard: list[str] = []
    first.engine.on("message", lambda _sid, data: heard.append(data))
    for number, size in enumerate((100, 100_000), 1):
        sid = (await first.peer.open())["sid"]
        _, writer = await asyncio.open_connection("127.0.0.1", second.port)
        path = f"/engine.io/?EIO=4&transport=polling&sid={sid}"
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
        writer.write(head.encode() + b"4whole" + SEPARATOR.encode() + b"4" * (size // 2))
        await writer.drain()
        await until(lambda: second.relay.relayed == number)  # noqa: B023
        await asyncio.sleep(0.05)
        writer.transport.abort()
        await until(lambda: not len(second.relay.traffic))
    await asyncio.sleep(0.05)
    assert heard == []


async def test_a_slow_body_keeps_its_session_alive(start_nodes: StartNodes, clock: ManualClock) -> None:
    first, second = await start_nodes(clock=clock)
    sid = (await first.peer.open())["sid"]
    session = first.engine.sockets[sid]
    go_on = asyncio.Semaphore(0)

    async def parts() -> object:
        yield b"4"
        for _ in range(4):
            yield b"x" * 20_000
            await go_on.acquire()

    posted = asyncio.ensure_future(second.peer.post(sid, parts()))
    for _ in range(4):
        seen = session.last_seen
        await until(lambda: session.posting)
        clock.turn(5.0)
        go_on.release()
        await until(lambda: session.last_seen > seen)  # noqa: B023
    assert await posted == (200, "ok")
