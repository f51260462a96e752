"""The unique key of a username, the same in every store."""

from domain.text import name_key

NAMESAKE = "\x1f"
"""Old databases have accounts whose names differ only by their Unicode form; all of them stay usable. One of them has
the key of the name; the key of each other one is that key, then this character, then the name with its case folded."""


def namesake_key(username: str) -> str:
    return f"{name_key(username)}{NAMESAKE}{username.casefold()}"


def key_bounds(login: str) -> tuple[str, str, str]:
    """The key of a name; the first possible key of a namesake; and the first key above those of namesakes."""
    key = name_key(login)
    return key, key + NAMESAKE, key + chr(ord(NAMESAKE) + 1)
