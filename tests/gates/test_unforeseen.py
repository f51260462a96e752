"""Unexpected exceptions while a client connects: the connection ends, the log has the reason, and nothing is left
behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.clients.raw import RawClient
from tests.clients.wires import WIRES, Frame
from tests.conftest import Serve, Server
from tests.engine.peers import until
from tests.patience import within

pytestmark = pytest.mark.stores("sqlite")

STEPS = {
    "the token is read": ("identities", "of"),
    "it is looked at once more": ("identities", "check"),
    "it is counted": ("connections", "add"),
    "the first event is sent": ("hub", "emit"),
    "presence is published": ("presence", "opened"),
    "the end of the token is noted": ("token_expiry", "watch"),
}


@contextmanager
def broken(server: Server, step: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    part, name = STEPS[step]

    def fail(*_args: Any, **_options: Any) -> None:
        raise RuntimeError("nobody foresaw this")

    with monkeypatch.context() as patch:
        patch.setattr(type(getattr(server.chat_app.context, part)), name, fail)
        yield


def nothing_left(server: Server) -> bool:
    hub: Any = server.chat_app.context.hub
    return not server.chat_app.context.connections.all() and not hub._sio.eio.sockets


@pytest.mark.parametrize("step", STEPS)
async def test_a_raw_connection_ends_with_1011(
    serve: Serve, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve()
    ann = await server.person("ann")
    with capture_logs() as logs, broken(server, step, monkeypatch):
        client = await RawClient.open(ann.http, ann.ws_url, ann.token)
        assert await client.closed() == 1011
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert line["event"] == "WebSocket handshake failed unforeseen"
    assert str(line["exc_info"]) == "nobody foresaw this"
    await until(lambda: nothing_left(server))
    assert await ann.connect()


@pytest.mark.parametrize("wire", [name for name in WIRES if name != "raw"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_socketio_connection_ends_and_may_come_again(
    serve: Serve, wire: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve()
    ann = await server.person("ann")
    seen: list[Frame] = []
    client = WIRES[wire](ann.http, server.url, ann.token, seen.append)
    with capture_logs() as logs, broken(server, step, monkeypatch):
        await client.open()
        async with within(10):
            await client.over.wait()
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert line["event"] == "Socket.IO handshake failed unforeseen"
    await client.close()
    assert not server.chat_app.context.connections.all()
    again = WIRES[wire](ann.http, server.url, ann.token, seen.append)
    assert await again.open()
    await again.close()


async def test_what_the_engine_did_not_foresee_is_in_the_log(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve()
    ann = await server.person("ann")
    seen: list[Frame] = []
    client = WIRES["socketio"](ann.http, server.url, ann.token, seen.append)
    await client.open()

    def fail(*_args: Any) -> None:
        raise RuntimeError("nobody foresaw this")

    with monkeypatch.context() as patch:
        patch.setattr(server.chat_app, "disconnected", fail)
        await client.close()
        await until(lambda: bool(caplog.records))
    (record,) = caplog.records
    assert (record.name, record.message) == ("server.engine", "disconnect handler error")
    assert record.levelname == "ERROR"
    assert record.exc_info is not None
