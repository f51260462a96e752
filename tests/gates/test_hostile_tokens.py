"""Malformed and forged tokens are refused at every gate, without an internal error."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.clients.shapes import assert_error
from tests.conftest import SECRET, Serve, Server
from tests.engine.peers import Peer

pytestmark = pytest.mark.stores("sqlite")

PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----"
ALGORITHMS = ("none", "None", "NONE", "hs256", "RS256", "ES256", "PS256", "EdDSA", "")
CLAIMS = {"sub": "1", "exp": int(time.time()) + 3600}


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(header: Any, claims: Any = CLAIMS, key: str = SECRET, digest: str = "sha256") -> str:
    """A token with a valid HMAC over any header and claims."""
    said = f"{part(header)}.{part(claims)}"
    return f"{said}.{part(hmac.digest(key.encode(), said.encode(), digest))}"


def claiming(**claims: Any) -> str:
    return signed({"alg": "HS256", "typ": "JWT"}, {**CLAIMS, **claims})


TOKENS = {
    **{f"alg {name}": signed({"alg": name}) for name in ALGORITHMS},
    "alg none without a signature": f"{part({'alg': 'none'})}.{part(CLAIMS)}.",
    "alg HS512 of the same key": signed({"alg": "HS512"}, digest="sha512"),
    "alg HS384 of the same key": signed({"alg": "HS384"}, digest="sha384"),
    "alg HS256 with the digest of HS512": signed({"alg": "HS256"}, digest="sha512"),
    "alg missing": signed({"typ": "JWT"}),
    "alg a list": signed({"alg": ["HS256"]}),
    "alg null": signed({"alg": None}),
    "a public key as the secret": signed({"alg": "HS256"}, key=PUBLIC_KEY),
    "an empty key": signed({"alg": "HS256"}, key=""),
    "a header that is a list": signed([]),
    "a header that is no JSON": signed(b"{"),
    "claims that are a list": signed({"alg": "HS256"}, []),
    "claims that are no JSON": signed({"alg": "HS256"}, b"\xff"),
    "an unknown critical header": signed({"alg": "HS256", "crit": ["x"], "x": 1}),
    "an unencoded payload": signed({"alg": "HS256", "crit": ["b64"], "b64": False}),
    "a kid that is no string": signed({"alg": "HS256", "kid": {"$ne": 1}}),
    "claims nested deeply": signed({"alg": "HS256"}, b"[" * 2000 + b"]" * 2000),
    "an exp with thousands of digits": signed({"alg": "HS256"}, b'{"sub":"1","exp":1' + b"0" * 2000 + b"}") + "x",
    "an exp that is a bomb": signed({"alg": "HS256"}, b'{"sub":"1","exp":1e999}'),
    "an exp that is NaN": claiming(exp=float("nan")),
    "an nbf that is NaN": claiming(nbf=float("nan")),
    "a sub of another kind": claiming(sub={"$gt": ""}),
    "a sid of another kind": claiming(sid={"$ne": None}),
    "a type of another kind": claiming(type=["access"]),
    "four parts": claiming() + ".x",
    "an added newline": claiming() + "%0A",
    "a signature in another alphabet": claiming().replace(".", ".+/", 2),
    "a huge one": "a" * 7000,
}  # fmt: skip


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS.keys())
async def test_a_hostile_token_is_refused_at_every_gate_and_breaks_none(serve: Serve, token: str) -> None:
    server = await serve()
    ann = await server.person("ann")
    client = await ann.connect()
    with capture_logs() as lines:
        assert await (await server.open(token)).closed() == 4401
        assert_error(
            await server.stranger().request("GET", "/users/me", headers={"Authorization": f"Bearer {token}"}),
            401,
            "unauthenticated",
        )
        error = await client.command("refresh_token", token=token)
        assert error["code"] == "unauthenticated"
        peer = Peer(server.http, f"{server.url}/socket.io/")
        socket = await peer.direct()
        await socket.send("40" + json.dumps({"token": token}))
        refusal = str(await socket.receive())
        assert refusal.startswith("44")
        assert json.loads(refusal[2:])["data"]["close_code"] == 4401
        await socket.ws.close()
    assert [line for line in lines if line["log_level"] in ("error", "critical")] == []
    assert token not in str(lines)
    await client.nothing_more()


@pytest.mark.parametrize(
    "header", [{"kid": "../../dev/null"}, {"jku": "http://evil.example.org"}, {"typ": "x"}]
)
async def test_a_header_that_points_elsewhere_points_nowhere(serve: Serve, header: dict[str, str]) -> None:
    server = await serve()
    ann = await server.person("ann")
    ann.token = signed({"alg": "HS256", **header})
    await ann.connect()
    ann.token = signed({"alg": "HS256", **header}, key="")
    assert await (await ann.open()).closed() == 4401


async def test_an_exp_beyond_all_times_is_far_away(serve: Serve) -> None:
    server = await serve()
    ann = await server.person("ann")
    ann.token = signed({"alg": "HS256"}, b'{"sub":"1","exp":1' + b"0" * 400 + b"}")
    await ann.connect()
    assert (await ann.get("/users/me"))["id"] == ann.id


async def test_tokens_of_many_kilobytes_are_refused_in_band(serve: Serve) -> None:
    server: Server = await serve()
    ann = await server.person("ann")
    client = await ann.connect()
    head = hashlib.sha256(b"").hexdigest()
    for token in (head * 1900, (head + ".") * 1800, claiming(pad="x" * 80_000)[:-1]):
        assert (await client.command("refresh_token", token=token))["code"] == "unauthenticated"
    await client.done("refresh_token", token=claiming(pad="x" * 80_000))
