"""examples/login as a reader runs it, with the chat server beside it."""

import asyncio
import json
import os
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientError, ClientSession, CookieJar

from tests.clients.people import Person
from tests.clients.ports import HeldPort
from tests.clients.programs import need
from tests.conftest import Serve

EXAMPLE = Path(__file__).parents[2] / "examples" / "login"

IN_A_BROWSER = """
const [login, chat] = process.argv.slice(1)
let cookie = ''
const fetch = globalThis.fetch
globalThis.fetch = async (path, options = {}) => {
  const base = path.startsWith('/api') ? chat : login
  const answer = await fetch(base + path, { ...options, headers: { ...options.headers, cookie } })
  cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? cookie
  return answer
}
const { logIn } = await import(process.env.SESSION)
const refused = await logIn('ann', 'wrong').then(() => '', (error) => error.message)
const { userId, token } = await logIn('ann', 'correct horse battery')
const same = (await token()) === (await token())
console.log(JSON.stringify({ refused, userId, same, fresh: await token({ fresh: true }) }))
"""


@asynccontextmanager
async def backend(place: Path) -> AsyncIterator[str]:
    """The URL of the running example."""
    port = HeldPort()
    url = f"http://127.0.0.1:{port.number}"
    env = {**os.environ, "PORT": str(port.number), "KEY_FILE": str(place / "private.pem")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE / "backend.py"), env=env, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(30), ClientSession() as http:
            while True:
                try:
                    async with http.get(f"{url}/jwks.json") as answer:
                        assert answer.status == 200
                        break
                except ClientError:
                    await asyncio.sleep(0.05)
        yield url
    finally:
        process.kill()
        await process.wait()


async def test_whom_the_backend_logs_in_chats(serve: Serve, tmp_path: Path) -> None:
    async with backend(tmp_path) as url, ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        server = await serve(
            jwks_url=f"{url}/jwks.json", jwt_issuer=url, jwt_audience="vestnik", jwt_create_users=True
        )
        assert stat.S_IMODE((tmp_path / "private.pem").stat().st_mode) == 0o600
        async with http.post(f"{url}/chat-token") as answer:
            assert answer.status == 401
        for password, status in (("wrong", 401), ("", 401), ("correct horse battery", 204)):
            async with http.post(f"{url}/login", json={"username": "ann", "password": password}) as answer:
                assert answer.status == status
        async with http.post(f"{url}/chat-token") as answer:
            given = await answer.json()
        ann = Person(server.http, server.url, server.ws_url, "ann")
        ann.token = given["token"]
        me = await ann.get("/users/me")
        assert (me["username"], me["display_name"]) == ("ann", "Ann Lee")
        chat_id = await ann.chat()
        async with ann.http.ws_connect(f"{server.ws_url}?token={ann.token}") as socket:
            assert (await socket.receive_json())["user_id"] == me["id"]
            await socket.send_json({"type": "join_chat", "chat_id": chat_id, "id": 1})
            assert (await socket.receive_json())["ok"]
        process = await asyncio.create_subprocess_exec(
            *(need("node"), "--input-type=module", "-e", IN_A_BROWSER, url, server.url),
            env={**os.environ, "SESSION": (EXAMPLE / "session.js").as_uri()},
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        said = json.loads(output)
        assert (said["userId"], said["same"], said["refused"]) == (me["id"], True, "/login answered 401")
        ann.token = said["fresh"]
        assert (await ann.get("/users/me"))["id"] == me["id"]
