"""What a client is told of an ending: the close code, and whether it should come back by itself."""

import random
from dataclasses import dataclass

from handlers.wire.endings import Ending
from handlers.wire.json import dumps


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
    Ending.UNAUTHENTICATED: CloseCode(4401, False),
    Ending.REVOKED: CloseCode(4403, False),
    Ending.ORIGIN_REFUSED: CloseCode(4403, False),
    Ending.SILENT: CloseCode(4408, True),
    Ending.TOO_MANY_CONNECTIONS: CloseCode(4429, False),
}


def retry_in_ms(ending: Ending, spread_ms: int) -> int | None:
    """When to come back, drawn anew for each connection so that they do not all come at once; None: as it likes."""
    return random.randint(0, spread_ms) if ending is Ending.GOING_AWAY else None


def close_reason(ending: Ending, retry_ms: int | None) -> str:
    """The reason in a raw close frame."""
    if retry_ms is not None:
        return dumps({"retry_in_ms": retry_ms}).decode()
    return ending.value
