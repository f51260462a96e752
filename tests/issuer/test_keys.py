"""Which keys are taken from a JWK set or a PEM file, and for which algorithms."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, x25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from handlers.issuer.keys import ALGORITHMS, BadKeys, KeySet, read_key_set, read_public_key
from tests.issuer.provider import jwk, pem, private_key

RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
KINDS = {
    "RS256": RSA,
    "ES256": {"ES256"},
    "ES384": {"ES384"},
    "ES512": {"ES512"},
    "EdDSA": {"EdDSA"},
    "Ed448": {"EdDSA"},
}


def keys_of(*jwks: Any) -> KeySet:
    return read_key_set(json.dumps({"keys": jwks}).encode())


def serves(keys: KeySet, kid: str | None = "k") -> set[str]:
    return {one for one in ALGORITHMS if keys.find(kid, one)}


@pytest.mark.parametrize(("made_for", "algorithms"), KINDS.items())
def test_a_key_serves_the_algorithms_of_its_kind_and_no_other(made_for: str, algorithms: set[str]) -> None:
    key = private_key(made_for)
    assert serves(keys_of(jwk(key, kid="k"))) == algorithms
    assert serves(read_public_key(pem(key)), "any") == algorithms


def test_a_key_that_names_an_algorithm_serves_that_alone() -> None:
    key = private_key("RS256")
    assert serves(keys_of(jwk(key, kid="k", alg="PS256"))) == {"PS256"}
    assert serves(keys_of(jwk(key, kid="k", alg="ES256"))) == set()


PASSED_OVER: dict[str, Any] = {
    "a secret": {"kty": "oct", "kid": "k", "k": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldA", "alg": "HS256"},
    "a secret for RS256": {"kty": "oct", "kid": "k", "k": "c2VjcmV0", "alg": "RS256"},
    "an RSA key that says HS256": jwk(private_key("RS256"), kid="k", alg="HS256"),
    "an RSA key that says none": jwk(private_key("RS256"), kid="k", alg="none"),
    "a key for encryption": jwk(private_key("RS256"), kid="k", use="enc"),
    "a key with a use of another kind": jwk(private_key("RS256"), kid="k", use=["sig"]),
    "a key that signs only": jwk(private_key("RS256"), kid="k", key_ops=["sign"]),
    "key_ops of another kind": jwk(private_key("RS256"), kid="k", key_ops="verify"),
    "a private key": {**jwk(private_key("ES256"), kid="k"), "d": "AAAA"},
    "a weak RSA key": jwk(private_key("RS256", "1024"), kid="k"),
    "an RSA exponent of 1": {**jwk(private_key("RS256"), kid="k"), "e": "AQ"},
    "a modulus that is no base64": {**jwk(private_key("RS256"), kid="k"), "n": "ü!"},
    "a modulus that is a number": {**jwk(private_key("RS256"), kid="k"), "n": 5},
    "an enormous modulus": {**jwk(private_key("RS256"), kid="k"), "n": "_" + "A" * 100_000},
    "a point that is on no curve": {**jwk(private_key("ES256"), kid="k"), "x": jwk(private_key("ES256", "x"))["x"]},
    "a curve that is of another key": {**jwk(private_key("ES256"), kid="k"), "crv": "P-384"},
    "secp256k1": jwk(ec.generate_private_key(ec.SECP256K1()), kid="k"),
    "a curve that nobody knows": {"kty": "EC", "kid": "k", "crv": "P-1", "x": "AA", "y": "AA"},
    "a key for exchanges": {"kty": "OKP", "kid": "k", "crv": "X25519", "x": "A" * 43},
    "a kind that nobody knows": {"kty": "AKP", "kid": "k"},
    "a kind of another kind": {"kty": ["RSA"], "kid": "k"},
    "nothing": {},
    "a text": "k",
    "null": None,
    "a kid of another kind": jwk(private_key("ES256"), kid=5),
}  # fmt: skip


@pytest.mark.parametrize("passed_over", PASSED_OVER.values(), ids=PASSED_OVER.keys())
def test_what_is_no_key_for_signatures_is_passed_over_and_the_others_are_read(passed_over: Any) -> None:
    keys = keys_of(passed_over, jwk(private_key("EdDSA"), kid="good"))
    assert len(keys) == 1
    assert serves(keys) == set()
    assert serves(keys, "good") == {"EdDSA"}
    assert serves(keys, None) == {"EdDSA"}, "it is the only one"


NO_SET = [
    *(
        b"",
        b"{",
        b"[]",
        b"null",
        b"5",
        b'"keys"',
        b"{}",
        b'{"keys":{}}',
        b'{"keys":null}',
        b"<html>",
        b"\xff\xfe{}",
    ),
    *(b"[" * 100_000, json.dumps({"keys": [{}] * 101}).encode()),
]


@pytest.mark.parametrize("text", NO_SET, ids=lambda text: repr(text[:20]))
def test_what_is_no_key_set_is_none(text: bytes) -> None:
    with pytest.raises(BadKeys):
        read_key_set(text)


def test_a_set_without_keys_is_a_set() -> None:
    assert len(read_key_set(b'{"keys":[]}')) == 0


def test_a_token_without_a_kid_is_of_the_only_key_and_of_none_among_two() -> None:
    one, two = jwk(private_key("ES256"), kid="one"), jwk(private_key("RS256"), kid="two")
    assert serves(keys_of(one), None) == {"ES256"}
    assert serves(keys_of(jwk(private_key("ES256"))), None) == {"ES256"}
    assert serves(keys_of(one, two), None) == set()
    assert serves(keys_of(jwk(private_key("ES256"))), "one") == set(), "the key has no kid"


def test_of_keys_with_one_kid_each_is_tried_a_few_at_most() -> None:
    keys = keys_of(
        jwk(private_key("ES256"), kid="k"),
        jwk(private_key("ES256", "second"), kid="k"),
        jwk(private_key("RS256"), kid="k"),
    )
    assert len(keys.find("k", "ES256")) == 2
    assert len(keys.find("k", "RS256")) == 1
    many = keys_of(*(jwk(private_key("ES256"), kid="k") for _ in range(50)))
    assert len(many.find("k", "ES256")) == 4


def test_a_certificate_is_read_as_its_key() -> None:
    key, name = private_key("ES256"), x509.Name([])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    ).sign(key, SHA256())
    keys = read_public_key(certificate.public_bytes(Encoding.PEM))
    assert serves(keys, "whatever") == {"ES256"}


PRIVATE = private_key("ES256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "no public key"),
        (b"secret", "no public key"),
        (b"\x00\xff", "no public key"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no public key"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no public key"),
        (PRIVATE, "a private key"),
        (pem(private_key("ES256")) * 2, "more than one"),
        (pem(private_key("RS256", "1024")), "2048"),
        (pem(ec.generate_private_key(ec.SECP256K1())), "curve"),
        (pem(x25519.X25519PrivateKey.generate()), "neither"),
        (pem(dsa.generate_private_key(1024)), "neither"),
    ],
)
def test_a_file_that_is_no_public_key_for_tokens_says_why(text: bytes, says: str) -> None:
    with pytest.raises(BadKeys, match=says):
        read_public_key(text)
