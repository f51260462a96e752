"""The server of this checkout as a target."""

import asyncio
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import jwt

from benchmarks.cases import Case
from benchmarks.targets import ROOT, PlannedConnection, Server, free_port, running
from storage.open import open_store
from storage.ports import Store

TOKEN_TTL_S = 3600
SECRET_KEY = secrets.token_urlsafe(32)

Seeded = TypeVar("Seeded")


class Vestnik:
    """The server with its default settings, but without rate limits, over the wire `raw` or `socketio`."""

    def __init__(self, wire: str) -> None:
        self.name = f"vestnik, {'Socket.IO' if wire == 'socketio' else 'raw'}"
        self.wire = wire

    @contextmanager
    def start(self, directory: Path, case: Case) -> Iterator[Server]:
        connections = seed(directory, lambda store: connections_of(store, case))
        with serving(directory) as (port, pid):
            yield Server(port, (pid,), connections)


@contextmanager
def serving(directory: Path, **more_settings: str) -> Iterator[tuple[int, int]]:
    """Runs the server with its data in `directory`, and with more settings. Yields its port and its process id.

    Raises: `RuntimeError` if the server does not start.
    """
    port = free_port()
    settings = {
        "PYTHONPATH": str(ROOT),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DATA_DIR": str(directory),
        "SECRET_KEY": SECRET_KEY,
        "RATE_LIMITS": "off",
        "LOG_LEVEL": "warning",
        **more_settings,
    }
    # The server runs in `directory`, which has no .env file.
    with running([sys.executable, "-m", "server"], port, directory, settings) as pid:
        yield port, pid


def seed(directory: Path, fill: Callable[[Store], Awaitable[Seeded]]) -> Seeded:
    """Fills the database in `directory` through its store, before a server opens it. Returns what `fill` returns."""
    return seed_at(f"sqlite:///{directory.absolute() / 'vestnik.db'}", fill)


def seed_at(url: str, fill: Callable[[Store], Awaitable[Seeded]]) -> Seeded:
    """As `seed`, of the database that the URL names."""

    async def run() -> Seeded:
        store = await open_store(url)
        try:
            return await fill(store)
        finally:
            await store.close()

    return asyncio.run(run())


def token_of(user_id: int) -> str:
    """An access token as another backend with the same key would sign it."""
    return jwt.encode({"sub": str(user_id), "exp": int(time.time()) + TOKEN_TTL_S}, SECRET_KEY, "HS256")


async def add_users(store: Store, count: int) -> list[int]:
    """Creates users without a password, and returns their ids."""
    now = datetime.now(UTC)
    users = await asyncio.gather(
        *(
            store.users.create(
                username=f"user{n}",
                display_name=f"user {n}",
                email=None,
                password_hash="",
                created_at=now,
            )
            for n in range(count)
        )
    )
    return [user.id for user in users]


async def add_chat(store: Store, name: str, user_ids: list[int]) -> int:
    """Creates a group that the first user owns, and returns its id."""
    chat, _ = await store.chats.create(
        name=name,
        chat_type="group",
        owner_id=user_ids[0],
        member_ids=user_ids[1:],
        created_at=datetime.now(UTC),
    )
    return chat.id


async def connections_of(store: Store, case: Case) -> list[PlannedConnection]:
    """Creates the chats of a case, and a user for each of its connections."""
    user_ids = await add_users(store, case.connections)
    connections = []
    for chat in range(case.chats):
        members = user_ids[chat * case.members : (chat + 1) * case.members]
        chat_id = await add_chat(store, f"chat {chat}", members)
        connections += [
            PlannedConnection(token_of(user_id), chat_id, nth < case.senders)
            for nth, user_id in enumerate(members)
        ]
    return connections
