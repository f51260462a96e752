"""The login of the users' own backend: a token of its issuer comes in wherever an access token does."""

from collections.abc import Awaitable, Callable, Mapping

from handlers.issuer.accounts import IssuerAccounts
from handlers.issuer.key_sources import Outcome
from handlers.issuer.tokens import IssuerTokens
from handlers.live.tokens import Claims


class IssuerLogin:
    """Reads tokens of an issuer as `handlers.live.tokens.Tokens` reads those of the server."""

    def __init__(self, tokens: IssuerTokens, accounts: IssuerAccounts) -> None:
        self._tokens = tokens
        self._accounts = accounts
        self.is_one = tokens.is_one
        """See `IssuerTokens.is_one`."""

    @property
    def key_fetches(self) -> Mapping[Outcome, int]:
        """See `KeySource.fetches`."""
        return self._tokens.keys.fetches

    async def read(self, token: str, ready: Callable[[], Awaitable[None]]) -> Claims:
        """What a token says. `ready` is awaited before the store is asked for the account, which is made at first
        sight. Raises: `Refused`; `Unavailable`."""
        claims = await self._tokens.read(token)
        await ready()
        user_id = await self._accounts.id_of(claims.person)
        return Claims(user_id, None, claims.expires_at, own=False)

    def peek(self, token: str) -> Claims | None:
        """What a token says, by what is in memory alone; None if it is bad, or its user is not in memory. The signature
        of a token of nobody known is not looked at. Raises: `Refused`."""
        user_id = self._accounts.peek(self._tokens.claimed(token).person)
        if user_id is None:
            return None
        return Claims(user_id, None, self._tokens.verified(token).expires_at, own=False)
