"""Counts failed logins for each pair of account and network, over all nodes."""

from collections.abc import Awaitable, Callable
from typing import Any

from handlers.live.limits import Limiter
from handlers.live.peers import Peers
from handlers.live.tokens import Tokens
from handlers.wire.errors import ChatError

TOPIC = "login_failures"
"""The published value is the key of the pair."""


class LoginFailures:
    """Failures count for the pair, so that nobody can lock others out from elsewhere.

    Nodes publish a failure to each other as a hash under their common key. It shows neither the address nor the
    name, which may be a password that somebody typed into the wrong field.
    """

    def __init__(self, limiter: Limiter, tokens: Tokens, peers: Peers) -> None:
        self._limiter = limiter
        self._tokens = tokens
        self._peers = peers
        peers.listen(TOPIC, self._heard)

    async def match(self, account: int | str, network: str, match: Callable[[], Awaitable[bool]]) -> bool:
        """Whether a password is right, as `match` finds out, counted if it is wrong. `account` is the id of a user, or
        a name that no user has.

        Raises: `ChatError` `rate_limited` after too many failures; what `match` raises, which does not count.
        """
        key = self._tokens.keyed_hash("login", account, network)
        # The token is taken before the password is checked: after it, many tries at once would all get through.
        self._limiter.check("login_failures", key)
        try:
            right = await match()
        except ChatError:  # the password was not checked
            self._limiter.give_back("login_failures", key)
            raise
        if right:
            self._limiter.give_back("login_failures", key)
        else:
            self._peers.tell(TOPIC, key)
        return right

    def _heard(self, _incarnation: str, key: Any) -> None:
        self._limiter.count("login_failures", key)
