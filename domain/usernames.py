"""Usernames that are made after what people are called elsewhere."""

import re
from unicodedata import normalize

CHARS_MIN, CHARS_MAX = 3, 32

_USERNAME = re.compile(rf"[A-Za-z0-9_.-]{{{CHARS_MIN},{CHARS_MAX}}}")

_READ_CHARS = 200
"""Of a name elsewhere no more is looked at: NFKD takes long for long runs of marks."""


def is_username(text: str) -> bool:
    """Whether an account can have this username, if nobody has it."""
    return _USERNAME.fullmatch(text) is not None


def username_like(wanted: str) -> str:
    """What is left of a name elsewhere within the letters of usernames: the name itself if it is a username already,
    else its letters without accents, of an email address those before the @. At most 32 characters; it may be empty or
    too short."""
    if is_username(wanted):
        return wanted
    local, _, _ = wanted[:_READ_CHARS].partition("@")
    plain = re.sub(r"\s+", "_", normalize("NFKD", local).strip())
    return re.sub(r"[^A-Za-z0-9_.-]", "", plain).strip("_.-")[:CHARS_MAX]


def numbered(base: str, number: int) -> str:
    """A username for one of several people who are called the same; short names get long enough by it."""
    suffix = f"-{number}"
    return f"{base[: CHARS_MAX - len(suffix)]}{suffix}"
