"""Access tokens of an issuer: JWTs under its private keys."""

import hashlib
from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache
from typing import Any

import jwt
from jwt.types import Options

from domain.frozen import frozen
from handlers.issuer.key_sources import KeySource
from handlers.issuer.keys import ALGORITHMS
from handlers.live.clock import Clock
from handlers.live.tokens import bad_token, expires_at_of, is_number
from handlers.wire.json import is_unicode

SUBJECT_CHARS_MAX = 255
"""OpenID Connect allows no longer `sub`."""

NAME_CHARS_MAX = 200
"""Of the names in a token no more is looked at, and kept in memory."""

KEPT_HEADER_CHARS_MAX = 512

ISSUED_AHEAD_S = 60.0
"""How far ahead `iat` may be. It decides nothing, and a clock that is a second ahead is to lock nobody out."""

_UNVERIFIED: Options = {"verify_signature": False}

_SIGNATURE_ALONE: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
"""What the claims say is checked here, by the server's own clock."""


@frozen
class Person:
    """Who an issuer says a token is of. `key` is a hash of issuer and subject, and alone says whether two are the same;
    the names are empty where the token has none."""

    key: str
    username: str = field(compare=False)
    name: str = field(compare=False)


@frozen
class IssuerClaims:
    """What a token of an issuer says. `expires_at` is Unix time."""

    person: Person
    expires_at: float


class IssuerTokens:
    """Reads the tokens of one issuer for one audience."""

    def __init__(self, keys: KeySource, issuer: str, audience: str, clock: Clock) -> None:
        self.keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    def is_one(self, token: str) -> bool:
        """Whether a token says that a private key has signed it; then no secret may verify it. It may be bad in any
        way."""
        return _header_of(token).get("alg") in ALGORITHMS

    def claimed(self, token: str) -> IssuerClaims:
        """What a token says, whoever has signed it. Raises: `Refused` (UNAUTHENTICATED) for one that is bad whatever
        its signature is."""
        try:
            return self._checked(jwt.decode(token, options=_UNVERIFIED))
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise bad_token() from None

    def verified(self, token: str) -> IssuerClaims:
        """What a token says that one of the known keys has signed. Raises: `Refused` (UNAUTHENTICATED)."""
        header = _header_of(token)
        algorithm = header.get("alg", "")
        for key in self.keys.find(header.get("kid"), algorithm):
            try:
                claims = jwt.decode(token, key, [algorithm], options=_SIGNATURE_ALONE)
            except (jwt.PyJWTError, ValueError, RecursionError):
                continue
            return self._checked(claims)
        raise bad_token()

    async def read(self, token: str) -> IssuerClaims:
        """`verified`, after a look for new keys if the token names one that is not known. Raises: `Refused`."""
        self.claimed(token)  # a token that is bad for another reason leads to no fetch
        await self.keys.look_for(_header_of(token).get("kid"))
        return self.verified(token)

    def _checked(self, claims: Mapping[str, Any]) -> IssuerClaims:
        now = self._clock.now().timestamp()
        expires_at = expires_at_of(claims, now)
        issued_at = claims.get("iat", 0)
        if not is_number(issued_at) or not issued_at <= now + ISSUED_AHEAD_S:
            raise bad_token()
        if claims.get("iss") != self._issuer or not _is_for(self._audience, claims.get("aud")):
            raise bad_token()
        subject = claims.get("sub")
        if (
            not isinstance(subject, str)
            or not 0 < len(subject) <= SUBJECT_CHARS_MAX
            or not is_unicode(subject)
        ):
            raise bad_token()
        person = Person(
            hashlib.sha256(f"{self._issuer}\0{subject}".encode()).hexdigest(),
            _text(claims.get("preferred_username")),
            _text(claims.get("name")),
        )
        return IssuerClaims(person, expires_at)


def _header_of(token: str) -> Mapping[str, Any]:
    """The header of a token; empty if there is none that can be read, or it asks for what nobody here knows."""
    segment = token.partition(".")[0]
    return _kept_header(segment) if len(segment) <= KEPT_HEADER_CHARS_MAX else _read_header(segment)


def _read_header(segment: str) -> Mapping[str, Any]:
    try:
        header = jwt.get_unverified_header(f"{segment}..")
    except (jwt.PyJWTError, ValueError, RecursionError):
        return {}
    is_plain = "crit" not in header and header.get("b64", True) is True
    return header if is_plain and isinstance(header.get("alg"), str) else {}


_kept_header = lru_cache(maxsize=64)(_read_header)
"""All tokens under one key have the same header, and it is read several times for each request."""


def _is_for(audience: str, named: object) -> bool:
    return named == audience or (isinstance(named, list) and audience in named)


def _text(value: object) -> str:
    return value[:NAME_CHARS_MAX] if isinstance(value, str) else ""
