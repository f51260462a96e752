"""`vestnik user …`, beside a running server and without one."""

import asyncio
import json
import os
import re
import stat
import sys
import time
from pathlib import Path

import pytest

from handlers.live.clock import SystemClock
from storage.open import open_store
from tests.clients.program import Program, environment, refused_start, run, running
from tests.clients.rest import PASSWORD
from tests.patience import SLACK, within

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no sockets in the file system")


async def vestnik(tmp_path: Path, *words: str, **settings: str) -> tuple[int, str]:
    """Runs the command line; its exit status and output."""
    status, output, errors = await run(tmp_path, *words, DATA_DIR=str(tmp_path / "data"), **settings)
    return status, output + errors


async def test_beside_a_running_server_it_counts_at_once(tmp_path: Path) -> None:
    control = tmp_path / "data" / "control.sock"
    async with running(tmp_path) as program:
        assert stat.S_IMODE(control.stat().st_mode) == 0o600
        ann, bob = await program.person("ann"), await program.person("bob")
        client, other = await ann.connect(), await bob.connect()
        assert await vestnik(tmp_path, "user", "ban", "ann") == (0, "ban: ann: done\n")
        done_at = time.monotonic()
        assert await client.closed() == 4403
        assert time.monotonic() - done_at < 2 * SLACK
        await other.nothing_more()
        status, said = await vestnik(tmp_path, "user", "delete", "nobody")
        assert (status, said) == (1, "vestnik: no such user: nobody\n")
        assert "account changed from the command line" in program.log
        await program.kill()  # it leaves the socket behind
        await client.close()
        await other.close()
    assert control.exists()
    async with running(tmp_path):
        assert (await vestnik(tmp_path, "user", "ban", "bob"))[0] == 0
    assert not control.exists()


async def test_after_a_restart_those_who_share_a_chat_hear_it(tmp_path: Path) -> None:
    async with running(tmp_path) as program:
        bob, carl = await program.person("bob"), await program.person("carl")
        chat_id = await bob.chat(carl)
        await program.stop()
        await program.start()
        client = await bob.connect()
        for action, active in (("ban", False), ("unban", True), ("ban", False)):
            assert (await vestnik(tmp_path, "user", action, "carl"))[0] == 0
            changed = await client.next("user_changed")
            assert (changed["user_id"], changed["user"]["active"]) == (carl.id, active)
        assert (await vestnik(tmp_path, "user", "delete", "carl"))[0] == 0
        changed = await client.next("chat_changed")
        assert (changed["chat_id"], changed["chat"]["member_count"]) == (chat_id, 1)
        await client.nothing_more("chat_changed", "user_changed")
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
        username="ann",
        display_name="Ann",
        email=None,
        password_hash=PASSWORD,
        created_at=SystemClock().now(),
    )
    await store.close()
    assert await vestnik(tmp_path, "user", "ban", "ann", **settings) == (0, "ban: ann: done\n")
    assert await vestnik(tmp_path, "user", "ban", "bob", **settings) == (1, "vestnik: no such user: bob\n")
    store = await open_store(url)
    banned = await store.users.get(user.id)
    assert banned is not None
    assert banned.banned
    await store.close()


async def test_a_name_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    status, said = await vestnik(tmp_path, "user", "ban", "\udcff\udcfe")
    assert (status, said) == (1, "vestnik: the name is not valid text\n")


