"""What strangers, and whoever listens between the nodes, can do with what nodes hand on to each other: nothing."""

import asyncio
import json
from ipaddress import ip_network
from typing import Any

import pytest

from server.keys import SIO
from server.nodes import relay_traffic
from server.nodes.relay import RELAY
from server.nodes.relay_signing import HEADER, Claim, Signer
from tests.conftest import SECRET
from tests.engine.peers import until
from tests.nodes.relay.bare_nodes import BareNode, sid_of
from tests.nodes.relay.conftest import StartGroup, StartNodes
from tests.nodes.relay.hung import Hung
from tests.nodes.relay.leases import Leases

pytestmark = pytest.mark.stores("sqlite")


async def ask(
    node: BareNode, method: str, target: str, header: str | None, body: bytes = b""
) -> tuple[int, str]:
    """The answer to a request as another node makes it, or a stranger."""
    headers = {} if header is None else {HEADER: header}
    return await node.peer.request(method, node.url + target, headers=headers, data=body or None)


def target_of(sid: str) -> str:
    return f"/engine.io/?EIO=4&transport=polling&sid={sid}"


def signed(claim: Claim, body: bytes) -> bytes:
    """A body with its signature."""
    mac = Signer(SECRET).body(claim)
    mac.update(body)
    return body + mac.digest()


@pytest.fixture
def heard(nodes: list[BareNode]) -> list[Any]:
    """What the first node was told by clients."""
    heard: list[Any] = []
    nodes[0].engine.on("message", lambda _sid, data: heard.append(data))
    return heard


@pytest.mark.parametrize(
    "forge",
    [
        lambda sid: sid[:-1] + ("A" if sid[-1] != "A" else "B"),
        lambda sid: sid.replace("node1", "node2"),
        lambda sid: sid.replace("node1", "http://10.0.0.1"),
        lambda sid: "node1." + sid,
        lambda sid: sid + ".",
        lambda sid: sid.split(".")[0],
        lambda sid: "node1..",
        lambda sid: "ж" + sid,
    ],
)
async def test_a_forged_sid_asks_nobody(nodes: list[BareNode], leases: Leases, forge: Any) -> None:
    first, second = nodes
    sid = forge((await first.peer.open())["sid"])
    assert (await second.peer.poll(sid))[0] == 400
    assert (await second.peer.post(sid, "4x"))[0] == 400
    assert (second.relay.relayed, first.relay.relayed, leases.looks) == (0, 0, 0)


async def test_sids_are_not_signed_with_the_key_itself_and_differ(nodes: list[BareNode]) -> None:
    sids = {(await nodes[0].peer.open())["sid"] for _ in range(50)}
    assert len(sids) == 50
    assert {len(sid.split(".")[1]) for sid in sids} == {22}, "128 bits"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "1",
        "1 node2 node1 1 10.0.0.1 AAAA",
        "1 node2 node1 1 10.0.0.1 " + "A" * 43,
        "\u00e9" * 5,
        "x" * 5000,
        Signer("another key, which is long enough as well").request(
            Claim("node2", "node1", 1, "10.0.0.1"), "GET", "/engine.io/"
        ),
    ],
)
async def test_a_stranger_who_makes_up_a_signature_is_refused(
    nodes: list[BareNode], heard: list[Any], header: str
) -> None:
    first, _ = nodes
    sid = (await first.peer.open())["sid"]
    for method in ("GET", "POST"):
        status, body = await ask(first, method, target_of(sid), header, b"4forged")
        assert (status, json.loads(body)["error"]["code"]) == (403, "forbidden")
    assert first.relay.gate.forged == 2
    assert heard == []


async def test_a_request_that_was_heard_on_the_wire_works_once(
    nodes: list[BareNode], heard: list[Any]
) -> None:
    first, _ = nodes
    sid = (await first.peer.open())["sid"]
    claim = Claim("node2", "node1", 7, "10.0.0.1")
    header, body = Signer(SECRET).request(claim, "POST", target_of(sid)), signed(claim, b"4once")
    assert await ask(first, "POST", target_of(sid), header, body) == (200, "ok")
    assert (await ask(first, "POST", target_of(sid), header, body))[0] == 403
    assert heard == ["once"]


async def test_a_signature_is_good_for_one_method_path_and_query(
    nodes: list[BareNode], heard: list[Any]
) -> None:
    first, _ = nodes
    sid, other = (await first.peer.open())["sid"], (await first.peer.open())["sid"]
    claim = Claim("node2", "node1", 7, "10.0.0.1")
    body = signed(claim, b"4x")
    header = Signer(SECRET).request(claim, "POST", target_of(sid))
    assert (await ask(first, "GET", target_of(sid), header))[0] == 403
    assert (await ask(first, "POST", target_of(other), header, body))[0] == 403
    assert (await ask(first, "POST", target_of(sid) + "&j=1", header, body))[0] == 403
    assert (await ask(first, "POST", target_of(sid), header.replace("10.0.0.1", "10.0.0.2"), body))[0] == 403
    assert heard == []
    assert await ask(first, "POST", target_of(sid), header, body) == (200, "ok")


