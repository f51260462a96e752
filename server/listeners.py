"""The listening sockets: bound here, or inherited from systemd or another parent (socket activation)."""

import os
import socket
from collections.abc import MutableMapping, Sequence

from server.config import Config
from server.own_addresses import own_addresses
from server.start_error import StartError

BACKLOG = 4096
"""How many connections may wait to be accepted, as far as the system allows. After a restart all clients come back at
once; the system drops those for whom there is no room, and they try again after 1, 3, 7… seconds."""

FIRST_INHERITED_FD = 3
"""The number of the first inherited socket; the others follow it."""

_ANY = {
    "0.0.0.0": (socket.AF_INET,),  # noqa: S104 -- shown, not bound
    "::": (socket.AF_INET, socket.AF_INET6),
}
"""What a socket that listens on all addresses calls its own, and which addresses those are."""


def open_listeners(config: Config) -> Sequence[socket.socket]:
    """The sockets to serve on: those that the parent process passed on, else one that is bound to HOST and PORT.

    A listening socket that the parent keeps open refuses no connection while the server restarts: connections wait in
    its backlog for the next process. Raises: `StartError`.
    """
    return inherited_listeners(os.environ) or [_bind(config)]


def inherited_listeners(environment: MutableMapping[str, str]) -> Sequence[socket.socket]:
    """The sockets that the parent process passed on, by the protocol of systemd: LISTEN_FDS of them, if LISTEN_PID is
    this process. Takes the variables away, so that no child process believes them. Raises: `StartError`."""
    pid, count, _names = (
        environment.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
    )
    if pid != str(os.getpid()):
        return []
    if not count.isdecimal():
        raise StartError(f"LISTEN_FDS: {count!r} is no number of sockets")
    return [_inherit(FIRST_INHERITED_FD + number) for number in range(int(count))]


def _inherit(file: int) -> socket.socket:
    try:
        os.set_inheritable(file, False)
        listener = socket.socket(fileno=file)
    except OSError as error:
        raise StartError(f"LISTEN_FDS: file descriptor {file} is no socket: {error.strerror}") from None
    listens = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if listener.family not in (socket.AF_INET, socket.AF_INET6) or not listens:
        listener.close()
        raise StartError(f"LISTEN_FDS: file descriptor {file} is no listening TCP socket")
    listener.setblocking(False)
    return listener


def _bind(config: Config) -> socket.socket:
    """The listening socket. It is bound before anything else is done, so that a second server on the port stops
    here."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise StartError(f"HOST: {config.host}: {error.strerror}") from None
    except UnicodeError:
        raise StartError("HOST: is no host name") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Only a listening socket makes a second bind fail. Nothing is accepted before the site starts.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(f"PORT: cannot listen on {config.host}:{config.port}: {error.strerror}") from None
    return listener


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def shown_url(listener: socket.socket) -> str:
    """A URL that opens in a browser on this machine, if the server listens on all its addresses."""
    host, port = listener.getsockname()[:2]
    return _url("localhost" if host in _ANY else host, port)


def other_urls(listener: socket.socket) -> Sequence[str]:
    """URLs that open in a browser on other machines of the network, if the server listens on all its addresses; else
    none."""
    host, port = listener.getsockname()[:2]
    families = _ANY.get(host, ())
    return [_url(address, port) for address in own_addresses(*families)]


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
