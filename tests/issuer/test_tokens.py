"""Which tokens of an issuer are good: signature, times, issuer, audience, subject, and confusions of all of these."""

import json
from typing import Any

import pytest

from handlers.issuer.key_sources import FixedKeys
from handlers.issuer.keys import KeySet, read_key_set, read_public_key
from handlers.issuer.tokens import IssuerTokens
from handlers.wire.endings import Ending, Refused
from tests.clients.clock import ManualClock
from tests.issuer.provider import (
    AUDIENCE,
    ISSUER,
    claims_of,
    hmac_signed,
    jwk,
    part,
    pem,
    private_key,
    signed,
    token_of,
)

EC, RSA, ED = private_key("ES256"), private_key("RS256"), private_key("EdDSA")
KEYS = read_key_set(
    json.dumps({"keys": [jwk(EC, kid="one"), jwk(RSA, kid="rsa"), jwk(ED, kid="ed")]}).encode()
)


def tokens(keys: KeySet = KEYS, clock: ManualClock | None = None) -> IssuerTokens:
    return IssuerTokens(FixedKeys(keys), ISSUER, AUDIENCE, clock or ManualClock())


async def refusal(token: str, keys: KeySet = KEYS, clock: ManualClock | None = None) -> str:
    """Why a token is refused, by both ways of reading one."""
    reader = tokens(keys, clock)
    with pytest.raises(Refused) as refused:
        await reader.read(token)
    with pytest.raises(Refused):
        reader.verified(token)
    assert refused.value.ending is Ending.UNAUTHENTICATED
    return refused.value.message


@pytest.mark.parametrize(
    "algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
)
async def test_every_asymmetric_algorithm_comes_in(algorithm: str) -> None:
    key = private_key(algorithm)
    keys = read_key_set(json.dumps({"keys": [jwk(key, kid="k")]}).encode())
    token = token_of("ann", key=key, algorithm=algorithm, kid="k")
    assert tokens().is_one(token)
    read = await tokens(keys).read(token)
    assert (await tokens(read_public_key(pem(key))).read(token)) == read
    assert (
        await tokens(keys).read(token_of("ann", key=key, algorithm=algorithm, kid=None))
    ).person == read.person


async def test_what_a_token_says() -> None:
    clock = ManualClock()
    end = clock.now().timestamp() + 100.5
    read = await tokens(clock=clock).read(token_of("ann", exp=end, preferred_username="Ann", name="Ann Lee"))
    assert read.expires_at == end
    assert (read.person.username, read.person.name) == ("Ann", "Ann Lee")
    nameless = (await tokens().read(token_of("ann", preferred_username=5, name=["x"]))).person
    assert (nameless.username, nameless.name) == ("", "")
    assert nameless == read.person, "issuer and subject alone say who it is"
    assert (await tokens().read(token_of("Ann"))).person != read.person
    other = IssuerTokens(FixedKeys(KEYS), "https://other.example.org", AUDIENCE, clock)
    assert (await other.read(token_of("ann", iss="https://other.example.org"))).person != read.person


def claiming(**claims: Any) -> str:
    return token_of("ann", **claims)


def raw(claims: bytes) -> str:
    """A token with a good signature over any bytes."""
    return signed(claims, EC, "ES256", {"kid": "one"})


GOOD = json.dumps(claims_of("ann"))

