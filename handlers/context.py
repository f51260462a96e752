"""What a handler is given: who asks, and everything a chat is made of."""

from collections.abc import Callable

from domain.frozen import frozen
from handlers.live.announcer import Announcer
from handlers.live.clock import Clock
from handlers.live.connections import Connection, Connections
from handlers.live.directory import Directory
from handlers.live.fair_semaphore import never
from handlers.live.hub import Hub
from handlers.live.identities import Identities
from handlers.live.limits import Limiter
from handlers.live.passwords import Passwords
from handlers.live.presence import PresenceTracker
from handlers.live.subscriptions import Subscriptions
from handlers.live.token_expiry import TokenExpiry
from handlers.live.tokens import Tokens
from handlers.live.typing import TypingTracker
from handlers.live.updates import ChatUpdates
from handlers.policy import Policy
from handlers.wire.errors import ChatError
from storage.ports import Store


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
    """Everything a chat is made of; made once, in `handlers.chat_app.ChatApp`."""

    policy: Policy
    store: Store
    clock: Clock
    hub: Hub
    limiter: Limiter
    connections: Connections
    directory: Directory
    identities: Identities
    passwords: Passwords
    tokens: Tokens
    presence: PresenceTracker
    typing: TypingTracker
    token_expiry: TokenExpiry
    updates: ChatUpdates
    subscriptions: Subscriptions
    announcer: Announcer
