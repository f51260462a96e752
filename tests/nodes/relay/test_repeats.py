"""A proxy asks a second node what a first one may have answered: nothing is missing, and nothing is done twice."""

import asyncio

import aiohttp
import pytest

from tests.engine.peers import until
from tests.nodes.relay.bare_nodes import BareNode
from tests.nodes.relay.conftest import StartNodes


async def test_a_poll_that_was_answered_and_comes_again_ends_the_session(start_nodes: StartNodes) -> None:
    first, second, third = await start_nodes(3)
    sid = (await first.peer.open())["sid"]
    await first.engine.send(sid, "in an answer that was lost with its server")
    await first.engine.send(sid, "next")
    assert (await second.peer.request("GET", second.peer.at(sid=sid, t="q1")))[0] == 200
    await first.engine.send(sid, "later")
    assert (await third.peer.request("GET", third.peer.at(sid=sid, t="q1")))[0] == 400
    assert (await third.peer.request("GET", third.peer.at(sid=sid, t="q2")))[0] == 200, "what was left"
    assert (await third.peer.request("GET", third.peer.at(sid=sid, t="q3")))[0] == 400
    await until(lambda: not first.engine.sockets)


async def test_a_poll_whose_node_died_and_that_comes_again_ends_the_session(
    start_nodes: StartNodes,
) -> None:
    first, second, third = await start_nodes(3)
    sid = (await first.peer.open())["sid"]
    poll = asyncio.ensure_future(second.peer.request("GET", second.peer.at(sid=sid, t="q1")))
    await until(lambda: first.engine.sockets[sid].polling.is_waiting)
    second.die()
    with pytest.raises(aiohttp.ClientError):
        await poll
    assert (await third.peer.request("GET", third.peer.at(sid=sid, t="q1")))[0] == 400
    await until(lambda: not first.engine.sockets)


async def test_a_post_that_comes_again_is_not_done_again(start_nodes: StartNodes) -> None:
    first, second, third = await start_nodes(3)
    heard: list[object] = []
    first.engine.on("message", lambda _sid, data: heard.append(data))
    sid = (await first.peer.open())["sid"]
    for number in range(3):
        url = second.peer.at(sid=sid, t=f"q{number}")
        assert await second.peer.request("POST", url, data=f"4{number}") == (200, "ok")
    assert (await third.peer.request("POST", third.peer.at(sid=sid, t="q2"), data="42"))[0] == 400
    assert heard == ["0", "1", "2"]
    await until(lambda: not first.engine.sockets)


async def test_a_get_and_a_post_may_have_the_same_mark(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    for number in range(5):
        url = second.peer.at(sid=sid, t=str(number))
        assert await second.peer.request("POST", url, data="4x") == (200, "ok")
        assert await second.peer.request("GET", url) == (200, "4x")


async def test_requests_without_a_mark_are_all_new(nodes: list[BareNode]) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    for _ in range(3):
        assert await second.peer.post(sid, "4x") == (200, "ok")
        assert await second.peer.poll(sid) == (200, "4x")


async def test_a_node_that_is_alone_looks_at_no_marks(start_nodes: StartNodes) -> None:
    (first,) = await start_nodes(1)
    first.engine.foreign = None
    sid = (await first.peer.open())["sid"]
    for _ in range(3):
        url = first.peer.at(sid=sid, t="always the same")
        assert await first.peer.request("POST", url, data="4x") == (200, "ok")
        assert await first.peer.request("GET", url) == (200, "4x")
