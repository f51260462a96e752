"""Tokens of bots: random strings with a prefix that secret scanners can look for. The store keeps a hash."""

import base64
import hashlib
import re
import secrets

PREFIX = "vb_"

_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")

_ID_PREFIX = "bot:"
"""Begins the id of a session that stands for a bot's token. The id of a login has no colon."""


def new_bot_token() -> str:
    """A token with 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def token_id_of(token: str) -> str | None:
    """The id of the session that stands for a bot's token; None for a text that cannot be such a token. Nobody can find
    the token from the id."""
    if not _FORM.fullmatch(token):
        return None
    digest = hashlib.sha256(token.encode()).digest()
    return _ID_PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_token_id(session_id: str | None) -> bool:
    """Whether a session stands for a bot's token."""
    return session_id is not None and session_id.startswith(_ID_PREFIX)
