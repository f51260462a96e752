"""Whether nodes reach each other is found out, and said in the log."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from server.nodes import relay_probe
from server.nodes.relay_signing import HEADER, Claim, Signer
from tests.conftest import SECRET, Serve
from tests.nodes.relay.bare_nodes import BareNode
from tests.nodes.relay.conftest import StartNodes
from tests.nodes.relay.hung import Hung
from tests.nodes.relay.leases import Leases

pytestmark = pytest.mark.stores("sqlite")


async def warnings_of(node: BareNode) -> list[Any]:
    """What the probe logs."""
    with capture_logs() as logged:
        await node.relay.probe.check()
    return [line for line in logged if line["log_level"] == "warning"]


async def test_nodes_that_reach_each_other(nodes: list[BareNode]) -> None:
    for node in nodes:
        assert await warnings_of(node) == []


async def test_a_node_that_is_not_reached_logs_that_its_url_has_to_be_set(
    nodes: list[BareNode], leases: Leases
) -> None:
    first, second = nodes
    for url in ("", "http://127.0.0.1:9", second.url):
        leases.add("node1", url)
        (warning,) = await warnings_of(first)
        assert "set NODE_URL" in warning["event"]
        assert warning["asked"] == second.url


async def test_a_node_that_came_a_moment_ago_is_found(nodes: list[BareNode], leases: Leases) -> None:
    asked, by = leases.seen["node2"], leases.seen.pop("node1")
    assert (asked.incarnation, by.incarnation) == ("node2", "node1")
    assert await warnings_of(nodes[0]) == []
    assert leases.looks == 1


async def test_another_that_is_not_reached(
    start_nodes: StartNodes, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = await start_nodes(1)
    monkeypatch.setattr(relay_probe, "PING_TIMEOUT_S", 0.05)
    hung = Hung()
    await hung.open(leases, "hung")
    leases.add("closed", "http://127.0.0.1:9")
    warnings = await warnings_of(first)
    assert {line["url"] for line in warnings} == {leases.seen["hung"].url, "http://127.0.0.1:9"}
    assert all("cannot be reached" in line["event"] for line in warnings)
    await hung.close()


async def test_a_stranger_s_ping_is_not_there(nodes: list[BareNode], serve: Serve) -> None:
    server = await serve()
    for url in (nodes[0].url, server.url):
        for method in ("GET", "POST"):
            async with server.http.request(method, url + relay_probe.PATH) as answer:
                assert answer.status == 404
                assert (await answer.json())["error"]["code"] == "not_found"
    header = Signer(SECRET).request(Claim("node9", "node1", 1, ""), "POST", relay_probe.PATH)
    async with server.http.post(nodes[0].url + relay_probe.PATH, headers={HEADER: header}) as answer:
        assert answer.status == relay_probe.NOT_REACHED, "nobody knows the one that asks"
