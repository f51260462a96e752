"""How other nodes reach this one, if nothing is set."""

import pytest

from server.nodes.addresses import default_node_url
from server.setting_readers import base_url

EXAMPLE = "http://10.0.0.5:8000"


@pytest.mark.parametrize(
    ("database_url", "url"),
    [
        ("mongodb://127.0.0.1:27017/vestnik", "http://127.0.0.1:8000"),
        (
            "mongodb://user:p%40ss@127.0.0.1:27017,127.0.0.2:27018/vestnik?replicaSet=rs",
            "http://127.0.0.1:8000",
        ),
        ("mongodb://127.0.0.1/vestnik", "http://127.0.0.1:8000"),
        ("mongodb://localhost/vestnik", "http://127.0.0.1:8000"),
        ("mongodb://no-such-host.invalid/vestnik", ""),
        ("mongodb://%2Ftmp%2Fmongodb.sock/vestnik", ""),
        ("mongodb://127.0.0.1:notaport/vestnik", ""),
        ("sqlite:///vestnik.db", ""),
    ],
)
def test_the_default_is_the_address_that_reaches_the_database(database_url: str, url: str) -> None:
    assert default_node_url(database_url, 8000) == url


def test_an_address_of_version_6_stands_in_brackets() -> None:
    assert default_node_url("mongodb://[::1]:27017/vestnik", 8000) in ("http://[::1]:8000", "")


def test_without_a_port_there_is_none() -> None:
    assert default_node_url("mongodb://127.0.0.1/vestnik", 0) == ""


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://10.0.0.5:8000", "http://10.0.0.5:8000"),
        ("https://node-1.internal/", "https://node-1.internal"),
        ("http://[fd00::5]:8000", "http://[fd00::5]:8000"),
    ],
)
def test_a_url_that_is_set(text: str, url: str) -> None:
    assert base_url(EXAMPLE)(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.5:8000",
        "ftp://host",
        "http://",
        "http://host/path",
        "http://u:p@host",
        "http://host:x",
        "http://host?q",
    ],
)
def test_a_url_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as|[Pp]ort"):
        base_url(EXAMPLE)(text)