async def test_names_are_found_in_any_form(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    store = await open_store(f"sqlite:///{tmp_path / 'data' / 'vestnik.db'}")
    user = await store.users.create(
        username="Ann", display_name="Ann", email=None, password_hash="", created_at=SystemClock().now()
    )
    heir = await store.users.create(
        username="bob", display_name="Bob", email=None, password_hash="", created_at=SystemClock().now()
    )
    chat, _ = await store.chats.create(
        name="x", chat_type="group", owner_id=user.id, member_ids=[heir.id], created_at=SystemClock().now()
    )
    await store.close()
    assert (await vestnik(tmp_path, "user", "ban", "\uff21NN"))[0] == 0
    store = await open_store(f"sqlite:///{tmp_path / 'data' / 'vestnik.db'}")
    banned, state = await store.users.get(user.id), await store.chats.load(chat.id)
    assert banned is not None
    assert state is not None
    assert (banned.banned, state.members[user.id].role, state.members[heir.id].role) == (
        True,
        "member",
        "owner",
    )
    await store.close()


async def test_a_server_without_the_socket_is_reported(tmp_path: Path) -> None:
    async with running(tmp_path):
        (tmp_path / "data" / "control.sock").unlink()
        status, said = await vestnik(tmp_path, "user", "ban", "ann")
    assert status == 1
    assert "another server has it open" in said


@pytest.mark.skipif(sys.platform != "linux", reason="no such locks")
async def test_beside_a_server_that_it_does_not_know_it_changes_nothing(tmp_path: Path) -> None:
    """The command finds the server by DATA_DIR, and the database by another name."""
    async with running(tmp_path) as program:
        ann = await program.person("ann")
        (tmp_path / "elsewhere").mkdir()
        os.link(tmp_path / "data" / "vestnik.db", tmp_path / "elsewhere" / "vestnik.db")
        status, _, said = await run(
            tmp_path, "user", "ban", "ann", DATA_DIR=str(tmp_path / "elsewhere"), SECRET_KEY="x" * 32
        )
        assert (status, said.count("\n")) == (1, 1)
        assert said.startswith("vestnik: cannot open the database ")
        assert said.endswith("another server has it open\n")
        assert (await ann.get("/users/me"))["id"] == ann.id


async def say(tmp_path: Path, *words: str, stdin: str = "", **settings: str) -> tuple[int, str, str]:
    """Runs `vestnik user` with these words, and gives it something to read."""
    if not stdin:
        return await run(tmp_path, "user", *words, DATA_DIR=str(tmp_path / "data"), **settings)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "user", *words),
        cwd=tmp_path,
        env=environment(DATA_DIR=str(tmp_path / "data"), **settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(stdin.encode()), 30)
    return process.returncode or 0, output.decode(), errors.decode()


async def all_commands(tmp_path: Path, **settings: str) -> str:
    """Runs every command once, and returns the password that ann has in the end."""

    async def done(*words: str, stdin: str = "") -> str:
        status, output, errors = await say(tmp_path, *words, stdin=stdin, **settings)
        assert (status, errors) == (0, "")
        return output

    async def refused(*words: str, stdin: str = "") -> str:
        status, output, errors = await say(tmp_path, *words, stdin=stdin, **settings)
        assert (status, output, errors.count("\n")) == (1, "", 1)
        return errors

    made = await done("create", "ann", "--admin")
    assert re.fullmatch(r"create: ann: admin \d+ made\npassword: [A-Za-z0-9-]{29}\n", made)
    for taken in ("ANN", "all"):
        assert await refused("create", taken) == "vestnik: this username is taken\n"
    made_too = json.loads(
        await done("create", "bob", "--json", "--email", "b@x.org", "--display-name", "Бob")
    )
    assert made_too.keys() == {"id", "username", "is_admin", "password"}
    said = await done("create", "carl", "--stdin", stdin="a good password\n")
    assert re.fullmatch(r"create: carl: user \d+ made\n", said)
    assert "at least 8" in await refused("create", "dora", "--stdin", stdin="short\n")
    assert "username must" in await refused("create", "no blanks")
    assert "at least one active admin" in await refused("admin", "ann", "--off")
    assert "at least one active admin" in await refused("ban", "ann")
    assert "at least one active admin" in await refused("delete", "ann")
    assert await done("admin", "bob") == "admin: bob: done\n"
    assert await done("ban", "ann") == "ban: ann: done\n"
    assert await done("unban", "ann") == "unban: ann: done\n"
    assert await done("admin", "bob", "--off") == "admin: bob: done\n"
    assert await done("delete", "carl") == "delete: carl: done\n"
    people = json.loads(await done("list", "--json"))
    assert [(one["username"], one["is_admin"], one["email"]) for one in people] == [
        ("ann", True, None),
        ("bob", False, "b@x.org"),
    ]
    table = await done("list")
    assert [line.split()[1] for line in table.splitlines()] == ["username", "ann", "bob"]
    assert (await refused("password", "nobody\n\x1b[1m")).startswith("vestnik: no such user: nobody")
    changed = await done("password", "ann")
    return changed.splitlines()[1].removeprefix("password: ")


