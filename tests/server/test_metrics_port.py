"""METRICS_PORT: a port of its own, on this machine alone, with metrics and nothing else."""

import asyncio
import signal
import socket
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession

from server.app import create_app
from server.config import Config, ConfigError, load_config
from server.metrics.listener import MetricsListener
from tests.clients.metrics import Scraped
from tests.clients.ports import HeldPort
from tests.clients.program import Program, refused_start, running
from tests.patience import within


@pytest.fixture
def held() -> HeldPort:
    return HeldPort()


def own_address() -> str:
    """An address of this machine that others may reach it by; 127.0.0.2 where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # no packet is sent: this looks up the route
            address: str = probe.getsockname()[0]
        except OSError:
            address = "127.0.0.1"
    return "127.0.0.2" if address == "127.0.0.1" else address


async def status(http: ClientSession, url: str, method: str = "GET") -> int:
    async with http.request(method, url, allow_redirects=False) as answer:
        return answer.status


async def read(http: ClientSession, url: str) -> Scraped:
    async with http.get(f"{url}/metrics") as answer:
        assert answer.status == 200
        return Scraped(await answer.text())


async def test_it_serves_metrics_without_a_token_and_nothing_else(tmp_path: Path, held: HeldPort) -> None:
    async with running(tmp_path, METRICS_PORT=str(held.number), HOST="0.0.0.0") as program:
        url = f"http://127.0.0.1:{held.number}"
        await program.person("ann")
        scraped = await read(program.http, url)
        assert scraped("vestnik_commands_total", command="register", outcome="ok") == 1
        async with within(5):
            while not scraped("vestnik_loop_lag_seconds_bucket", le="+Inf"):  # a tenth of a second old
                await asyncio.sleep(0.02)
                scraped = await read(program.http, url)
        assert scraped.label_values("vestnik_http_requests", "route") == {"api"}
        for path in (
            "/",
            "/health/live",
            "/api/server",
            "/ws",
            "/socket.io/?EIO=4&transport=polling",
            "//metrics",
        ):
            assert await status(program.http, url + path) == 404, path
        assert await status(program.http, f"{url}/metrics", "HEAD") == 200
        assert await status(program.http, f"{url}/metrics", "OPTIONS") == 204
        assert await status(program.http, f"{url}/metrics", "POST") == 405
        assert await status(program.http, f"{program.url}/metrics") == 404
        with pytest.raises(ClientConnectionError):
            await status(program.http, f"http://{own_address()}:{held.number}/metrics")
        assert await status(program.http, f"http://{own_address()}:{program.port}/health/live") == 200


async def test_a_port_that_is_taken_stops_the_start_with_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = await refused_start(tmp_path, METRICS_PORT=str(port))
    assert line == f"vestnik: METRICS_PORT: cannot listen on 127.0.0.1:{port}: Address already in use"


async def test_the_port_of_the_chat_cannot_be_that_of_metrics_too(tmp_path: Path, held: HeldPort) -> None:
    line = await refused_start(tmp_path, PORT=str(held.number), METRICS_PORT=str(held.number))
    assert line.startswith(f"vestnik: METRICS_PORT: cannot listen on 127.0.0.1:{held.number}: ")


async def test_clients_that_keep_it_open_do_not_hold_up_the_stop(tmp_path: Path, held: HeldPort) -> None:
    async with running(tmp_path, METRICS_PORT=str(held.number)) as program:
        reader, writer = await asyncio.open_connection("127.0.0.1", held.number)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        await program.stop()
        writer.close()


async def test_with_an_inherited_socket_the_port_is_bound_all_the_same(
    tmp_path: Path, held: HeldPort
) -> None:
    async with ClientSession() as http:
        program = Program(tmp_path, http, METRICS_PORT=str(held.number))
        with socket.create_server(("127.0.0.1", 0)) as program.listener:
            try:
                await program.start()
                assert program.port == program.listener.getsockname()[1]
                assert await status(http, f"http://127.0.0.1:{held.number}/metrics") == 200
                await program.stop()
            finally:
                await program.close()


async def test_it_answers_until_the_end_and_says_that_the_server_goes_away(
    tmp_path: Path, held: HeldPort
) -> None:
    async with running(tmp_path, METRICS_PORT=str(held.number), DRAIN_S="2") as program:
        url = f"http://127.0.0.1:{held.number}"
        assert (await read(program.http, url))("vestnik_ready") == 1
        program.send_signal(signal.SIGTERM)
        async with within(2):
            while (await read(program.http, url))("vestnik_ready"):
                await asyncio.sleep(0.02)
        assert await program.ended(10) == 0


async def test_one_that_never_started_can_be_closed() -> None:
    listener = MetricsListener(0)
    await listener.close()


@pytest.mark.parametrize("token", ["two words", "ünicode", "new\nline"])
def test_a_token_that_no_header_can_carry_is_refused(
    token: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METRICS_TOKEN", token)
    with pytest.raises(ConfigError, match=r"^METRICS_TOKEN: must be"):
        load_config()


def test_the_token_is_in_no_representation() -> None:
    assert "a-secret" not in repr(Config(secret_key="x" * 32, metrics_token="a-secret"))


async def test_without_a_setting_nothing_measures_the_loop(tmp_path: Path) -> None:
    """An idle server that nobody watches does not wake up for that."""
    assert not Config(secret_key="x" * 32).has_metrics
    assert Config(secret_key="x" * 32, metrics_port=1).has_metrics
    assert Config(secret_key="x" * 32, metrics_token="x").has_metrics
    create_app(Config(secret_key="x" * 32, data_dir=tmp_path))
