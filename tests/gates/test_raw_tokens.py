"""Tokens at the raw gate: how they are sent, which are accepted, and the close codes for the others."""

import base64
import json
import time
from typing import Any

import jwt
import pytest

from tests.clients.clock import ManualClock
from tests.clients.shapes import assert_error
from tests.conftest import SECRET, Serve, Server


def mint(key: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """A token as another backend with the same key makes it; claims that are None are left out."""
    claims = {"sub": "1", "exp": int(time.time()) + 3600, **claims}
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None}, key, algorithm=algorithm
    )


def unsigned(**claims: Any) -> str:
    """A token with the algorithm `none`."""
    parts = ({"alg": "none", "typ": "JWT"}, {"sub": "1", "exp": int(time.time()) + 3600, **claims})
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        + "."
    )


GOOD = {
    "minted elsewhere": {},
    "with a type": {"type": "access"},
    "with an audience": {"aud": "chat"},
    "with an issuer": {"iss": "us", "iat": 0},
    "with a fraction in exp": {"exp": time.time() + 3600.5},
    "with a far exp": {"exp": 10**12},
    "with a session of its own": {"sid": "theirs"},
    "with more claims": {"email": "ann@example.org", "scopes": ["a"]},
}
BAD = {
    "nothing": "",
    "garbage": "garbage",
    "dots": "..",
    "three parts": "a.b.c",
    "another key": mint("another key that is long enough for it"),
    "another algorithm": mint(algorithm="HS512"),
    "no algorithm": unsigned(),
    "no exp": mint(exp=None),
    "no sub": mint(sub=None),
    "an expired one": mint(exp=int(time.time()) - 1),
    "one expired long ago": mint(exp=0),
    "an exp that is no number": mint(exp="tomorrow"),
    "an infinite exp": mint(exp=float("inf")),
    "an exp that is true": mint(exp=True),
    "a sub that is no user": mint(sub="99"),
    "a sub of zero": mint(sub="0"),
    "a negative sub": mint(sub="-1"),
    "a sub beyond all ids": mint(sub=str(2**53)),
    "a sub that is a name": mint(sub="ann"),
    "a sub with a space": mint(sub="1 "),
    "an empty sub": mint(sub=""),
    "a sub that is an integer": mint(sub=1),
    "a sub in other digits": mint(sub="١"),
    "a refresh token": mint(type="refresh"),
    "a type that is no string": mint(type=7),
    "a type that is empty": mint(type=""),
    "a session that is no string": mint(sid=7),
    "one not valid yet": mint(nbf=int(time.time()) + 3600),
}


@pytest.mark.parametrize("claims", GOOD.values(), ids=GOOD.keys())
async def test_a_token_of_another_backend_with_the_same_key_is_as_good_as_ours(
    server: Server, claims: dict[str, Any]
) -> None:
    ann = await server.person("ann")
    ann.token = mint(**claims)
    client = await ann.connect()
    await client.nothing_more()
    assert (await ann.get("/users/me"))["id"] == ann.id


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
async def test_a_bad_token_is_4401_before_any_other_frame_and_401_over_rest(
    server: Server, token: str
) -> None:
    ann = await server.person("ann")
    client = await server.open(token)
    assert await client.closed() == 4401
    with pytest.raises(ConnectionError):
        await client.next()
    ann.token = token
    assert_error(await ann.request("GET", "/users/me"), 401, "unauthenticated")


async def test_no_token_at_all_is_4401(server: Server) -> None:
    assert await (await server.open()).closed() == 4401
    assert_error(await server.stranger().request("GET", "/users/me"), 401, "unauthenticated")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_only_the_algorithm_that_is_set_is_taken(serve: Serve, algorithm: str) -> None:
    server = await serve(algorithm=algorithm)
    ann = await server.person("ann")
    assert jwt.get_unverified_header(str(ann.token))["alg"] == algorithm
    await ann.connect()
    assert await (await server.open(mint())).closed() == 4401


async def test_the_token_goes_in_a_header_too(server: Server) -> None:
    ann = await server.person("ann")
    for scheme in ("Bearer", "bearer"):
        client = await server.open(headers={"Authorization": f"{scheme} {ann.token}"})
        assert (await client.next())["user_id"] == ann.id
    assert await (await server.open(headers={"Authorization": f"Basic {ann.token}"})).closed() == 4401


async def test_the_token_goes_as_a_subprotocol_too(server: Server) -> None:
    ann = await server.person("ann")
    client = await server.open(protocols=("bearer", str(ann.token)))
    assert (await client.next())["user_id"] == ann.id
    assert client.socket.protocol == "bearer"
    assert await (await server.open(protocols=("bearer",))).closed() == 4401
    assert await (await server.open(protocols=("bearer", "garbage"))).closed() == 4401


async def test_the_token_in_the_query_goes_first(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    client = await server.open(ann.token, headers={"Authorization": f"Bearer {bob.token}"})
    assert (await client.next())["user_id"] == ann.id


async def test_a_session_that_ended_is_4403(server: Server) -> None:
    ann = await server.person("ann")
    await ann.request("POST", "/auth/logout")
    client = await ann.open()
    assert await client.closed() == 4403
    with pytest.raises(ConnectionError):
        await client.next()


async def test_a_token_of_another_user_with_a_session_of_somebody_is_4401(server: Server) -> None:
    ann, _ = await server.people("ann", "bob")
    session_id = jwt.decode(str(ann.token), options={"verify_signature": False})["sid"]
    assert await (await server.open(mint(sub="2", sid=session_id))).closed() == 4401
    assert (await (await server.open(mint(sub="1", sid=session_id))).next())["type"] == "connected"


async def test_a_token_without_a_session_outlives_logout_and_ends_with_its_exp(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann = await server.person("ann")
    ann.token = mint(exp=int(time.time()) + 3600)
    client = await ann.connect()
    assert await ann.request("POST", "/auth/logout") == (204, None)
    await client.nothing_more()
    server.clock.advance(3600 - 30)
    assert (await client.next())["type"] == "token_expiring"
    server.clock.advance(31)
    assert await client.closed() == 4401


async def test_our_tokens_say_what_the_contract_names(server: Server) -> None:
    ann = await server.person("ann")
    claims = jwt.decode(str(ann.token), SECRET, algorithms=["HS256"])
    assert claims.keys() >= {"sub", "exp", "sid"}
    assert (claims["sub"], claims["type"]) == (str(ann.id), "access")