async def test_every_command_beside_a_running_server(tmp_path: Path) -> None:
    async with running(tmp_path) as program:
        password = await all_commands(tmp_path)
        ann = program.stranger("ann")
        assert (await ann.login("ann", password))["user"]["is_admin"]
        assert password not in program.log
        entries = (await ann.get("/admin/audit"))["entries"]
        assert {entry["actor_id"] for entry in entries} == {None}
        assert (entries[0]["action"], entries[-1]["action"]) == ("password_reset", "user_created")


async def test_the_folder_of_the_data_may_be_deep(tmp_path: Path) -> None:
    place = tmp_path / ("a" * 100) / ("b" * 100)
    place.mkdir(parents=True)
    async with running(place, DATA_DIR=str(place / "data")):
        status, _ = await vestnik(place, "user", "create", "ann")
        assert status == 0


@pytest.mark.long_on_mongo
@pytest.mark.parametrize("kind", ["sqlite", "mongo"])
async def test_every_command_without_a_server(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    settings = {}
    if kind == "mongo":
        name = f"vestnik_test_{os.getpid()}_{time.monotonic_ns()}"
        settings["DATABASE_URL"] = f"{request.getfixturevalue('mongo_url')}/{name}"
    password = await all_commands(tmp_path, **settings)
    assert len(password) == 29


async def test_wrong_use_is_a_few_lines_and_the_status_2(tmp_path: Path) -> None:
    for words in ([], ["create"], ["fly", "ann"], ["admin", "ann", "--on"]):
        status, output, errors = await say(tmp_path, *words)
        assert (status, output) == (2, "")
        assert 1 <= errors.count("\n") <= 6


LINK = re.compile(
    r"http://localhost:\d+/setup\?code=([\w-]{22,})|https://chat\.example\.org/setup\?code=([\w-]{22,})"
)


async def links_of(program: Program, count: int) -> list[str]:
    """The codes of the links that the program has printed, as soon as there are so many: it serves before it prints."""
    async with within(20):
        while len(found := LINK.findall(program.log)) < count:
            await asyncio.sleep(0.02)
    return ["".join(each) for each in found]


async def test_each_start_prints_a_setup_link_while_there_is_no_admin(tmp_path: Path) -> None:
    quiet = {"LOG_LEVEL": "INFO", "LOG_FORMAT": "json", "REGISTRATION": "closed"}
    async with running(tmp_path, PUBLIC_URL="https://chat.example.org", **quiet) as program:
        await links_of(program, 1)
        await program.stop()
        await program.start()
        earlier, code = await links_of(program, 2)
        ann = program.stranger("ann")
        body = {"username": "ann", "password": PASSWORD}
        status, _ = await ann.request("POST", "/auth/register", json={**body, "setup_code": earlier})
        assert status == 403
        assert (await ann.register("ann", setup_code=code))["is_admin"]
        await program.stop()
        await program.start()
        await ann.login("ann")
        assert len(LINK.findall(program.log)) == 2


async def test_the_settings_make_an_admin_once(tmp_path: Path) -> None:
    settings = {"ADMIN_USERNAME": "root", "ADMIN_PASSWORD": PASSWORD, "DEFAULT_CHAT": "Everybody"}
    async with running(tmp_path, **settings) as program:
        root = program.stranger("root")
        assert (await root.login("root"))["user"]["is_admin"]
        assert [chat["name"] for chat in (await root.get("/chats"))["chats"]] == ["Everybody"]
        await root.patch("/users/me", password="another one", old_password=PASSWORD)
        assert not LINK.search(program.log)
        assert PASSWORD not in program.log
        await program.stop()
        await program.start()
        await root.login("root", "another one")
        assert len((await root.get("/chats"))["chats"]) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"ADMIN_USERNAME": "root"},
        {"ADMIN_PASSWORD": "long enough"},
        {"ADMIN_USERNAME": "root", "ADMIN_PASSWORD": "short"},
        {"ADMIN_USERNAME": "r o", "ADMIN_PASSWORD": "long enough"},
        {"ADMIN_USERNAME": "All", "ADMIN_PASSWORD": "long enough"},
        {"DEFAULT_CHAT": "x" * 101},
    ],
)
async def test_a_wrong_setting_stops_the_start(tmp_path: Path, settings: dict[str, str]) -> None:
    line = await refused_start(tmp_path, DATA_DIR=str(tmp_path / "data"), **settings)
    assert any(name in line for name in ("ADMIN_USERNAME", "ADMIN_PASSWORD", "DEFAULT_CHAT"))
    assert "long enough" not in line
