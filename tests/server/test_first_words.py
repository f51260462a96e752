"""What a server says at its start: in a few lines for people, or in fields for machines."""

import asyncio
import json
import re
import socket
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from handlers.policy import Policy
from server.config import Config
from server.first_words import first_words
from server.listeners import other_urls, shown_url
from server.own_addresses import own_addresses
from tests.clients.program import Program, running
from tests.patience import within

HERE, THERE = "http://localhost:8000", "http://192.168.1.5:8000"
CONFIG = Config("a secret", data_dir=Path("/srv/chat"))


async def said_all(program: Program) -> None:
    """Waits for the last that a start says."""
    async with within(10):
        while not re.search(r"/setup\?code=\S+\n", program.log):
            await asyncio.sleep(0.01)


def rows(config: Config, urls: list[str], also: list[str]) -> list[tuple[str, str]]:
    """The names and values that are shown."""
    lines = first_words(config, urls, also).splitlines()
    return [(line[4:19].strip(), line[21:]) for line in lines[2:]]


def test_a_server_in_the_network_at_home() -> None:
    assert rows(CONFIG, [HERE], [THERE]) == [
        ("here", HERE),
        ("in your network", THERE),
        ("registration", "open: anybody who gets here can make an account"),
        ("data", "/srv/chat  (SQLite)"),
    ]


def test_a_server_with_a_public_name_behind_a_proxy() -> None:
    policy = Policy(public_url="https://chat.example.org", registration="invite")
    found = rows(replace(CONFIG, policy=policy), ["http://127.0.0.1:8000"], [])
    assert found[:3] == [
        ("for everybody", "https://chat.example.org"),
        ("here", "http://127.0.0.1:8000"),
        ("registration", "invite: whoever has an invite can make an account"),
    ]


def test_a_server_that_only_this_machine_reaches() -> None:
    for url in ("http://127.0.0.1:8000", "http://[::1]:8000"):
        assert rows(CONFIG, [url], [])[0] == ("here", f"{url}  (this machine only)")


def test_a_server_on_one_address_of_the_network() -> None:
    assert rows(CONFIG, [THERE], [])[0] == ("here", THERE)


def test_a_server_with_a_public_address() -> None:
    also = ["http://93.184.215.14:8000", "http://[fd00::2]:8000"]
    assert rows(CONFIG, [HERE], also)[1:3] == [("from outside", also[0]), ("in your network", also[1])]


def test_a_path_that_is_no_text_is_shown_as_far_as_it_is() -> None:
    config = replace(CONFIG, data_dir=Path("/srv/\udcff\n chat"))
    assert (
        rows(config, [HERE], [])[-1][1]
        == "/srv/\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} chat  (SQLite)"
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////srv/chat/vestnik.db", "SQLite"),
        ("sqlite:////else/where.db", "SQLite: /else/where.db"),
        ("sqlite:///here.db", f"SQLite: {Path('here.db').absolute()}"),
        ("mongodb://ann:pa%40ss@one:27017,two/chat?replicaSet=rs0", "MongoDB: chat on one:27017,two"),
        ("mongodb+srv://ann:pass@cluster.example.org", "MongoDB: vestnik on cluster.example.org"),
    ],
)
def test_the_store_without_a_password(url: str, shown: str) -> None:
    assert rows(replace(CONFIG, database_url=url), [HERE], [])[-1] == ("data", f"/srv/chat  ({shown})")


def test_the_addresses_of_this_machine_are_its_own() -> None:
    found = own_addresses(socket.AF_INET, socket.AF_INET6)
    assert len(set(found)) == len(found)
    for address in found:
        assert not ip_address(address).is_loopback
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.create_server((address, 0), family=family):
            pass  # only an own address can be bound


def test_what_listens_on_one_address_has_no_others() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert other_urls(listener) == []
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        assert shown_url(listener) == f"http://localhost:{port}"
        wanted = [f"http://{address}:{port}" for address in own_addresses(socket.AF_INET)]
        assert other_urls(listener) == wanted


async def test_with_json_each_line_but_the_setup_link_is_an_object(tmp_path: Path) -> None:
    async with running(tmp_path, LOG_FORMAT="json", REGISTRATION="invite") as program:
        await said_all(program)
    lines = [line for line in program.log.splitlines() if line]
    said = [json.loads(line) for line in lines if line.startswith("{")]
    (serving,) = [one for one in said if one["event"] == "serving"]
    assert serving["url"] == program.url
    assert (serving["also"], serving["registration"], serving["store"]) == ([], "invite", "SQLite")
    assert serving["data_dir"] == str(tmp_path / "data")
    texts = [line for line in lines if not line.startswith("{")]
    assert [text.split(" ")[2] for text in texts] == ["This", f"{program.url}/setup?code={texts[1][-43:]}"]


async def test_with_console_people_read_where_others_reach_it(tmp_path: Path) -> None:
    async with running(tmp_path, HOST="0.0.0.0") as program:
        others = [f"http://{address}:{program.port}" for address in own_addresses(socket.AF_INET)]
        await said_all(program)
        for url in (program.url, *others):
            async with program.http.get(f"{url}/health/ready") as answer:
                assert answer.status == 200
        said = program.log
    assert f"\n    here             http://localhost:{program.port}\n" in said
    assert [f"    in your network  {url}\n" in said for url in others] == [True] * len(others)
    assert f"    data             {tmp_path / 'data'}  (SQLite)\n" in said
    assert "on another machine: with its address in place of localhost" in said
