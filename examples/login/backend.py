"""A backend with its own login, whose people Vestnik takes.

Run it, and the chat server beside it:

    pip install aiohttp 'pyjwt[crypto]'
    python backend.py

    JWKS_URL=http://127.0.0.1:9000/jwks.json JWT_ISSUER=http://127.0.0.1:9000 JWT_AUDIENCE=vestnik \
    JWT_CREATE_USERS=on vestnik

PORT is another port, KEY_FILE another place of the private key, which is made at the first start.
"""

import hmac
import os
import secrets
import time
from pathlib import Path

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

PEOPLE = {"ann": "correct horse battery", "bob": "correct horse battery"}  # yours are in your database
NAMES = {"ann": "Ann Lee", "bob": "Bob"}
TOKEN_S = 15 * 60

PORT = int(os.environ.get("PORT", "9000"))
ISSUER = f"http://127.0.0.1:{PORT}"
KEY_FILE = Path(os.environ.get("KEY_FILE", "private.pem"))


def private_key() -> ec.EllipticCurvePrivateKey:
    """The key that signs the tokens. It stays here; Vestnik gets the public one."""
    if not KEY_FILE.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        KEY_FILE.touch(mode=0o600)
        KEY_FILE.write_bytes(pem)
    found = serialization.load_pem_private_key(KEY_FILE.read_bytes(), None)
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    return found


KEY = private_key()
PUBLIC = ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
KID = PUBLIC["x"][:16]  # another key, another kid

sessions: dict[str, str] = {}
"""Who is logged in, by the cookie. Your backend has this already."""

routes = web.RouteTableDef()


@routes.get("/jwks.json")
async def keys(_request: web.Request) -> web.Response:
    return web.json_response({"keys": [{**PUBLIC, "kid": KID, "alg": "ES256", "use": "sig"}]})


@routes.post("/login")
async def log_in(request: web.Request) -> web.Response:
    given = await request.json()
    username, password = str(given.get("username")), str(given.get("password"))
    if not hmac.compare_digest(PEOPLE.get(username, "").encode(), password.encode()) or not password:
        raise web.HTTPUnauthorized
    cookie = secrets.token_urlsafe()
    sessions[cookie] = username
    answer = web.Response(status=204)
    answer.set_cookie("session", cookie, httponly=True, samesite="Lax")
    return answer


@routes.post("/chat-token")
async def chat_token(request: web.Request) -> web.Response:
    """The one call that your backend gets for the chat: a token for whoever is logged in."""
    username = sessions.get(request.cookies.get("session", ""))
    if username is None:
        raise web.HTTPUnauthorized
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": "vestnik",
        "sub": username,  # whatever never changes and is never given to somebody else: the id in your database
        "iat": now,
        "exp": now + TOKEN_S,
        "preferred_username": username,
        "name": NAMES[username],
    }
    token = jwt.encode(claims, KEY, "ES256", headers={"kid": KID})
    return web.json_response({"token": token, "expires_in": TOKEN_S})


if __name__ == "__main__":
    app = web.Application()
    app.add_routes(routes)
    web.run_app(app, host="127.0.0.1", port=PORT)
