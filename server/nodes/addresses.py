"""How other nodes reach this one, if no setting says so."""

import socket
from urllib.parse import urlsplit

MONGODB_PORT = 27017


def default_node_url(database_url: str, port: int) -> str:
    """The address from which this machine reaches the database, with this node's port; "" if there is none. Nothing
    is sent to the database."""
    host, database_port = _first_host(database_url)
    if not host or not port:
        return ""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, database_port, type=socket.SOCK_DGRAM)[
            0
        ]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(address)  # a datagram socket: this only looks up the route
            own: str = probe.getsockname()[0]
    except OSError:
        return ""
    return f"http://[{own}]:{port}" if ":" in own else f"http://{own}:{port}"


def _first_host(database_url: str) -> tuple[str, int]:
    """The first host in a URL that may name several, and its port."""
    parts = urlsplit(database_url)
    first = parts.netloc.rpartition("@")[2].split(",")[0]
    try:
        named = urlsplit(f"//{first}")
        return named.hostname or "", named.port or MONGODB_PORT
    except ValueError:
        return "", MONGODB_PORT
