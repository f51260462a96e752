"""Whether somebody may still come in: accounts and sessions in memory, so that a revocation counts at once."""

from collections.abc import Collection
from dataclasses import replace

from domain.frozen import frozen
from domain.models import Session, User
from handlers.live.cache import Cache
from handlers.live.clock import Clock
from handlers.live.tokens import Tokens
from handlers.wire.endings import Ending, Refused
from storage.ports import Store

KEPT = 50_000
"""So many accounts, and as many sessions, are kept; a session takes about 0.6 KB."""

USERS_KEPT_BYTES = 64 * 1024 * 1024

_USER_BYTES = 900
"""An account without its names."""


@frozen
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
        self._users: Cache[int, User] = Cache(
            store.users.get, capacity=KEPT, size_of=_size_of, bytes_max=USERS_KEPT_BYTES
        )
        self._sessions: Cache[str, Session] = Cache(store.sessions.get, capacity=KEPT)

    async def of(self, token: str) -> Identity:
        """Raises: `Refused`: UNAUTHENTICATED for a bad or expired token and a user we never had, REVOKED for an
        ended session and a banned or deleted user."""
        claims = self._tokens.read(token)
        session_id = await self._load(claims.user_id, claims.session_id)
        if claims.own and session_id is None:
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED, "the session of the token is over")
        identity = Identity(claims.user_id, session_id, claims.expires_at)
        self.check(identity)
        return identity

    def owner_of(self, token: str) -> int | None:
        """Whose a token is, as far as memory can tell: None if it is bad, or its session or account is known to have
        ended. To count what is asked with it, not to let anybody in."""
        try:
            claims = self._tokens.read(token)
        except Refused:
            return None
        user = self._users.peek(claims.user_id)
        session = None if claims.session_id is None else self._sessions.peek(claims.session_id)
        has_ended = (user is not None and (user.banned or user.deleted)) or (
            session is not None and (session.revoked or session.user_id != claims.user_id)
        )
        return None if has_ended else claims.user_id

    async def _load(self, user_id: int, session_id: str | None) -> str | None:
        """Brings both into memory, where `check` looks for them. Returns the session's id; None if we have none such:
        another backend minted the token, and names a session of its own."""
        while True:
            user = await self._users.get(user_id)
            session = None if session_id is None else await self._sessions.get(session_id)
            # Either may have been dropped again while the other was loaded.
            kept = (user is None or self._users.peek(user_id) is not None) and (
                session is None or self._sessions.peek(session.id) is not None
            )
            if kept:
                return None if session is None else session_id

    def check(self, identity: Identity) -> None:
        """Looks again, without suspending, at somebody `of` has let in a moment ago. Raises: as `of`."""
        if identity.expires_at <= self._clock.now().timestamp():
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED, "the token has expired")
        user = self._users.use(identity.user_id)
        if user is None:
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED, "the token is of nobody here")
        if user.banned or user.deleted:
            raise Refused("forbidden", Ending.REVOKED, "the account has ended")
        if identity.session_id is None:
            return
        session = self._sessions.use(identity.session_id)
        if session is None or session.user_id != user.id:
            raise Refused(
                "unauthenticated", Ending.UNAUTHENTICATED, "the token is of no session of this user"
            )
        if session.revoked:
            raise Refused("unauthenticated", Ending.REVOKED, "the session has ended")

    async def user(self, user_id: int) -> User | None:
        """An account, from memory if it is there."""
        return await self._users.get(user_id)

    def peek_user(self, user_id: int) -> User | None:
        """An account if it is in memory."""
        return self._users.peek(user_id)

    # What is told is kept rather than forgotten: `check` cannot wait for the store.

    def user_changed(self, user: User) -> None:
        if self._users.peek(user.id) is not None:
            self._users.put(user.id, user)
        self._users.stale(user.id)

    def forget_but(self, user_ids: Collection[int], session_ids: Collection[str]) -> None:
        """Drops all others: their next use looks into the store."""
        self._users.forget_but(user_ids)
        self._sessions.forget_but(session_ids)

    def session_revoked(self, session_id: str) -> None:
        session = self._sessions.peek(session_id)
        if session is not None:
            self._sessions.put(session_id, replace(session, revoked=True))
        self._sessions.stale(session_id)


def _size_of(user: User) -> int:
    """About how many bytes an account takes; a character of a name takes up to 4."""
    return _USER_BYTES + 4 * (len(user.username) + len(user.display_name) + len(user.email or ""))
