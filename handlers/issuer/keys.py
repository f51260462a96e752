"""The public keys of an issuer, from a JWK set (RFC 7517) or a PEM file."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from jwt import PyJWTError
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from domain.frozen import frozen

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey

RSA_BITS_MIN, RSA_BITS_MAX = 2048, 8192
"""A signature under a key of 8,192 bits takes 0.5 ms to verify, and eight times as long for each doubling."""

KEYS_MAX = 100

SAME_KID_MAX = 4
"""How many keys of a set may have one `kid`: each of them is tried."""

_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES: Mapping[str, str] = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_EDDSA = "EdDSA"

ALGORITHMS = _RSA | {*_CURVES.values(), _EDDSA}
"""Those that issuers sign with. None works with a secret, and none of `server.config`'s ALGORITHM is among them."""

_PARTS: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "RSA": (RSAAlgorithm, ("n", "e")),
    "EC": (ECAlgorithm, ("crv", "x", "y")),
    "OKP": (OKPAlgorithm, ("crv", "x")),
}
"""By `kty`: who reads the key, and from which fields. What else a JWK has of its key is private."""


class BadKeys(ValueError):
    """What was read is no key, or no set of keys. The text says why, in half a sentence."""


@frozen
class Key:
    """A public key, and the algorithms that it serves: never one of another kind of key."""

    public: PublicKey
    algorithms: frozenset[str]


class KeySet:
    """Keys by `kid`. `any_kid`: there is one key, and it serves tokens whatever `kid` they name."""

    def __init__(self, keys: Iterable[tuple[str | None, Key]], *, any_kid: bool = False) -> None:
        self._all = tuple(keys)
        self._any_kid = any_kid
        self.kids = frozenset(kid for kid, _ in self._all if kid is not None)

    def __len__(self) -> int:
        return len(self._all)

    def knows(self, kid: str | None) -> bool:
        """Whether another look at the issuer would not bring a key for this `kid`. None: the token names none."""
        return kid is None or self._any_kid or kid in self.kids

    def find(self, kid: str | None, algorithm: str) -> Sequence[PublicKey]:
        """The keys that may have signed a token with this header; without a `kid` only if there is but one key."""
        if kid is None or self._any_kid:
            found = [key for _, key in self._all] if len(self._all) == 1 else []
        else:
            found = [key for key_id, key in self._all if key_id == kid][:SAME_KID_MAX]
        return [key.public for key in found if algorithm in key.algorithms]


def read_key_set(text: bytes) -> KeySet:
    """The keys of a JWK set that are there to verify signatures with. Passes over secrets, private keys, keys for
    encryption, weak ones, and kinds that are not known. Raises: `BadKeys` for what is no JWK set."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadKeys("it is no JSON") from None
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise BadKeys("it is no set of keys")
    if len(keys) > KEYS_MAX:
        raise BadKeys(f"it has more than {KEYS_MAX} keys")
    read = [(jwk.get("kid"), _key_of(jwk)) for jwk in keys if isinstance(jwk, dict)]
    return KeySet([(kid, key) for kid, key in read if key is not None and isinstance(kid, str | None)])


def _key_of(jwk: Mapping[str, Any]) -> Key | None:
    """The key; None if it is not one to verify signatures with."""
    kind = jwk.get("kty")
    if not isinstance(kind, str) or kind not in _PARTS or "d" in jwk or not _is_for_signatures(jwk):
        return None
    reader, parts = _PARTS[kind]
    if not all(isinstance(jwk.get(part), str) for part in parts):
        return None
    try:
        public = reader.from_jwk({"kty": kind, **{part: jwk[part] for part in parts}})
        key = _checked(public)
    except (PyJWTError, ValueError, TypeError):
        return None
    algorithms = key.algorithms & {jwk["alg"]} if isinstance(jwk.get("alg"), str) else key.algorithms
    return Key(key.public, algorithms) if algorithms else None


def _is_for_signatures(jwk: Mapping[str, Any]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def read_public_key(text: bytes) -> KeySet:
    """The key in a PEM file: a public key, or the certificate of one. It serves tokens with any `kid`. Raises:
    `BadKeys`."""
    if b"PRIVATE KEY-----" in text:
        raise BadKeys(
            "it holds a private key; put the public one there, and the private one nowhere but at its owner"
        )
    if text.count(b"-----BEGIN ") > 1:
        raise BadKeys("it holds more than one key; for several use JWKS_URL")
    try:
        if b"-----BEGIN CERTIFICATE-----" in text:
            public: Any = load_pem_x509_certificate(text).public_key()
        else:
            public = load_pem_public_key(text)
    except (
        Exception
    ):  # of cryptography: ValueError and UnsupportedAlgorithm, and what its parsers raise besides
        raise BadKeys("it is no public key in PEM") from None
    return KeySet([(None, _checked(public))], any_kid=True)


def _checked(public: Any) -> Key:
    """Raises: `BadKeys` for a kind of key that signs no tokens, and for one that is too weak."""
    if not isinstance(public, get_args(PublicKey)):
        raise BadKeys("it is neither an RSA, an EC nor an Ed25519 key")
    if isinstance(public, rsa.RSAPublicKey):
        if not RSA_BITS_MIN <= public.key_size <= RSA_BITS_MAX:
            raise BadKeys(f"an RSA key must have {RSA_BITS_MIN} to {RSA_BITS_MAX} bits")
        return Key(public, _RSA)
    if isinstance(public, ec.EllipticCurvePublicKey):
        algorithm = _CURVES.get(public.curve.name)
        if algorithm is None:
            raise BadKeys("the curve must be P-256, P-384 or P-521")
        return Key(public, frozenset({algorithm}))
    return Key(public, frozenset({_EDDSA}))
