"""Accounts and sessions in memory: they say who a token stands for, and a revocation counts at once."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from domain.frozen import frozen
from domain.models import Session, User
from handlers.issuer.key_sources import Outcome
from handlers.issuer.login import IssuerLogin
from handlers.live.bot_tokens import is_token_id, token_id_of
from handlers.live.cache import Cache
from handlers.live.clock import Clock
from handlers.live.freshness import AlwaysFresh, Freshness
from handlers.live.tokens import NEVER, Claims, Tokens
from handlers.wire.endings import Ending, Refused
from storage.ports import Store

KEPT = 50_000
"""How many accounts are kept, and how many sessions; a session takes about 0.6 KB."""

USERS_KEPT_BYTES = 64 * 1024 * 1024

_USER_BYTES = 900
"""An account without its names."""

ResultT = TypeVar("ResultT")


@frozen
class Identity:
    """Who a good token stands for. `session_id` is None if another backend minted it; `expires_at` is Unix time,
    `NEVER` for the token of a bot."""

    user_id: int
    session_id: str | None
    expires_at: float


class Identities:
    """Finds the user of a token, and checks account and session at every use."""

    def __init__(
        self,
        store: Store,
        tokens: Tokens,
        clock: Clock,
        freshness: Freshness | None = None,
        session_used: Callable[[str | None], None] = lambda _session_id: None,
        issuer: IssuerLogin | None = None,
    ) -> None:
        """`session_used` is called with the session of each token for which `of` has found the user. `issuer`: whose
        tokens come in beside those under the server's own key."""
        self._store = store
        self._tokens = tokens
        self._clock = clock
        self._freshness = freshness or AlwaysFresh()
        self._session_used = session_used
        self._issuer = issuer
        self._users: Cache[int, User] = Cache(
            store.users.get, capacity=KEPT, size_of=_size_of, bytes_max=USERS_KEPT_BYTES
        )
        self._sessions: Cache[str, Session] = Cache(store.sessions.get, capacity=KEPT)

    async def of(self, token: str, claims: Claims | None = None, *, connecting: bool = False) -> Identity:
        """The user and session of a token. `claims` are what `claims_of` has read from this token, if it was asked.
        `connecting`: the account is then in memory as `Freshness.look_at_accounts` says.

        Raises: `Refused`: UNAUTHENTICATED for a bad or expired token, one of a bot that does not work any more, and a
        user we never had, REVOKED for an ended session and a banned or deleted user; `Unavailable`.
        """
        if claims is None:
            claims = await self._read(token)  # a bad token waits for no look
        if connecting:
            await self._freshness.look_at_accounts()
        elif self._freshness.stale:
            await self._freshness.caught_up()
        identity = await self._look_before_refusing(lambda: self._identify(claims))
        self._session_used(identity.session_id)
        return identity

    async def confirm(self, identity: Identity) -> None:
        """Checks again what `of` has returned some time ago. Meanwhile memory may have forgotten the account, or fallen
        behind others. Raises: `Refused`, as `of` does; `Unavailable`."""
        await self._look_before_refusing(lambda: self._load_and_check(identity))

    async def _look_before_refusing(self, attempt: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """The result of the attempt. One that refuses is made again after a look, where other nodes may have made the
        account or lifted a ban. Raises: `Refused`; `Unavailable`."""
        try:
            return await attempt()
        except Refused:
            if not self._freshness.shared:
                raise
        await self._freshness.look()
        return await attempt()

    async def _load_and_check(self, identity: Identity) -> None:
        await self._load(identity.user_id, identity.session_id)
        self.check(identity)

    async def _identify(self, claims: Claims) -> Identity:
        session_id = await self._load(claims.user_id, claims.session_id)
        if claims.own and session_id is None:
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED, "the session of the token is over")
        identity = Identity(claims.user_id, session_id, claims.expires_at)
        self.check(identity)
        return identity

    @property
    def key_fetches(self) -> Mapping[Outcome, int]:
        """How many fetches of the issuer's keys there were; empty without an issuer."""
        return {} if self._issuer is None else self._issuer.key_fetches

    async def _read(self, token: str) -> Claims:
        """What a token says. The store is asked for the token of a bot, and for the user of an issuer's token, that
        memory does not know. Raises: `Refused`, UNAUTHENTICATED, or OVERLOADED for an issuer whose keys are not known;
        `Unavailable`."""
        token_id = token_id_of(token)
        if token_id is not None:
            return _of_bot(await self._sessions.get(token_id))
        if self._issuer is not None and self._issuer.is_one(token):
            return await self._issuer.read(token, self._freshness.caught_up)
        return self._tokens.read(token)

    def claims_of(self, token: str) -> Claims | None:
        """What a token says. None if it is bad, or if memory knows that its session or account has ended, or does not
        know the token of a bot or the user of an issuer's token.

        This is enough to count a request against its user's budget, and not enough to let anybody in: see `of`.
        """
        try:
            claims = self._peek(token)
        except Refused:
            return None
        if claims is None:
            return None
        user = self._users.peek(claims.user_id)
        session = None if claims.session_id is None else self._sessions.peek(claims.session_id)
        has_ended = (user is not None and (user.banned or user.deleted)) or (
            session is not None and (session.revoked or session.user_id != claims.user_id)
        )
        return None if has_ended else claims

    def _peek(self, token: str) -> Claims | None:
        """What a token says, by what is in memory; None for an issuer's token whose user is not. Raises: `Refused`."""
        token_id = token_id_of(token)
        if token_id is not None:
            return _of_bot(self._sessions.peek(token_id))
        if self._issuer is not None and self._issuer.is_one(token):
            return self._issuer.peek(token)
        return self._tokens.read(token)

    async def _load(self, user_id: int, session_id: str | None) -> str | None:
        """Brings account and session into memory, where `check` looks for them. Returns the session's id, or None if
        the store has no such session: another backend minted the token, and the session is one of its own."""
        while True:
            user = await self._users.get(user_id)
            session = None if session_id is None else await self._sessions.get(session_id)
            # Each may have been dropped while the other was loaded.
            kept = (user is None or self._users.peek(user_id) is not None) and (
                session is None or self._sessions.peek(session.id) is not None
            )
            if kept:
                return None if session is None else session_id

    def check(self, identity: Identity) -> User:
        """Checks again, without suspending, what `of` has returned a moment ago, and returns the account. Raises:
        `Refused`, as `of` does."""
        if identity.expires_at <= self._clock.now().timestamp():
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED, "the token has expired")
        user = self._users.use(identity.user_id)
        if user is None or user.is_hook:
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED, "the token is of nobody here")
        session = None if identity.session_id is None else self._sessions.use(identity.session_id)
        if is_token_id(identity.session_id) and (session is None or session.revoked or not user.active):
            raise _no_bot()
        if not user.active:
            raise Refused("forbidden", Ending.REVOKED, "the account has ended")
        if identity.session_id is None:
            return user
        if session is None or session.user_id != user.id:
            raise Refused(
                "unauthenticated", Ending.UNAUTHENTICATED, "the token is of no session of this user"
            )
        if session.revoked:
            raise Refused("unauthenticated", Ending.REVOKED, "the session has ended")
        return user

    async def user(self, user_id: int) -> User | None:
        """An account, from memory if it is there."""
        return await self._users.get(user_id)

    async def user_for_answer(self, user_id: int) -> User | None:
        """An account as an answer shows it: with all that any node acked before this call."""
        if self._freshness.shared:
            return await self._store.users.get(user_id)
        return await self._users.get(user_id)

    def peek_user(self, user_id: int) -> User | None:
        """An account if it is in memory."""
        return self._users.peek(user_id)

    # A changed value is kept rather than dropped: `check` cannot wait for the store.

    def user_changed(self, user: User) -> None:
        """Called when an account changes."""
        if self._users.peek(user.id) is not None:
            self._users.put(user.id, user)
        self._users.stale(user.id)

    def forget_all(self) -> None:
        """Drops all accounts and sessions: their next use loads them from the store."""
        self._users.forget_all()
        self._sessions.forget_all()

    def session_revoked(self, session_id: str) -> None:
        """Called when a session is revoked."""
        session = self._sessions.peek(session_id)
        if session is not None:
            self._sessions.put(session_id, replace(session, revoked=True))
        self._sessions.stale(session_id)


def _of_bot(session: Session | None) -> Claims:
    """What the token of a bot says whose session this is. Raises: `Refused`."""
    if session is None or session.revoked:
        raise _no_bot()
    return Claims(session.user_id, session.id, NEVER, own=True)


def _no_bot() -> Refused:
    """The refusal of a bot's token that was never given out, or was renewed, or whose bot was banned or has ended."""
    return Refused("unauthenticated", Ending.UNAUTHENTICATED, "the token is of no bot, or not any more")


def _size_of(user: User) -> int:
    """About how many bytes an account takes; a character of a name takes up to 4."""
    return _USER_BYTES + 4 * (len(user.username) + len(user.display_name) + len(user.email or ""))
