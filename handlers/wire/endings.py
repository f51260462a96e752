"""Why the server ends a connection, and what its peer gets: a close code, and whether to reconnect."""

import random
from dataclasses import dataclass
from enum import Enum

from handlers.wire.errors import ChatError, Code
from handlers.wire.json import dumps


class Ending(Enum):
    """A reason; its value is the text that the peer reads."""

    GOING_AWAY = "the server is going away"
    ABUSE = "too many malformed frames"
    BROKEN = "the protocol was broken"
    FLOODED = "more was asked, for too long, than the limits allow"
    FRAME_TOO_LARGE = "a frame was larger than the limit"
    TOO_SLOW = "too much is waiting unread"
    OVERLOADED = "the server cannot serve just now"
    BEHIND = "the server does not know what other servers did"
    UNAUTHENTICATED = "the token is missing, bad or expired"
    REVOKED = "the session or the account has ended"
    ORIGIN_REFUSED = "this origin is not in CORS_ORIGINS"
    SILENT = "nothing was heard for longer than the heartbeat"
    TOO_MANY_CONNECTIONS = "too many connections of this user"


class Refused(ChatError):
    """A connection is not accepted, or may not go on. Over REST this is an error; on a socket it is an ending too."""

    def __init__(self, code: Code, ending: Ending, message: str | None = None) -> None:
        super().__init__(code, message or ending.value)
        self.ending = ending


@dataclass(frozen=True, slots=True)
class CloseCode:
    """`reconnect`: the client should try again, possibly after getting a new token; else the ending is final."""

    code: int
    reconnect: bool


CLOSE_CODES = {
    Ending.GOING_AWAY: CloseCode(1001, True),
    Ending.ABUSE: CloseCode(1008, False),
    Ending.BROKEN: CloseCode(1008, False),
    Ending.FLOODED: CloseCode(1008, False),
    Ending.FRAME_TOO_LARGE: CloseCode(1009, False),
    Ending.TOO_SLOW: CloseCode(1013, True),
    Ending.OVERLOADED: CloseCode(1013, True),
    Ending.BEHIND: CloseCode(1013, True),
    Ending.UNAUTHENTICATED: CloseCode(4401, False),
    Ending.REVOKED: CloseCode(4403, False),
    Ending.ORIGIN_REFUSED: CloseCode(4403, False),
    Ending.SILENT: CloseCode(4408, True),
    Ending.TOO_MANY_CONNECTIONS: CloseCode(4429, False),
}


RETRY_SPREAD_MS = 5_000
"""Clients whose server ends all its connections come back spread over this time."""

_ENDS_ALL = (Ending.GOING_AWAY, Ending.BEHIND)
"""Endings that all connections of a server get at once."""


def retry_in_ms(ending: Ending, spread_ms: int) -> int | None:
    """When the client should come back: a new random time for each connection, so that they do not all come at once.
    None: the client chooses."""
    return random.randint(0, spread_ms) if ending in _ENDS_ALL else None


def close_reason(ending: Ending, retry_ms: int | None) -> str:
    """The reason in a raw close frame."""
    if retry_ms is not None:
        return dumps({"retry_in_ms": retry_ms}).decode()
    return ending.value
