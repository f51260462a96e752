"""Whether somebody may still come in: accounts and sessions in memory, so that a revocation counts at once."""

from dataclasses import dataclass

from handlers.cache import Cache
from handlers.clock import Clock
from handlers.endings import Ending, Refused
from handlers.tokens import Tokens
from storage.models import Session, User
from storage.ports import Store

KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a good token stands for. `session_id` is None if another backend minted it; `expires_at` is Unix time."""

    user_id: int
    session_id: str | None
    expires_at: float


class Identities:
    """Tokens to users, looked at anew at every use."""

    def __init__(self, store: Store, tokens: Tokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._users: Cache[int, User] = Cache(store.users.get, capacity=KEPT)
        self._sessions: Cache[str, Session] = Cache(store.sessions.get, capacity=KEPT)

    async def of(self, token: str) -> Identity:
        """Raises: `Refused`: UNAUTHENTICATED for a bad or expired token and a user we never had, REVOKED for an
        ended session and a banned or deleted user."""
        claims = self._tokens.read(token)
        await self._users.get(claims.user_id)
        if claims.session_id is not None:
            await self._sessions.get(claims.session_id)
        identity = Identity(claims.user_id, claims.session_id, claims.expires_at)
        self.check(identity)
        return identity

    def check(self, identity: Identity) -> None:
        """Looks again, without suspending, at somebody `of` has let in a moment ago. Raises: as `of`."""
        if identity.expires_at <= self._clock.now().timestamp():
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED, "the token has expired")
        user = self._users.peek(identity.user_id)
        if user is None:
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED, "the token is of nobody here")
        if user.banned or user.deleted:
            raise Refused("forbidden", Ending.REVOKED, "the account has ended")
        if identity.session_id is None:
            return
        session = self._sessions.peek(identity.session_id)
        if session is None or session.user_id != user.id:
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED, "the token is of no session here")
        if session.revoked:
            raise Refused("unauthenticated", Ending.REVOKED, "the session has ended")

    async def user(self, user_id: int) -> User | None:
        """An account, from memory if it is there."""
        return await self._users.get(user_id)

    def user_changed(self, user_id: int) -> None:
        self._users.forget(user_id)

    def session_revoked(self, session_id: str) -> None:
        self._sessions.forget(session_id)
