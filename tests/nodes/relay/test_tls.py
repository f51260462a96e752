"""Nodes that reach each other over TLS, behind something that ends it."""

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.clients.programs import need
from tests.engine.peers import until
from tests.nodes.relay.bare_nodes import BareNode
from tests.nodes.relay.leases import Leases


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for this machine that nobody trusts yet, and its key."""
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = [
        need("openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=node",
    ]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run([*command, *names], check=True, capture_output=True)
    return files


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_a_node_url_with_https(
    nodes: list[BareNode],
    leases: Leases,
    certificate: tuple[Path, Path],
    is_trusted: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = nodes
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", first.port)
        await asyncio.gather(copy(reader, back), copy(there, writer))

    server = await asyncio.start_server(carry, "127.0.0.1", 0, ssl=tls)
    leases.add("node1", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    sid = (await first.peer.open())["sid"]
    if not is_trusted:
        assert (await second.peer.poll(sid))[0] == 400
    else:
        assert await second.peer.post(sid, "4" + "x" * 100_000) == (200, "ok")
        assert await second.peer.poll(sid) == (200, "4" + "x" * 100_000)
        socket = await second.peer.upgraded(sid)
        for text in ("4hello", "4" + "y" * 100_000):
            await socket.send(text)
            assert await socket.receive() == text
        await until(lambda: first.engine.transport(sid) == "websocket")
        first.engine.sockets[sid].close("server disconnect", code=1013)
        assert await socket.close_code() == 1013
        await until(lambda: not len(second.relay.traffic))
    await second.relay.client.close()
    server.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()