async def test_a_signature_is_good_for_one_body(nodes: list[BareNode], heard: list[Any]) -> None:
    first, _ = nodes
    for number, body in enumerate((b"", b"4forged", signed(Claim("node2", "node1", 99, ""), b"4forged")), 1):
        sid = (await first.peer.open())["sid"]
        claim = Claim("node2", "node1", number, "")
        header = Signer(SECRET).request(claim, "POST", target_of(sid))
        assert (await ask(first, "POST", target_of(sid), header, body))[0] == 400
    assert heard == []


async def test_what_is_for_one_node_is_refused_by_another(nodes: list[BareNode]) -> None:
    """As when a proxy, and no node, is behind a NODE_URL, or another node has got its address."""
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    header = Signer(SECRET).request(Claim("node3", "node1", 1, ""), "GET", target_of(sid))
    assert (await ask(second, "GET", target_of(sid), header))[0] == 403
    assert second.relay.relayed == 0


async def test_what_was_handed_on_is_never_handed_on_again(start_nodes: StartNodes) -> None:
    first, second, _ = await start_nodes(3)
    sid = (await first.peer.open())["sid"]
    for method, claim in (("GET", Claim("node3", "node2", 1, "")), ("POST", Claim("node3", "node2", 2, ""))):
        header = Signer(SECRET).request(claim, method, target_of(sid))
        assert (await ask(second, method, target_of(sid), header, signed(claim, b"4x")))[0] == 400
    assert second.relay.relayed == 0
    assert await first.peer.post(sid, "4x") == (200, "ok")


async def test_nodes_whose_leases_name_each_other_s_addresses_make_no_circle(
    nodes: list[BareNode], leases: Leases
) -> None:
    first, second = nodes
    sid = (await first.peer.open())["sid"]
    leases.add("node1", second.url)
    leases.add("node2", first.url)
    assert (await second.peer.poll(sid))[0] == 400
    assert (first.relay.relayed, second.relay.relayed, second.relay.gate.forged) == (0, 1, 1)


async def test_the_answer_to_another_request_is_no_answer(start_nodes: StartNodes, leases: Leases) -> None:
    """Somebody who listened to answers, and now has the address of the node."""
    (first,) = await start_nodes(1)
    heard = Signer(SECRET).answer(Claim("node1", "somebody", 77, "127.0.0.1"), 200, known=True)
    somebody = Hung()
    await somebody.open(leases, "somebody")
    somebody.says = f"HTTP/1.1 200 OK\r\n{HEADER}: {heard}\r\nContent-Length: 2\r\n\r\n4x".encode()
    somebody.answer.set()
    assert (await first.peer.poll(sid_of("somebody")))[0] == 400
    await somebody.close()


async def test_a_node_that_is_alone_takes_nothing_that_is_handed_on(start_group: StartGroup) -> None:
    group = await start_group(1)
    group.first.app[RELAY].gate.incarnation = ""
    header = Signer(SECRET).request(Claim("node2", "", 1, "10.0.0.1"), "GET", "/health/live")
    async with group.first.http.get(f"{group.first.url}/health/live", headers={HEADER: header}) as answer:
        assert answer.status == 403


# --- limits ------------------------------------------------------------------------------------------------------


async def test_one_session_has_a_few_requests_under_way(start_nodes: StartNodes, leases: Leases) -> None:
    (first,) = await start_nodes(1)
    hung = Hung()
    await hung.open(leases, "hung")
    sid = sid_of("hung")
    asked = [asyncio.ensure_future(first.peer.poll(sid)) for _ in range(relay_traffic.OF_SESSION_MAX)]
    await until(lambda: len(hung.heads) == len(asked))
    assert (await first.peer.poll(sid))[0] == 503
    other = asyncio.ensure_future(first.peer.poll(sid_of("hung")))
    await until(lambda: len(hung.heads) == len(asked) + 1)
    await hung.close()
    for status, _ in await asyncio.gather(*asked, other):
        assert status == 400
    assert (len(first.relay.traffic), first.relay.traffic.refused) == (0, 1)


