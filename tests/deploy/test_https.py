"""The recipes for HTTPS under real proxies, before a real server: everything goes through, and no secret is logged."""

import subprocess
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest
import socketio
from aiohttp import ClientSession, WSServerHandshakeError

from tests.clients.files import try_upload, upload
from tests.clients.people import Person
from tests.clients.programs import need
from tests.clients.raw import RawClient
from tests.conftest import Serve, Server
from tests.deploy.fake_node import REFUSAL, fake_node
from tests.deploy.https_proxies import DEPLOY, NAME, PROXIES, HttpsProxy, proxy_before
from tests.socketio.windows import PythonWindow

MIB = 1024 * 1024


@pytest.fixture
async def server(serve: Serve) -> Server:
    """Takes pages of its own origin only, which it has to learn from the proxy."""
    return await serve(
        trusted_proxies=(ip_network("127.0.0.1"),), cors_origins=("https://other.example.org",)
    )


@pytest.fixture(params=PROXIES)
async def proxy(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[HttpsProxy]:
    async with proxy_before(request.param, tmp_path / "proxy", f"127.0.0.1:{server.port}") as proxy:
        yield proxy


@pytest.fixture
async def http(proxy: HttpsProxy) -> AsyncIterator[ClientSession]:
    async with proxy.session() as http:
        yield http


async def behind(proxy: HttpsProxy, http: ClientSession, username: str) -> Person:
    """Somebody new, who knows the server by its name alone."""
    person = Person(http, proxy.url, proxy.url.replace("https", "wss") + "/ws", username)
    person.id = (await person.register(username))["id"]
    await person.login(username)
    return person


async def test_all_that_clients_do_goes_through(
    proxy: HttpsProxy, http: ClientSession, server: Server
) -> None:
    ann, bob = await behind(proxy, http, "ann"), await behind(proxy, http, "bob")
    chat_id = await ann.chat(bob)
    raw = await RawClient.open(http, ann.ws_url, ann.token, headers={"Origin": proxy.url})
    await raw.done("join_chat", chat_id=chat_id)
    windows = [
        await PythonWindow.open(http, proxy.url, bob.token, transport=transport)
        for transport in ("websocket", "polling")
    ]
    upgraded = socketio.AsyncClient(http_session=http, reconnection=False)
    await upgraded.connect(proxy.url, auth={"token": bob.token})
    assert upgraded.transport() == "websocket"
    for window in windows:
        await window.done("join_chat", chat_id=chat_id)
    message = await bob.say(chat_id, "through the proxy")
    assert (await raw.next("new_message"))["message"] == message
    for window in windows:
        assert (await window.next("new_message")).payload["message"] == message
        await window.close()
    await upgraded.disconnect()
    await raw.close()

    assert (await upload(ann, b"x" * 20 * MIB))["size"] == 20 * MIB
    status, refused = await try_upload(ann, b"x" * 26 * MIB)
    assert (status, refused["error"]["code"]) == (413, "too_large"), "the server says it, not the proxy"

    hook = await ann.post(f"/chats/{chat_id}/hooks", kind="incoming", name="Alerts")
    assert hook["url"].startswith(f"{proxy.url}/hooks/")
    async with http.post(hook["url"], json={"text": "x" * 200_000}) as answer:
        assert (answer.status, await answer.text()) == (200, "ok")
    invite = await ann.post(f"/chats/{chat_id}/invites")
    assert invite["url"].startswith(f"{proxy.url}/invite/")

    async with http.get(f"{proxy.url}/") as answer:
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", (
            "it knows that browsers came by HTTPS"
        )
    async with http.ws_connect(ann.ws_url, headers={"Origin": "https://evil.example.org"}) as foreign:
        await foreign.receive()
        assert foreign.close_code == 4403


async def test_plain_http_leads_to_https(proxy: HttpsProxy, http: ClientSession) -> None:
    url = f"http://{NAME}:{proxy.http_port}"
    async with http.get(f"{url}/chats/1?a=b", allow_redirects=False) as answer:
        assert answer.status in (301, 308)
        location = answer.headers["Location"].replace(f":{proxy.https_port}", "")
        assert location == f"https://{NAME}/chats/1?a=b"


@pytest.mark.parametrize("kind", PROXIES)
async def test_the_server_learns_who_asks(kind: str, tmp_path: Path) -> None:
    async with (
        fake_node(REFUSAL) as node,
        proxy_before(kind, tmp_path / "proxy", node.address) as proxy,
        proxy.session() as http,
    ):
        forged = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "http", "X-Vestnik-Relay": "1 a b"}
        async with http.get(f"{proxy.url}/api/chats", headers=forged):
            pass
        request = node.requests[-1].replace("203.0.113.7, ", "")  # the server believes the last hop alone
    assert "\r\nX-Forwarded-For: 127.0.0.1\r\n" in request
    assert "\r\nX-Forwarded-Proto: https\r\n" in request
    assert f"\r\nX-Forwarded-Host: {NAME}:{proxy.https_port}\r\n" in request
    assert f"\r\nHost: {NAME}:{proxy.https_port}\r\n" in request
    assert "Relay" not in request, "only servers say what that says"


async def test_no_token_is_in_a_log_not_even_of_what_failed(
    proxy: HttpsProxy, http: ClientSession, server: Server
) -> None:
    ann = await behind(proxy, http, "ann")
    client = await ann.connect()
    await client.close()
    paths = (
        "/api/invites/secret-code",
        "/hooks/secret-key",
        "/invite/secret-code",
        "/setup?code=secret-code",
    )
    for up in (True, False):
        for path in (
            *paths,
            "/api/users/me/sessions/secret",
            "/socket.io/?EIO=4&transport=polling&sid=secret",
        ):
            async with http.get(proxy.url + path, headers={"Authorization": "Bearer secret"}) as answer:
                assert (answer.status == 502) is not up
        if up:
            await server.stop()
    with pytest.raises(WSServerHandshakeError):
        await http.ws_connect(f"{ann.ws_url}?token={ann.token}", protocols=["bearer", "secret"])
    await proxy.stop()
    logged = proxy.logged()
    assert "502" in logged
    assert ann.token not in logged
    assert "secret" not in logged


async def test_the_proof_for_the_certificate_is_served(server: Server, tmp_path: Path) -> None:
    """nginx alone: Caddy asks for its certificates itself."""
    async with (
        proxy_before("nginx", tmp_path / "proxy", f"127.0.0.1:{server.port}") as proxy,
        proxy.session() as http,
    ):
        path = "/.well-known/acme-challenge/proof"
        async with http.get(f"http://{NAME}:{proxy.http_port}{path}", allow_redirects=False) as answer:
            assert (answer.status, await answer.text()) == (200, "the proof")


def test_caddy_takes_the_file_as_it_is(tmp_path: Path) -> None:
    caddy = need("caddy")
    environment = {"HOME": str(tmp_path), "PATH": ""}
    for command in ("validate", "fmt"):
        options = ["--config", DEPLOY / "caddy/Caddyfile", "--adapter", "caddyfile"]
        words = options if command == "validate" else [DEPLOY / "caddy/Caddyfile"]
        done = subprocess.run(
            [caddy, command, *words], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        if command == "fmt":
            assert done.stdout == (DEPLOY / "caddy/Caddyfile").read_text()
