"""`vestnik bot …`, beside a running server and without one."""

import json
import os
import re
import sys
import time
from pathlib import Path

import pytest

from domain.decisions.bots import BOTS_MAX
from handlers.live.bot_tokens import token_id_of
from handlers.live.clock import SystemClock
from storage.open import open_store
from tests.clients.people import Person
from tests.clients.program import running
from tests.clients.shapes import is_id, is_time
from tests.test_user_command import vestnik

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no sockets in the file system")

MADE = re.compile(r"create: echo: bot (\d+) of ann made\ntoken: (vb_[A-Za-z0-9_-]{43})\n")
RENEWED = re.compile(r"token: echo: done\ntoken: (vb_[A-Za-z0-9_-]{43})\n")


async def test_beside_a_running_server_it_counts_at_once(tmp_path: Path) -> None:
    async with running(tmp_path) as program:
        ann = await program.person("ann")
        status, said = await vestnik(
            tmp_path, "bot", "create", "echo", "--owner", "ann", "--display-name", "E"
        )
        made = MADE.fullmatch(said)
        assert status == 0
        assert made is not None, said
        bot = Person(ann.http, ann.url, ann.ws_url, "echo")
        bot.id, bot.token = int(made[1]), made[2]
        (listed,) = (await ann.get("/bots"))["bots"]
        assert (listed["id"], listed["display_name"]) == (bot.id, "E")
        client = await bot.connect()
        renewed = RENEWED.fullmatch((await vestnik(tmp_path, "bot", "token", "echo"))[1])
        assert renewed is not None
        assert await client.closed() == 4403
        bot.token = renewed[1]
        client = await bot.connect()
        assert await vestnik(tmp_path, "bot", "delete", "ECHO") == (0, "delete: ECHO: done\n")
        assert await client.closed() == 4403
        for words in (("delete", "echo"), ("token", "echo"), ("token", "ann"), ("delete", "nobody")):
            status, said = await vestnik(tmp_path, "bot", *words)
            assert (status, said) == (1, f"vestnik: no such bot: {words[1]}\n")
        assert "account changed from the command line" in program.log
        assert not {made[2], renewed[1]} & set(re.findall(r"vb_[A-Za-z0-9_-]+", program.log))
        await client.close()


@pytest.mark.parametrize("kind", ["sqlite", "mongo"])
async def test_without_a_server_it_goes_to_the_store(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "data").mkdir()
    url = f"sqlite:///{tmp_path / 'data' / 'vestnik.db'}"
    settings = {}
    if kind == "mongo":
        url = f"{request.getfixturevalue('mongo_url')}/vestnik_test_{os.getpid()}_{time.monotonic_ns()}"
        settings["DATABASE_URL"] = url
    store = await open_store(url)
    user = await store.users.create(
        username="ann", display_name="Ann", email="ann@x.y", password_hash="", created_at=SystemClock().now()
    )
    await store.close()
    said = await vestnik(tmp_path, "bot", "create", "echo", "--owner", "ANN@X.Y", "--json", **settings)
    made = json.loads(said[1])
    assert made == {"id": made["id"], "username": "echo", "owner": "ann", "token": made["token"]}
    status, output = await vestnik(tmp_path, "bot", "token", "echo", "--json", **settings)
    renewed = json.loads(output)
    assert (status, renewed["id"]) == (0, made["id"])
    store = await open_store(url)
    for token, ended in ((made["token"], True), (renewed["token"], False)):
        session = await store.sessions.get(token_id_of(token) or "")
        assert session is not None
        assert (session.user_id, session.revoked) == (made["id"], ended)
    assert [bot.id for bot in await store.bots.of_owner(user.id)] == [made["id"]]
    audit, _ = await store.audit.page(None, cursor=None, limit=9)
    assert [(entry.action, entry.user_id) for entry in audit] == [
        ("token_renewed", made["id"]),
        ("user_created", made["id"]),
    ]
    await store.close()


async def test_what_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert (await vestnik(tmp_path, "user", "create", "ann"))[0] == 0
    assert (await vestnik(tmp_path, "bot", "create", "echo", "--owner", "ann"))[0] == 0

    async def refused(*words: str) -> str:
        status, said = await vestnik(tmp_path, "bot", *words)
        assert (status, said.count("\n")) == (1, 1), said
        return said.removeprefix("vestnik: ").strip()

    assert await refused("create", "other", "--owner", "nobody") == "no such user: nobody"
    assert await refused("create", "other", "--owner", "echo") == "a bot has no bots"
    assert await refused("create", "ECHO", "--owner", "ann") == "this username is taken"
    assert "username" in await refused("create", "a b", "--owner", "ann")
    assert "display_name" in await refused("create", "other", "--owner", "ann", "--display-name", " ")
    assert await refused("create", "\udcff", "--owner", "ann") == "the name is not valid text"
    assert "1,000" in await refused("create", "other", "--owner", "x" * 1001)
    assert (await vestnik(tmp_path, "user", "password", "echo"))[1] == "vestnik: a bot has no password\n"
    assert (await vestnik(tmp_path, "user", "admin", "echo"))[0] == 1
    assert (await vestnik(tmp_path, "user", "ban", "ann"))[0] == 0
    assert await refused("create", "other", "--owner", "ann") == "the account of the owner is banned"
    assert await refused("token", "echo") == "the bot is banned"
    said = (await vestnik(tmp_path, "user", "unban", "echo"))[1]
    assert said == "vestnik: the bot is banned because its owner is\n"
    status, said = await vestnik(tmp_path, "bot", "create", "other")
    assert status == 2
    assert "--owner" in said


async def test_the_list_of_bots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    assert await vestnik(tmp_path, "bot", "list") == (0, "")
    assert await vestnik(tmp_path, "bot", "list", "--json") == (0, "[]\n")
    store = await open_store(f"sqlite:///{tmp_path / 'data' / 'vestnik.db'}")
    now = SystemClock().now()
    for name in ("ann", "bob"):
        owner = await store.users.create(
            username=name, display_name=name, email=None, password_hash="", created_at=now
        )
        for number in range(BOTS_MAX):
            await store.bots.create(
                owner_id=owner.id,
                username=f"{name}{number:02}",
                display_name="B\x1b[2J",
                token_id=f"bot:{name}{number}",
                created_at=now,
            )
    await store.users.set_banned(owner.id, True)
    await store.close()
    status, said = await vestnik(tmp_path, "bot", "list")
    head, *rows = said.splitlines()
    assert (status, head.split()) == (0, ["id", "username", "owner", "what", "display", "name"])
    assert [row.split()[1:3] for row in rows] == [
        [f"{name}{number:02}", name] for name in ("ann", "bob") for number in range(BOTS_MAX)
    ]
    assert ["banned" in row for row in rows] == [False] * BOTS_MAX + [True] * BOTS_MAX
    assert "\x1b" not in said
    status, said = await vestnik(tmp_path, "bot", "list", "--json")
    bots = json.loads(said)
    assert len(bots) == 2 * BOTS_MAX
    first = bots[0]
    assert first.keys() == {"id", "username", "display_name", "owner_id", "owner", "banned", "created_at"}
    assert is_id(first["id"])
    assert is_time(first["created_at"])
    assert (first["owner"], first["banned"]) == ("ann", False)
