"""Other origins are refused at every gate, and the own origin is recognised behind a proxy."""

import json
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from server.origins import OriginPolicy
from tests.conftest import Serve, Server

pytestmark = pytest.mark.stores("sqlite")

LISTED = "https://chat.example.org"
PROXY = (ip_network("127.0.0.0/8"),)


async def answers(server: Server, token: str | None, headers: dict[str, str]) -> list[int]:
    """The answer of each gate to a page: REST, preflight, Socket.IO polling and WebSocket as statuses, /ws as a close
    code."""
    seen = []
    asks = {**headers, "Access-Control-Request-Method": "GET"}
    polling = f"{server.url}/socket.io/?EIO=4&transport=polling"
    for method, url, sent in (
        ("GET", f"{server.url}/api/users/me", {**headers, "Authorization": f"Bearer {token}"}),
        ("OPTIONS", f"{server.url}/api/users/me", asks),
        ("GET", polling, headers),
        ("OPTIONS", polling, asks),
    ):
        async with server.http.request(method, url, headers=sent) as answer:
            seen.append(answer.status)
            opened = await answer.text()
        if opened.startswith("0{"):  # a session that stays open
            sid = json.loads(opened[1:])["sid"]
            await server.http.post(f"{polling}&sid={sid}", data="1", headers=headers)
    try:
        socket = await server.http.ws_connect(polling.replace("polling", "websocket"), headers=headers)
        await socket.close()
        seen.append(101)
    except WSServerHandshakeError as refusal:
        seen.append(refusal.status)
    client = await server.open(token, headers=headers)
    try:
        seen.append(0 if (await client.next())["type"] == "connected" else 1)
    except ConnectionError:
        seen.append(await client.closed())
    return seen


REFUSED = [403, 403, 403, 403, 403, 4403]
ADMITTED = [200, 204, 200, 200, 101, 0]


@pytest.mark.parametrize(
    "origin", ["https://evil.example.org", "null", "http://chat.example.org", f"{LISTED}:8443"]
)
async def test_another_origin_is_refused_at_every_gate_and_the_log_names_the_setting(
    serve: Serve, origin: str
) -> None:
    server = await serve(cors_origins=(LISTED,))
    ann = await server.person("ann")
    with capture_logs() as lines:
        assert await answers(server, ann.token, {"Origin": origin}) == REFUSED
    refusals = [line for line in lines if line.get("origin") == origin]
    assert len(refusals) == len(REFUSED)
    assert all("CORS_ORIGINS" in line["event"] for line in refusals)


@pytest.mark.parametrize("origin", [LISTED, f"{LISTED}:443", None])
async def test_a_listed_origin_and_none_pass_every_gate(serve: Serve, origin: str | None) -> None:
    server = await serve(cors_origins=(LISTED,))
    ann = await server.person("ann")
    assert await answers(server, ann.token, {} if origin is None else {"Origin": origin}) == ADMITTED


@pytest.mark.parametrize("proto", ["https", "wss", "https,http"])
@pytest.mark.parametrize("host", ["own.example.org", "own.example.org:443"])
async def test_our_own_origin_passes_behind_a_trusted_tls_proxy(serve: Serve, proto: str, host: str) -> None:
    server = await serve(cors_origins=(LISTED,), trusted_proxies=PROXY)
    ann = await server.person("ann")
    headers = {
        "Origin": "https://own.example.org",
        "X-Forwarded-Proto": proto,
        "X-Forwarded-Host": host,
    }
    assert await answers(server, ann.token, headers) == ADMITTED
    del headers["X-Forwarded-Host"]
    assert await answers(server, ann.token, {**headers, "Host": host}) == ADMITTED


async def test_what_an_untrusted_peer_says_of_itself_counts_nothing(serve: Serve) -> None:
    server = await serve(cors_origins=(LISTED,))
    ann = await server.person("ann")
    headers = {
        "Origin": "https://evil.example.org",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example.org",
    }
    assert await answers(server, ann.token, headers) == REFUSED


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "192.0.2.1", "203.0.113.9"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "192.0.2.1:51234", "192.0.2.1"),
        ("10.0.0.1", "[2001:db8::1]:51234", "2001:db8::1"),
        ("10.0.0.1", "2001:DB8::1", "2001:db8::1"),
        ("10.0.0.1", "fe80::1%any text", "fe80::1"),
        ("10.0.0.1", "what is this, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("::ffff:203.0.113.9", "192.0.2.1", "203.0.113.9"),
    ],
)
async def test_the_address_is_the_nearest_that_no_trusted_proxy_has(
    serve: Serve, peer: str, forwarded: str | None, address: str
) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request: Any = make_mocked_request("GET", "/", headers=headers).clone(remote=peer)
    assert OriginPolicy((), (ip_network("10.0.0.0/8"),)).address(request) == address
