"""What a handler is given: who asks, and everything a chat is made of."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from handlers.clock import Clock
from handlers.connections import Connection, Connections
from handlers.directory import Directory
from handlers.errors import ChatError
from handlers.hub import Hub
from handlers.limits import Limiter
from handlers.policy import Policy
from handlers.turns import never
from storage.frozen import frozen
from storage.ports import Store

if TYPE_CHECKING:
    from handlers.announcer import Announcer
    from handlers.identities import Identities
    from handlers.passwords import Passwords
    from handlers.presence import PresenceBoard
    from handlers.sessions import TokenLives
    from handlers.subscriptions import Subscriptions
    from handlers.tokens import Tokens
    from handlers.typing import TypingSigns
    from handlers.updates import ChatUpdates


@frozen
class Caller:
    """Who asks. `user_id` is 0 for a stranger, `connection` None for a request over REST. `gone` tells that the
    request has lost its connection, so that nobody will hear the answer."""

    user_id: int
    address: str
    session_id: str | None = None
    connection: Connection | None = None
    gone: Callable[[], bool] = never

    def connected(self) -> Connection:
        """The caller's connection, for commands that only a socket has. Raises: `ChatError` `bad_request`."""
        if self.connection is None:
            raise ChatError("bad_request", "this needs a connection")
        return self.connection


@frozen
class Context:
    """Everything a chat is made of; made once, in `handlers.house.House`."""

    policy: Policy
    store: Store
    clock: Clock
    hub: Hub
    limiter: Limiter
    connections: Connections
    directory: Directory
    identities: "Identities"
    passwords: "Passwords"
    tokens: "Tokens"
    presence: "PresenceBoard"
    typing: "TypingSigns"
    lives: "TokenLives"
    updates: "ChatUpdates"
    subscriptions: "Subscriptions"
    announcer: "Announcer"
