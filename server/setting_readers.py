"""Kinds of settings: how the text of an environment variable becomes a value.

Each function makes, or is, a reader. A reader gets text without blanks around it that is not empty, and raises
`ValueError` with a sentence that says what is wrong with it.
"""

import re
import ssl
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validate

from domain.text import name_fault, trimmed
from handlers.issuer.keys import BadKeys, read_public_key
from handlers.wire.json import is_unicode

Read = Callable[[str], Any]


def integer(least: int, most: int = 10**9) -> Read:
    return _field(fields.Integer(validate=validate.Range(least, most)))


def number(least: float) -> Read:
    return _field(fields.Float(validate=validate.Range(least, 1e9)))


def switch(text: str) -> bool:
    word = text.lower()
    if word in ("on", "1", "true", "yes"):
        return True
    if word in ("off", "0", "false", "no"):
        return False
    raise ValueError("must be on or off")


def choice(*allowed: str, fold: Callable[[str], str] = str) -> Read:
    """One of these words, after `fold`."""

    def read(text: str) -> str:
        if fold(text) not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return fold(text)

    return read


def url(*schemes: str) -> Read:
    def read(text: str) -> str:
        if text.split("://")[0] not in schemes:
            raise ValueError(f"must start with one of {', '.join(scheme + '://' for scheme in schemes)}")
        return text

    return read


def base_url(example: str) -> Read:
    """A URL of a server, without a path."""

    def read(text: str) -> str:
        parts = urlsplit(text)
        port = parts.port  # raises for one that is no port
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or " " in text:
            raise ValueError(f"must be a URL such as {example}")
        if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
            raise ValueError(f"must be scheme, host and port alone, such as {example}")
        return f"{parts.scheme}://{parts.netloc}"

    return read


def page_url(example: str) -> Read:
    """A URL of something to be fetched."""

    def read(text: str) -> str:
        parts = urlsplit(text)
        port = parts.port  # raises for one that is no port
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or re.search(r"\s", text):
            raise ValueError(f"must be a URL such as {example}")
        if parts.fragment or parts.username is not None:
            raise ValueError(
                f"must have neither a name before the host nor a part after #, such as {example}"
            )
        return text

    return read


def origins(text: str) -> tuple[str, ...]:
    """Origins of web pages with commas between them; none for `*`, which stands for any."""
    found = []
    for part in text.split(","):
        origin = part.strip().rstrip("/")
        if origin == "*":
            return ()
        if not origin:
            continue
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
            raise ValueError(f"{origin!r} is not an origin such as https://chat.example.org")
        found.append(origin.lower())
    return tuple(found)


def username(text: str) -> str:
    """A name that an account can have."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{3,32}", text):
        raise ValueError("must be 3 to 32 letters, digits, _ . and -")
    return text


def chat_name(text: str) -> str:
    """A name that a chat can have."""
    name = trimmed(text)
    fault = name_fault(name, 100) if is_unicode(name) else "must be UTF-8 text"
    if fault is not None:
        raise ValueError(fault)
    return name


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks with commas between them."""
    found = []
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            found.append(ip_network(part, strict=False))
        except ValueError:
            raise ValueError(f"{part!r} is no address or network") from None
    return tuple(found)


def built_web_client(text: str) -> Path:
    """A folder with the page of the web client in it."""
    folder = Path(text)
    if not (folder / "index.html").is_file():
        raise ValueError(f"there is no index.html in {text}: it is no built web client")
    return folder


def certificates(text: str) -> Path:
    """A file of certificates to trust, in PEM."""
    try:
        ssl.create_default_context(cafile=text)
    except OSError as error:
        raise ValueError(f"cannot read certificates from {text}: {error.strerror or error}") from None
    return Path(text)


def public_key(text: str) -> Path:
    """A file with a public key in PEM."""
    try:
        read_public_key(Path(text).read_bytes())
    except OSError as error:
        raise ValueError(f"cannot read {text}: {error.strerror}") from None
    except BadKeys as error:
        raise ValueError(f"{text}: {error}") from None
    return Path(text)


def words(text: str) -> str:
    """Any text."""
    if not is_unicode(text):
        raise ValueError("must be UTF-8 text")
    return text


def bearer_token(text: str) -> str:
    """What can stand in an `Authorization: Bearer` header."""
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("must be letters, digits and signs of ASCII, without blanks")
    return text


def _field(field: fields.Field[Any]) -> Read:
    def read(text: str) -> Any:
        try:
            return field.deserialize(text)
        except ValidationError as error:
            raise ValueError(" ".join(map(str, error.messages))) from None

    return read
