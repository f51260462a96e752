"""`vestnik user ban|unban|delete NAME`, beside a running server and without one."""

import os
import stat
import sys
import time
from pathlib import Path

import pytest

from handlers.live.clock import SystemClock
from storage.open import open_store
from tests.clients.program import run, running
from tests.clients.rest import PASSWORD

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
        assert time.monotonic() - done_at < 2
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
