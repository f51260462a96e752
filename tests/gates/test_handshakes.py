"""A WebSocket handshake at either door: a token in any form of the header, and refusals that say what would do."""

import pytest

from tests.clients.bare import BareSocket
from tests.conftest import Server

pytestmark = pytest.mark.parametrize("serve", ["sqlite"], indirect=True)

ORIGINS = ["/ws?token={token}", "/socket.io/?EIO=4&transport=websocket"]
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def answer(server: Server, path: str, **changed: str) -> tuple[int, dict[str, str]]:
    headers = HANDSHAKE | {name.replace("_", "-"): value for name, value in changed.items()}
    async with server.http.get(server.url + path, headers=headers) as refusal:
        return refusal.status, dict(refusal.headers)


@pytest.mark.parametrize("path", ORIGINS)
@pytest.mark.parametrize("version", ["12", "8", "7", "", "14", "9" * 5000, "١٣"])
async def test_another_version_is_told_ours(server: Server, path: str, version: str) -> None:
    status, headers = await answer(server, path, Sec_WebSocket_Version=version)
    assert status == 426
    assert headers["Sec-WebSocket-Version"] == "13"
    assert headers["Upgrade"] == "websocket"


@pytest.mark.parametrize("path", ORIGINS)
@pytest.mark.parametrize(
    "key", ["", "c2hvcnQ=", "x" * 24, "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZSE="]
)
async def test_a_key_that_is_none(server: Server, path: str, key: str) -> None:
    status, headers = await answer(server, path, Sec_WebSocket_Key=key)
    assert (status, headers["Sec-WebSocket-Version"]) == (400, "13")


@pytest.mark.parametrize(
    "lines",
    [["bearer, {token}"], ["bearer", "{token}"], ["bearer ,", " {token}"], ["bearer,,{token},"]],
    ids=str,
)
async def test_the_token_may_stand_in_a_line_of_its_own(server: Server, lines: list[str]) -> None:
    ann = await server.person("ann")
    # A line break in the value makes a second line of the same header.
    value = "\r\nSec-WebSocket-Protocol: ".join(lines).format(token=ann.token)
    socket = await BareSocket.open(server.port, "/ws", Sec_WebSocket_Protocol=value)
    assert b'"connected"' in (await socket.next()).payload
    socket.close()


@pytest.mark.parametrize(
    "value", ["bearer", "{token}", "{token}, bearer", "x, bearer, {token}", "bearer, {token}, x"]
)
async def test_what_is_no_pair_names_no_token(server: Server, value: str) -> None:
    ann = await server.person("ann")
    socket = await BareSocket.open(server.port, "/ws", Sec_WebSocket_Protocol=value.format(token=ann.token))
    assert await socket.closed() == 4401
    socket.close()


@pytest.mark.parametrize("path", ORIGINS)
@pytest.mark.parametrize(
    ("connection", "upgrade"),
    [
        ("keep-alive, Upgrade", "WebSocket"),
        ("keep-alive\r\nConnection: upgrade", "h2c\r\nUpgrade: WEBSOCKET"),
    ],
)
async def test_several_tokens_and_lines(server: Server, path: str, connection: str, upgrade: str) -> None:
    ann = await server.person("ann")
    socket = await BareSocket.open(
        server.port, path.format(token=ann.token), Connection=connection, Upgrade=upgrade
    )
    assert (await socket.next()).payload[:1] in (b"{", b"0")
    socket.close()
