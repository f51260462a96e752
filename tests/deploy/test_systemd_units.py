"""deploy/systemd: what systemd says of the units, and whether the server takes what they set."""

import re
import shutil
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import ClientSession

from server.config import PLAIN, SETTINGS, Config
from tests.clients.program import Program
from tests.clients.programs import need

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = ("vestnik.service", "vestnik@.service")
SOCKETS = ("vestnik.socket", "vestnik@.socket")
FOREIGN = {"PYTHONUNBUFFERED"}
"""Variables of the environment that are no settings of the server."""


def directives(name: str) -> Mapping[str, list[str]]:
    """The values of each directive of a unit, in order."""
    found = defaultdict(list)
    for line in (UNITS / name).read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found[key].append(value)
    return found


def environment(name: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for line in directives(name)["Environment"] for pair in line.split())


def seconds(name: str, directive: str) -> float:
    (value,) = directives(name)[directive]
    return float(value)


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_is_a_setting_of_the_server(name: str) -> None:
    assert environment(name).keys() - FOREIGN <= {*SETTINGS, *PLAIN}


@pytest.mark.parametrize("name", SERVICES)
def test_systemd_waits_longer_than_the_server_takes(name: str) -> None:
    defaults = Config("a secret")
    stop_s = float(environment(name).get("SHUTDOWN_TIMEOUT_S", defaults.shutdown_timeout_s))
    assert seconds(name, "TimeoutStopSec") >= stop_s + 5
    assert seconds(name, "TimeoutStartSec") > defaults.database_connect_timeout_s + 30


def test_both_services_are_confined_alike() -> None:
    """The part of each file from DynamicUser on."""
    one, several = ((UNITS / name).read_text().partition("DynamicUser=")[2] for name in SERVICES)
    assert several.replace("vestnik-%i", "vestnik") == one
    for promised in ("NoNewPrivileges=yes", "ProtectSystem=strict", "StateDirectory=vestnik"):
        assert promised in one


def test_a_service_and_its_socket_belong_together() -> None:
    for service, its_socket in zip(SERVICES, SOCKETS, strict=True):
        needed = its_socket.replace("@", "@%i")
        assert directives(service)["Requires"] == [needed]
        assert needed in directives(service)["After"][0].split()
        assert directives(its_socket)["Backlog"] == ["4096"]


@pytest.mark.skipif(sys.platform != "linux", reason="no systemd")
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    program = need("systemd-analyze")
    for name in (*SERVICES, *SOCKETS):
        text = (UNITS / name).read_text().replace("/opt/vestnik/bin/vestnik", shutil.which("true") or "true")
        (tmp_path / name.replace("@", "@8001")).write_text(text)
    units = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(
        [program, "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "vestnik" in line]
    assert (ours, done.returncode) == ([], 0), done.stderr
    (tmp_path / "vestnik.service").write_text("[Service]\nExecStart=/bin/true\nTypo=yes\n")
    done = subprocess.run(
        [program, "verify", "--man=no", str(tmp_path / "vestnik.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Typo" in done.stderr, "a mistake would be found"


@pytest.mark.skipif(sys.platform != "linux", reason="no socket activation")
@pytest.mark.parametrize("name", SERVICES)
async def test_a_server_starts_with_what_the_unit_sets(name: str, tmp_path: Path) -> None:
    """On SQLite, where NODE_URL has no effect."""
    settings = {
        key: re.sub(r"%S", str(tmp_path), value).replace("%i", "8001")
        for key, value in environment(name).items()
    }
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with ClientSession() as http:
            program = Program(tmp_path, http, **{**settings, "LOG_FORMAT": "console"})
            program.listener = listener
            await program.start()
            assert program.port == listener.getsockname()[1]
            await program.person("ann")
            assert await program.stop() == 0
    assert (Path(settings["DATA_DIR"]) / "vestnik.db").is_file()
