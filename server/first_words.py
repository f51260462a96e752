"""What a server says when it begins to serve: where it is, who may register, where its data is."""

import logging
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from server.command_line import printable
from server.config import Config
from server.listeners import other_urls, shown_url
from server.version import VERSION

log = structlog.get_logger("vestnik")

_REGISTRATION = {
    "open": "open: anybody who gets here can make an account",
    "invite": "invite: whoever has an invite can make an account",
    "closed": "closed: nobody can make an account",
}


def say_first_words(config: Config, listeners: Sequence[socket.socket]) -> None:
    """Logs the addresses that are listened on. The rest are fields of these lines with LOG_FORMAT=json, else a few
    lines for people on standard output. LOG_LEVEL can silence both."""
    urls = [shown_url(listener) for listener in listeners]
    also = [url for listener in listeners for url in other_urls(listener)]
    if config.log_format == "json":
        facts = {"also": also, "registration": config.policy.registration, "data_dir": _data_dir(config)}
        for url in urls:
            log.info("serving", url=url, **facts, store=_store(config))
        return
    for url in urls:
        log.info("serving", url=url)
    if logging.getLevelName(config.log_level) <= logging.INFO:
        with suppress(OSError, ValueError):  # nobody reads the output, or not these letters
            sys.stdout.write(first_words(config, urls, also))
            sys.stdout.flush()


def first_words(config: Config, urls: Sequence[str], also: Sequence[str]) -> str:
    """The lines for people. `urls` are where the server listens, as this machine sees it; `also`, as others see it."""
    public = config.policy.public_url
    rows = [("for everybody", public)] if public else []
    rows += [
        ("here", url if also or public or not _is_loopback(url) else f"{url}  (this machine only)")
        for url in urls
    ]
    rows += [("from outside" if _is_global(url) else "in your network", url) for url in also]
    rows.append(("registration", _REGISTRATION[config.policy.registration]))
    rows.append(("data", f"{_data_dir(config)}  ({_store(config)})"))
    return f"\n  Vestnik {VERSION}\n" + "".join(f"    {name:<15}  {value}\n" for name, value in rows)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == "localhost" or ip_address(host).is_loopback


def _is_global(url: str) -> bool:
    return ip_address(urlsplit(url).hostname or "").is_global


def _data_dir(config: Config) -> str:
    return printable(str(config.data_dir.absolute()))


def _store(config: Config) -> str:
    """Where messages are, without a password."""
    scheme, _, place = config.store_url().partition("://")
    if scheme == "sqlite":
        path = Path(place.removeprefix("/"))
        elsewhere = f"SQLite: {printable(str(path.absolute()))}"
        return "SQLite" if path.parent == config.data_dir.absolute() else elsewhere
    hosts, _, name = place.rpartition("@")[2].partition("?")[0].partition("/")
    return f"MongoDB: {name or 'vestnik'} on {hosts}"
