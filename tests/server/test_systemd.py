"""What systemd hears of a server, over a real notification socket."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from server.systemd import Systemd
from tests.clients.program import running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no systemd")


@contextmanager
def notified(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(address)
        heard.settimeout(5)
        yield heard


async def next_state(heard: socket.socket) -> str:
    return (await asyncio.to_thread(heard.recv, 100)).decode()


async def test_a_server_says_that_it_is_ready_and_that_it_stops(tmp_path: Path) -> None:
    with notified(str(tmp_path / "notify")) as heard:
        async with running(tmp_path, NOTIFY_SOCKET=str(tmp_path / "notify")) as program:
            assert await next_state(heard) == "READY=1"
            program.send_signal(signal.SIGTERM)
            assert await next_state(heard) == "STOPPING=1"
            assert await program.ended(10) == 0


@pytest.mark.parametrize("kind", ["file", "abstract"])
async def test_signs_of_life_come_twice_in_the_time_of_the_watchdog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    address = str(tmp_path / "notify") if kind == "file" else f"@vestnik-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    loop = asyncio.get_running_loop()
    with notified(address.replace("@", "\0")) as heard:
        systemd = Systemd()
        began_at = loop.time()
        systemd.ready()
        assert [await next_state(heard) for _ in range(4)] == ["READY=1", *["WATCHDOG=1"] * 3]
        assert loop.time() - began_at >= 0.2
        systemd.close()
    assert "NOTIFY_SOCKET" not in os.environ, "no child process speaks for the server"


async def test_without_systemd_it_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    with capture_logs() as lines:
        systemd = Systemd()
        systemd.ready()
        systemd.stopping()
        systemd.close()
    assert lines == []


async def test_a_watchdog_of_another_process_is_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "1000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    with notified(str(tmp_path / "notify")) as heard:
        systemd = Systemd()
        systemd.ready()
        await asyncio.sleep(0.05)
        systemd.stopping()
        assert [await next_state(heard) for _ in range(2)] == ["READY=1", "STOPPING=1"]


async def test_a_socket_that_is_gone_is_logged_and_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "none"))
    with capture_logs() as lines:
        Systemd().stopping()
    assert [line["reason"] for line in lines] == ["No such file or directory"]
