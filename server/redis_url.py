"""`REDIS_URL`: what it may say, and the connections that it stands for.

No error here quotes the URL: it may have a password in it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from redis.asyncio.connection import AbstractConnection, Connection, parse_url

SCHEMES = ("redis", "rediss", "unix")

OPTIONS = frozenset(
    {
        "db",
        "password",
        "ssl_ca_certs",
        "ssl_cert_reqs",
        "ssl_certfile",
        "ssl_check_hostname",
        "ssl_keyfile",
        "username",
    }
)
"""What may stand behind the question mark. Timeouts and retries are not the URL's: `server.nodes.bus` has its own."""

EXAMPLES = "redis://:password@host:6379/0, rediss://host:6379 or unix:///path/to/socket"


def redis_url(text: str) -> str:
    """A reader of settings: a URL of one Redis server. Raises: `ValueError`."""
    scheme = text.partition("://")[0]
    if "cluster" in scheme or "sentinel" in scheme or "," in text.partition("://")[2].rpartition("@")[2]:
        raise ValueError(
            "Sentinel and lists of servers are not supported; name one server, or one node of a cluster"
        )
    if scheme not in SCHEMES:
        raise ValueError(f"must start with one of {', '.join(f'{name}://' for name in SCHEMES)}")
    try:
        parts = urlsplit(text)
        names = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        connection_of(text, {})
    except Exception:  # redis-py raises what it likes; all of it is about this text
        raise ValueError(f"is no URL such as {EXAMPLES}") from None
    if parts.fragment:
        raise ValueError("has a # in it: percent-encode the special characters of the password")
    if not names <= OPTIONS:
        raise ValueError(f"takes no option but {', '.join(sorted(OPTIONS))}")
    if not (parts.path if scheme == "unix" else parts.hostname):
        raise ValueError(f"is no URL such as {EXAMPLES}")
    return text


def connection_of(url: str, options: Mapping[str, Any]) -> AbstractConnection:
    """A connection that is not open yet. `options` are those of redis-py's `Connection` and come before the URL's."""
    named = dict(parse_url(url))
    kind: Any = named.pop("connection_class", Connection)
    connection: AbstractConnection = kind(**{**named, **options})
    return connection


def place_of(url: str) -> str:
    """Where the server is, for log lines: host and port, or the path of the socket."""
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