BAD = {
    "another issuer": claiming(iss="https://evil.example.org/"),
    "an issuer with a slash less": claiming(iss=ISSUER.rstrip("/")),
    "an issuer in a list": claiming(iss=[ISSUER]),
    "no issuer": claiming(iss=None),
    "another audience": claiming(aud="mail"),
    "an audience in another case": claiming(aud="Chat"),
    "a list of other audiences": claiming(aud=["mail", "chat2"]),
    "an empty list of audiences": claiming(aud=[]),
    "an audience as the key of an object": claiming(aud={"chat": 1}),
    "an audience that begins with ours": claiming(aud="chats"),
    "no audience": claiming(aud=None),
    "no subject": claiming(sub=None),
    "a subject that is a number": raw(GOOD.replace('"ann"', "5").encode()),
    "a subject that is an object": raw(GOOD.replace('"ann"', '{"$gt":""}').encode()),
    "an empty subject": claiming(sub=""),
    "a subject of 256 characters": claiming(sub="x" * 256),
    "a subject with half a character": raw(GOOD.replace('"ann"', '"\\ud800"').encode()),
    "no exp": claiming(exp=None),
    "an exp that is a text": raw(GOOD.replace('"exp": ', '"exp": "x", "y": ').encode()),
    "an exp that is true": claiming(exp=True),
    "an exp without end": raw(GOOD.replace('"exp": ', '"exp": 1e999, "y": ').encode()),
    "an exp that is NaN": claiming(exp=float("nan")),
    "an nbf in an hour": claiming(nbf=ManualClock().unix_s() + 3600),
    "an nbf that is a text": raw(GOOD.replace('"exp": ', '"nbf": "0", "exp": ').encode()),
    "an nbf that is NaN": claiming(nbf=float("nan")),
    "an iat tomorrow": claiming(iat=int(ManualClock().unix_s()) + 86400),
    "an iat that is a text": raw(GOOD.replace('"iat": ', '"iat": "0", "y": ').encode()),
    "a token to refresh with": claiming(type="refresh"),
    "claims that are a list": raw(b"[]"),
    "claims that are no JSON": raw(b"{"),
    "claims nested deeply": raw(b"[" * 100_000),
    "another key's signature": token_of("ann", key=private_key("ES256", "other")),
    "a key of another kind under this kid": token_of("ann", key=RSA, algorithm="RS256", kid="one"),
    "EdDSA under the kid of EC": token_of("ann", key=ED, algorithm="EdDSA", kid="one"),
    "an unknown kid": token_of("ann", kid="two"),
    "no kid among three keys": token_of("ann", kid=None),
    "an empty kid": token_of("ann", kid=""),
    "a kid of a file": token_of("ann", key=private_key("ES256", "o"), kid="../../dev/null"),
    "jku": token_of("ann", key=private_key("ES256", "o"), headers={"jku": "https://evil.example.org/jwks"}),
    "x5u": token_of("ann", key=private_key("ES256", "o"), headers={"x5u": "https://evil.example.org/c.pem"}),
    "a key of its own": token_of(
        "ann", key=private_key("ES256", "o"), headers={"jwk": jwk(private_key("ES256", "o"), kid="one")}
    ),
    "crit": token_of("ann", headers={"crit": ["exp"], "exp": 1}),
    "crit of what nobody knows": token_of("ann", headers={"crit": ["x"], "x": 1}),
    "a signature in DER": f"{part({'alg': 'ES256', 'kid': 'one'})}.{part(claims_of('ann'))}.{part(b'0E')}",
    "a signature of zeros": f"{part({'alg': 'ES256', 'kid': 'one'})}.{part(claims_of('ann'))}.{part(bytes(64))}",
    "no signature": f"{part({'alg': 'ES256', 'kid': 'one'})}.{part(claims_of('ann'))}.",
    "two parts": ".".join(claiming().split(".")[:2]),
    "four parts": claiming() + ".x",
}  # fmt: skip


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
async def test_a_bad_token_is_refused(token: str) -> None:
    await refusal(token)


async def test_times_are_kept_to_the_moment() -> None:
    clock = ManualClock()
    now = clock.unix_s()
    token = token_of("ann", exp=now + 10, nbf=now + 5, iat=now + 5)
    assert await refusal(token, clock=clock) == "the token is missing or bad"
    clock.advance(5)
    await tokens(clock=clock).read(token)
    clock.advance(4.99)
    await tokens(clock=clock).read(token)
    clock.advance(0.01)
    assert await refusal(token, clock=clock) == "the token has expired"
    await tokens(clock=clock).read(token_of("ann", iat=clock.unix_s() + 50, exp=now + 1e6))


async def test_a_long_header_is_read_too() -> None:
    """Some issuers put the certificates of the key into it, which nobody looks at."""
    await tokens().read(token_of("ann", headers={"x5c": ["A" * 2000], "x5t": "x"}))


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["mail", AUDIENCE], ["mail", AUDIENCE, 5]])
async def test_an_audience_may_be_one_of_a_list(audience: Any) -> None:
    await tokens().read(claiming(aud=audience))


SECRETS = {
    "the PEM of the key": pem(RSA),
    "the PEM without its last line end": pem(RSA).rstrip(),
    "the modulus": jwk(RSA)["n"].encode(),
    "the JWK": json.dumps(jwk(RSA)).encode(),
    "nothing": b"",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "ES256", "none", "hs256"])
async def test_a_public_key_is_no_secret(algorithm: str, secret: bytes) -> None:
    token = hmac_signed({"alg": algorithm, "kid": "rsa"}, claims_of("ann"), secret)
    for keys in (KEYS, read_public_key(pem(RSA))):
        await refusal(token, keys)


@pytest.mark.parametrize(
    "algorithm", ["HS256", "HS384", "HS512", "none", "None", "", "RS1", "ES256K", 5, None, ["RS256"]]
)
def test_what_is_not_signed_with_a_private_key_is_none_of_them(algorithm: Any) -> None:
    assert not tokens().is_one(hmac_signed({"alg": algorithm, "kid": "rsa"}, claims_of("ann"), b"x" * 32))


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "eyJ.x.y", "\ud800", "ü.ü.ü", "." * 50_000, "a" * 200_000]
)
async def test_what_is_no_token_is_refused(token: str) -> None:
    assert not tokens().is_one(token)
    await refusal(token)
