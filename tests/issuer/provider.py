"""A small identity provider: it signs tokens, and serves the set of its public keys."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import jwt
from aiohttp import web
from aiohttp.typedefs import Handler
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.clients.people import Person

ISSUER = "https://login.example.org/"
AUDIENCE = "chat"

CURVES: dict[str, Any] = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


@cache
def private_key(algorithm: str, name: str = "") -> Any:
    """A key that signs with this algorithm; another one for another name. RSA keys take a while to make, so each is
    made once in a process."""
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm]())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == "Ed448":
        return ed448.Ed448PrivateKey.generate()
    return rsa.generate_private_key(65537, int(name) if name.isdigit() else 2048)


def pem(key: Any) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def jwk(key: Any, **more: Any) -> dict[str, Any]:
    """The public part of a private key, with the fields that are given; None: without it."""
    public = key.public_key()
    algorithm: Any = OKPAlgorithm
    if isinstance(public, rsa.RSAPublicKey):
        algorithm = RSAAlgorithm
    elif isinstance(public, ec.EllipticCurvePublicKey):
        algorithm = ECAlgorithm
    fields = algorithm.to_jwk(public, as_dict=True) | more
    return {name: value for name, value in fields.items() if value is not None}


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def hmac_signed(header: Any, claims: Any, secret: bytes) -> str:
    """A token with an HMAC under any secret, whatever its header says."""
    said = f"{part(header)}.{part(claims)}"
    return f"{said}.{part(hmac.digest(secret, said.encode(), 'sha256'))}"


def claims_of(subject: str, **more: Any) -> dict[str, Any]:
    """The claims of a good token, with those that are given; None: without it."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 3600, **more}
    return {name: value for name, value in good.items() if value is not None}


def token_of(
    subject: str,
    *,
    key: Any = None,
    algorithm: str = "ES256",
    kid: str | None = "one",
    headers: Mapping[str, Any] | None = None,
    **more: Any,
) -> str:
    """A token of this person, under the key `one` of the provider if none is given."""
    head = {**({} if kid is None else {"kid": kid}), **(headers or {})}
    return signed(
        json.dumps(claims_of(subject, **more)).encode(), key or private_key(algorithm), algorithm, head
    )


def signed(claims: bytes, key: Any, algorithm: str, headers: Mapping[str, Any]) -> str:
    """A token over any bytes; PyJWT itself would refuse to encode some claims."""
    return jwt.PyJWS().encode(claims, key, algorithm, headers=dict(headers))


class Provider:
    """Serves `keys` at `url`, in the way that `answer` says; `asked` counts the requests."""

    def __init__(self) -> None:
        self.keys: list[Any] = [jwk(private_key("ES256"), kid="one", alg="ES256", use="sig")]
        self.answer: Handler | None = None
        """What answers requests otherwise than with the keys."""
        self.asked = 0
        self.open = asyncio.Event()
        """While it is not set, nothing is answered."""
        self.open.set()
        self.url = ""
        self.paths: set[str] = set()
        """All that were asked for."""

    def settings(self, **more: Any) -> dict[str, Any]:
        """What a server is started with that takes the tokens."""
        settings = {
            "jwks_url": self.url,
            "jwt_issuer": ISSUER,
            "jwt_audience": AUDIENCE,
            "jwt_create_users": True,
        }
        return settings | more

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        self.paths.add(request.path)
        await self.open.wait()
        if self.answer is not None:
            return await self.answer(request)
        return web.json_response({"keys": self.keys})


@asynccontextmanager
async def provider_running() -> AsyncIterator[Provider]:
    provider = Provider()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", provider.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}/jwks.json"
    try:
        yield provider
    finally:
        provider.open.set()
        await runner.cleanup()


def person_of(server: Any, subject: str = "ann", **claims: Any) -> Person:
    """Somebody who comes with a token of the provider. Nothing is known of them here before its first use."""
    person = Person(server.http, server.url, server.ws_url, subject, server.wire)
    person.token = token_of(subject, **{"preferred_username": subject, **claims})
    server._people.append(person)
    return person


async def known_person(server: Any, subject: str = "ann", **claims: Any) -> Person:
    """As `person_of`, after their first request, with the id that they have here."""
    person = person_of(server, subject, **claims)
    person.id = (await person.get("/users/me"))["id"]
    return person
