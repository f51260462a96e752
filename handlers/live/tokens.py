"""Access tokens, which are JWTs, and refresh tokens: random strings, of which the store keeps a hash."""

import hashlib
import hmac
import math
import re
import secrets
import warnings
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeGuard

import jwt
from jwt.warnings import InsecureKeyLengthWarning

from domain.frozen import frozen
from handlers.live.clock import Clock
from handlers.wire.endings import Ending, Refused
from handlers.wire.schemas import ID_MAX

# The server warns of a short key once, at start; PyJWT would warn again at every token.
warnings.filterwarnings("ignore", category=InsecureKeyLengthWarning)

_EXPIRES_MAX = 253402300799  # the end of the year 9999, where datetimes end

_OWN_CLAIMS = {"sub", "sid", "type", "iss", "iat", "exp"}
_STORE_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)

NEVER = math.inf
"""When the token of a bot expires."""


def expires_in_s(expires_at: float, now: datetime) -> int | None:
    """For how many whole seconds a token is good; None if it does not expire."""
    return None if expires_at == NEVER else int(expires_at - now.timestamp())


@frozen
class Claims:
    """What a good access token says. `own`: a node of this store minted it, and it is good as long as its session. A
    token of another backend may have a `session_id` too, or None. `expires_at` is Unix time, `NEVER` for the token of a
    bot."""

    user_id: int
    session_id: str | None
    expires_at: float
    own: bool


class Tokens:
    """Mints and reads access tokens under one key and one algorithm. `issuer` is the id of the store that has their
    sessions."""

    def __init__(self, secret: str, algorithm: str, clock: Clock, *, issuer: str, access_ttl_s: int) -> None:
        self._secret = secret
        self._issuer = issuer
        self._algorithm = algorithm
        self._clock = clock
        self.access_ttl_s = access_ttl_s

    def mint(self, user_id: int, session_id: str) -> str:
        """An access token, good for `access_ttl_s`."""
        now = self._clock.now()
        claims = {
            "sub": str(user_id),
            "sid": session_id,
            "type": "access",
            "iss": self._issuer,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(seconds=self.access_ttl_s)).timestamp()),
        }
        return jwt.encode(claims, self._secret, self._algorithm)

    def keyed_hash(self, purpose: str, *words: object) -> str:
        """A hash under the key of the server, the same at all nodes of a store, from which nobody without the key can
        find the words."""
        text = "\0".join(["vestnik", purpose, *map(str, words)])
        return hmac.digest(self._secret.encode(), text.encode(), "sha256").hex()[:32]

    def key_for(self, purpose: str) -> bytes:
        """A key that is derived from that of the server, the same at all nodes of a store, for one purpose alone."""
        return hmac.digest(self._secret.encode(), f"vestnik key: {purpose}".encode(), "sha256")

    def read(self, token: str) -> Claims:
        """Raises: `Refused` (UNAUTHENTICATED) for a token that is bad in any way or has expired."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                [self._algorithm],
                # Times are checked below, by the server's own clock; an audience concerns other backends.
                options={
                    "require": ["exp", "sub"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                },
            )
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise bad_token() from None
        return self._checked(claims)

    def _checked(self, claims: dict[str, Any]) -> Claims:
        subject, session_id = claims["sub"], claims.get("sid")
        if not isinstance(session_id, str | None):
            raise bad_token()
        if not (isinstance(subject, str) and subject.isascii() and subject.isdigit() and len(subject) <= 16):
            raise bad_token()
        expires_at = expires_at_of(claims, self._clock.now().timestamp())
        if not 0 < int(subject) <= ID_MAX:
            raise bad_token()
        own = claims.get("iss") == self._issuer or _is_of_a_store(claims)
        return Claims(int(subject), session_id, expires_at, own)


def expires_at_of(claims: Mapping[str, Any], now: float) -> float:
    """When a token expires that is good by its times and its `type`. `now` and the result are Unix times. Raises:
    `Refused` (UNAUTHENTICATED)."""
    expires_at, not_before = claims.get("exp"), claims.get("nbf", 0)
    # math.isfinite raises for an integer that is too large for a float.
    if type(expires_at) is not int and not (type(expires_at) is float and math.isfinite(expires_at)):
        raise bad_token()
    if claims.get("type", "access") != "access":
        raise bad_token()
    if not is_number(not_before) or not not_before <= now:
        raise bad_token()
    if expires_at <= now:
        raise Refused("unauthenticated", Ending.UNAUTHENTICATED, "the token has expired")
    return float(min(expires_at, _EXPIRES_MAX))


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a claim is a number, and no boolean. It may be infinite, or none at all (NaN)."""
    return type(value) in (int, float)


def bad_token() -> Refused:
    return Refused("unauthenticated", Ending.UNAUTHENTICATED, "the token is missing or bad")


def _is_of_a_store(claims: dict[str, Any]) -> bool:
    """Whether a store like this one has minted the token. A store that is restored from a backup has another id, and
    none of its sessions: without this a token of before would be one of another backend, which needs no session here,
    also if its session was ended, or its user has the id of a new one."""
    issuer = claims.get("iss")
    return claims.keys() == _OWN_CLAIMS and isinstance(issuer, str) and bool(_STORE_ID.fullmatch(issuer))


def new_secret() -> str:
    """A random string of 256 bits: the id of a session, or a refresh token."""
    return secrets.token_urlsafe(32)


def new_code() -> str:
    """A random string of 128 bits, short enough for a link: the code of an invite."""
    return secrets.token_urlsafe(16)


def hash_of(refresh_token: str) -> str:
    """What the store keeps of a refresh token. Its 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()
