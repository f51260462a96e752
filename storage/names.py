"""The unique key of a username, the same in every store."""

from domain.text import name_key

NAMESAKE = "\x1f"
"""Accounts were made whose names differ by their Unicode form alone; both stay usable. One of them has the key of the
name; each other has that key, then this, then the name with its case folded."""


def namesake_key(username: str) -> str:
    return f"{name_key(username)}{NAMESAKE}{username.casefold()}"


def key_bounds(login: str) -> tuple[str, str, str]:
    """The key of a name; and where the keys of its namesakes begin and end, the end not included."""
    key = name_key(login)
    return key, key + NAMESAKE, key + chr(ord(NAMESAKE) + 1)
