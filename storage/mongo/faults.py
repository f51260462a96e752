"""From errors of a MongoDB server to the words of `storage.errors.Trouble`."""

from collections.abc import Mapping

from storage.errors import Trouble

_TROUBLES: Mapping[int, Trouble] = {
    14031: "full",  # OutOfDiskSpace
    13: "read_only",  # Unauthorized
    20: "read_only",  # IllegalOperation
    24: "locked",  # LockTimeout
    46: "locked",  # LockBusy
    100: "unconfirmed",  # UnsatisfiableWriteConcern
    64: "unconfirmed",  # WriteConcernFailed
}
"""By the server's error code."""

_WORDS: Mapping[str, Trouble] = {
    "disk is full": "full",
    "no space left": "full",
    "over your space quota": "full",
    "readonly": "read_only",
    "read-only": "read_only",
    "database is locked": "locked",
    "malformed": "broken",
    "not a database": "broken",
    "corrupt": "broken",
}
"""By the server's text, where the code says nothing: FerretDB passes on the text of its own store."""


def trouble_of(code: int | None, reason: str) -> Trouble:
    """What is wrong, from the server's error code (None if there is none) and its text."""
    if code is not None and code in _TROUBLES:
        return _TROUBLES[code]
    text = reason.lower()
    return next((trouble for words, trouble in _WORDS.items() if words in text), "failing")
