"""Which requests nginx hands to another node: those that no node took, and none that may have had an effect."""

import asyncio
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.clients.ports import HeldPort
from tests.clients.wires import WIRES
from tests.conftest import Serve, Server
from tests.deploy.fake_node import REFUSAL, fake_node
from tests.deploy.nginx import nginx_before

NOTHING = b""


@pytest.fixture
async def server(serve: Serve) -> Server:
    return await serve(trusted_proxies=(ip_network("127.0.0.1"),))


@pytest.mark.parametrize("kind", WIRES)
async def test_a_new_socket_that_is_refused_goes_to_the_next_node(
    server: Server, tmp_path: Path, kind: str
) -> None:
    """As a node does that ends its connections in turn."""
    ann = await server.person("ann")
    async with (
        fake_node(REFUSAL) as going_away,
        nginx_before(tmp_path / "nginx", going_away.address, f"127.0.0.1:{server.port}") as nginx,
    ):
        wires = [WIRES[kind](server.http, nginx.url, ann.token, lambda _frame: None) for _ in range(6)]
        assert all(await asyncio.gather(*(wire.open() for wire in wires)))
        assert len(going_away.requests) >= 1
        for wire in wires:
            assert await wire.ask("ping") is not None
            await wire.close()


async def test_every_request_passes_while_a_node_is_down(server: Server, tmp_path: Path) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    closed = HeldPort()  # every connection is refused
    async with nginx_before(
        tmp_path / "nginx", f"127.0.0.1:{closed.number}", f"127.0.0.1:{server.port}"
    ) as nginx:
        ann.url = nginx.url
        for number in range(20):
            await ann.say(chat_id, f"message {number}")
        page = await ann.get(f"/chats/{chat_id}/messages")
    assert [message["content"] for message in page["messages"]] == [f"message {n}" for n in range(20)]


@pytest.mark.parametrize(("method", "sent"), [("POST", 1), ("PATCH", 1), ("GET", 2)])
async def test_what_was_sent_is_repeated_only_if_it_changes_nothing(
    server: Server, tmp_path: Path, method: str, sent: int
) -> None:
    async with (
        fake_node(NOTHING) as one,
        fake_node(NOTHING) as two,
        nginx_before(tmp_path / "nginx", one.address, two.address) as nginx,
        server.http.request(method, f"{nginx.url}/api/messages", json={"content": "once"}) as answer,
    ):
        assert answer.status == 502
        assert len(one.requests) + len(two.requests) == sent


async def test_a_poll_is_sent_once(server: Server, tmp_path: Path) -> None:
    """The messages in an answer that was lost would be missing in the next one."""
    async with (
        fake_node(NOTHING) as one,
        fake_node(NOTHING) as two,
        nginx_before(tmp_path / "nginx", one.address, two.address) as nginx,
    ):
        path = "/socket.io/?EIO=4&transport=polling"
        async with server.http.get(f"{nginx.url}{path}&sid=abc") as answer:
            assert answer.status == 502
        (request,) = one.requests + two.requests
        assert request.startswith(f"GET {path}&sid=abc HTTP/1.1\r\n")


async def test_a_refusal_of_a_call_is_the_answer(server: Server, tmp_path: Path) -> None:
    """Otherwise a database that is away would be asked by every node, and all would count as down."""
    async with (
        fake_node(REFUSAL) as one,
        fake_node(REFUSAL) as two,
        nginx_before(tmp_path / "nginx", one.address, two.address) as nginx,
    ):
        for number in range(1, 5):
            async with server.http.get(f"{nginx.url}/api/chats") as answer:
                assert (answer.status, await answer.text()) == (503, "refused")
            assert len(one.requests) + len(two.requests) == number


async def test_the_node_learns_who_asks(server: Server, tmp_path: Path) -> None:
    async with fake_node(REFUSAL) as node, nginx_before(tmp_path / "nginx", node.address) as nginx:
        headers = {"X-Forwarded-For": "203.0.113.7", "Host": "chat.example.org", "X-Vestnik-Relay": "1 a b"}
        async with server.http.get(f"{nginx.url}/api/chats", headers=headers):
            pass
        (request,) = node.requests
    assert "\r\nX-Forwarded-For: 203.0.113.7, 127.0.0.1\r\n" in request
    assert "\r\nX-Forwarded-Host: chat.example.org\r\n" in request
    assert "\r\nX-Forwarded-Proto: http\r\n" in request
    assert "X-Vestnik-Relay" not in request, "only servers say what that says"
