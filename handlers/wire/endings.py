"""Why the server ends a connection. What a wire says for each is handlers.wire.close_codes."""

from enum import Enum

from handlers.wire.errors import ChatError, Code


class Ending(Enum):
    GOING_AWAY = "the server is going away"
    ABUSE = "too many malformed frames"
    BROKEN = "the protocol was broken"
    FLOODED = "more was asked, for too long, than the limits allow"
    FRAME_TOO_LARGE = "a frame was larger than the limit"
    TOO_SLOW = "too much is waiting unread"
    OVERLOADED = "the server cannot serve just now"
    UNAUTHENTICATED = "the token is missing, bad or expired"
    REVOKED = "the session or the account has ended"
    ORIGIN_REFUSED = "this origin is not in CORS_ORIGINS"
    SILENT = "nothing was heard for longer than the heartbeat"
    TOO_MANY_CONNECTIONS = "too many connections of this user"


class Refused(ChatError):
    """Somebody is not let in (or no longer): as a failed request, and as the ending of a connection."""

    def __init__(self, code: Code, ending: Ending, message: str | None = None) -> None:
        super().__init__(code, message or ending.value)
        self.ending = ending