@pytest.mark.parametrize("name", ["TO_OWNER_MAX", "TOTAL_MAX"])
async def test_a_node_hands_on_so_much_at_once_to_one_and_to_all(
    start_nodes: StartNodes, leases: Leases, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(relay_traffic, name, 3)
    first, second = await start_nodes()
    hung = Hung()
    await hung.open(leases, "hung")
    asked = [asyncio.ensure_future(second.peer.poll(sid_of("hung"))) for _ in range(3)]
    await until(lambda: len(hung.heads) == 3)
    assert (await second.peer.poll(sid_of("hung")))[0] == 503
    sid = (await first.peer.open())["sid"]
    expected = 200 if name == "TO_OWNER_MAX" else 503
    assert (await second.peer.post(sid, "4x"))[0] == expected
    own = (await second.peer.open())["sid"]
    assert await second.peer.post(own, "4x") == (200, "ok"), "its own clients are served"
    await hung.close()
    await asyncio.gather(*asked)


async def test_strangers_of_one_address_do_not_use_up_what_others_need(
    start_nodes: StartNodes, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger may open as many sessions as there are passages, and let the bodies of requests for them never end."""
    monkeypatch.setattr(relay_traffic, "OF_STRANGERS_MAX", 3)
    first, second = await start_nodes(2)
    ann, stranger = [(await first.peer.open())["sid"] for _ in range(2)]
    first.relay.gate._is_known = lambda sid: sid == ann
    assert (await second.peer.post(ann, "4x"))[0] == 200
    target = target_of(stranger)
    held = []
    for sid in (stranger, *(sid_of("node1") for _ in range(3))):
        reader, writer = await asyncio.open_connection("127.0.0.1", second.port)
        writer.write(f"POST {target_of(sid)} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4".encode())
        held.append((reader, writer))
        await until(lambda: len(second.relay.traffic) + second.relay.traffic.refused == len(held))
    assert (len(second.relay.traffic), second.relay.traffic.refused) == (3, 1)
    assert (await ask(second, "GET", target, None))[0] == 503
    assert (await second.peer.post(ann, "4x"))[0] == 200
    for _, writer in held:
        writer.close()
    await until(lambda: len(second.relay.traffic) == 0)
    assert not second.relay.traffic._of_strangers
    assert (await second.peer.post(stranger, "4x"))[0] == 200


# --- addresses and paces -----------------------------------------------------------------------------------------


def addresses_in(engine: Any) -> set[str]:
    """The addresses that have budgets."""
    return {key for kind, key in engine.budgets._shared if kind == "address"}


async def test_the_address_of_the_client_is_carried(start_group: StartGroup) -> None:
    group = await start_group(2, trusted_proxies=(ip_network("127.0.0.1"),))
    url = f"{group.servers[1].url}/socket.io/?EIO=4&transport=polling&sid={sid_of('node1')}"
    async with group.first.http.get(url, headers={"X-Forwarded-For": "203.0.113.7"}) as answer:
        assert answer.status == 400
    for server in group.servers:
        addresses = addresses_in(server.app[SIO].eio)
        assert addresses == {"203.0.113.7"}, "not the address of the other server"


async def test_a_stranger_cannot_claim_an_address(start_group: StartGroup) -> None:
    group = await start_group(2)
    url = f"{group.first.url}/socket.io/?EIO=4&transport=polling&sid={sid_of('node1')}"
    async with group.first.http.get(
        url, headers={HEADER: "1 node2 node1 1 203.0.113.7 " + "A" * 43}
    ) as answer:
        assert answer.status == 403
    assert addresses_in(group.engine(0)) == {"127.0.0.1"}, "and who tries it is paced like anybody else"


async def test_requests_count_against_the_address_until_the_session_is_recognized(
    start_group: StartGroup,
) -> None:
    group = await start_group(2, user_frames_per_s=40)
    ann = await group.first.person("ann")
    first, second = group.engine(0), group.engine(1)
    peer_url = f"{group.servers[1].url}/socket.io/?EIO=4&transport=polling"
    async with ann.http.get(f"{group.first.url}/socket.io/?EIO=4&transport=polling") as answer:
        sid = json.loads((await answer.text())[1:])["sid"]
    assert second.budget_of(sid) is None
    connect = "40" + json.dumps({"token": ann.token})
    async with ann.http.post(f"{peer_url}&sid={sid}", data=connect) as answer:
        assert answer.status == 200
    assert second.budget_of(sid) is not None
    assert first.budget_of(sid) is first.budgets.of_owner(ann.id)
    strangers = second.budgets.of_address("127.0.0.1")
    used = strangers.ahead_s(first.clock.time())
    for _ in range(50):
        async with ann.http.post(f"{peer_url}&sid={sid}", data="3") as answer:
            assert answer.status == 200
    assert strangers.ahead_s(first.clock.time()) <= used
    assert first.budgets.of_owner(ann.id).ahead_s(first.clock.time()) > 1
    async with ann.http.post(f"{peer_url}&sid={sid}", data="1") as answer:
        assert answer.status == 200
    statuses = []
    while 400 not in statuses:  # what was left for the client comes first
        async with ann.http.get(f"{peer_url}&sid={sid}") as answer:
            statuses.append(answer.status)
    assert second.budget_of(sid) is None, "a session that has ended counts as a stranger again"
