"""Sockets that a parent process passes on: which ones are taken, and the one line that a wrong one gets."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from server import listeners
from server.listeners import inherited_listeners, shown_url
from server.start_error import StartError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no socket activation")

FREE_FILE = 200
"""A file descriptor that nothing has taken."""


@pytest.fixture
def kept() -> Iterator[ExitStack]:
    """Closes what a test opens."""
    with ExitStack() as stack:
        yield stack


def inherit(monkeypatch: pytest.MonkeyPatch, file: int, count: str = "1") -> dict[str, str]:
    """The environment in which this process inherits sockets from this file descriptor on."""
    monkeypatch.setattr(listeners, "FIRST_INHERITED_FD", file)
    return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": count, "LISTEN_FDNAMES": "a:b", "HOME": "/"}


def listening(kept: ExitStack, family: int = socket.AF_INET) -> socket.socket:
    listener = kept.enter_context(socket.socket(family))
    listener.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
    listener.listen()
    return listener


def test_the_socket_is_taken_and_no_child_process_takes_it_again(
    monkeypatch: pytest.MonkeyPatch, kept: ExitStack
) -> None:
    parents = listening(kept)
    file = os.dup(parents.fileno())
    os.set_inheritable(file, True)
    environment = inherit(monkeypatch, file)
    (taken,) = map(kept.enter_context, inherited_listeners(environment))
    assert taken.getsockname() == parents.getsockname()
    assert not taken.get_inheritable()
    assert environment == {"HOME": "/"}
    assert shown_url(taken) == f"http://127.0.0.1:{parents.getsockname()[1]}"


def test_two_sockets(monkeypatch: pytest.MonkeyPatch, kept: ExitStack) -> None:
    for file in (FREE_FILE, FREE_FILE + 1):
        os.dup2(listening(kept).fileno(), file)
    taken = [kept.enter_context(each) for each in inherited_listeners(inherit(monkeypatch, FREE_FILE, "2"))]
    assert [each.fileno() for each in taken] == [FREE_FILE, FREE_FILE + 1]


def test_what_was_meant_for_another_process_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert inherited_listeners({}) == []
    assert inherited_listeners({"LISTEN_PID": str(os.getppid()), "LISTEN_FDS": "1"}) == []


def test_a_number_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StartError, match=r"^LISTEN_FDS: 'x' is no number of sockets$"):
        inherited_listeners(inherit(monkeypatch, 3, "x"))


def test_a_file_that_is_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        StartError, match=r"^LISTEN_FDS: file descriptor 987654 is no socket: Bad file descriptor$"
    ):
        inherited_listeners(inherit(monkeypatch, 987654))


def test_a_file_that_is_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        tempfile.TemporaryFile() as file,
        pytest.raises(StartError, match=r"Socket operation on non-socket$"),
    ):
        inherited_listeners(inherit(monkeypatch, file.fileno()))


@pytest.mark.parametrize("kind", ["unix", "datagram", "not listening"])
def test_a_socket_of_another_kind(monkeypatch: pytest.MonkeyPatch, kept: ExitStack, kind: str) -> None:
    family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
    given = socket.socket(family, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
    with pytest.raises(StartError, match=r"is no listening TCP socket$"):
        inherited_listeners(inherit(monkeypatch, given.detach()))


def test_a_url_with_an_ipv6_address(kept: ExitStack) -> None:
    listener = listening(kept, socket.AF_INET6)
    assert shown_url(listener) == f"http://[::1]:{listener.getsockname()[1]}"
