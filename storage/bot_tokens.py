"""How both stores keep that the session of a bot's token does not expire."""

from datetime import UTC, datetime

FOR_EVER = datetime.max.replace(tzinfo=UTC)
"""When the token expires."""


def token_key(token_id: str) -> str:
    """The key under which a token that never expires stands among the refresh tokens, so that whoever looks for
    sessions that work finds this one. No hash of a refresh token has this form."""
    return f"bot {token_id}"
