"""This checkout as a target."""

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
from benchmarks.targets import ROOT, Seat, Server, free_port, running
from storage.open import open_store
from storage.ports import Store

TOKEN_TTL_S = 3600
SECRET_KEY = secrets.token_urlsafe(32)

Seeded = TypeVar("Seeded")


class Vestnik:
    """The server with its defaults but for limits on rates, over one of its two wires."""

    def __init__(self, wire: str) -> None:
        self.name = f"vestnik, {'Socket.IO' if wire == 'socketio' else 'raw'}"
        self.wire = wire

    def install(self) -> None:
        """It is what runs this."""

    @contextmanager
    def start(self, directory: Path, case: Case) -> Iterator[Server]:
        seats = seed(directory, lambda store: _seats(store, case))
        with serving(directory) as (port, pid):
            yield Server(port, (pid,), seats)


@contextmanager
def serving(directory: Path) -> Iterator[tuple[int, int]]:
    """The server over the data in a directory: its port and its process. Raises: `RuntimeError`."""
    port = free_port()
    settings = {
        "PYTHONPATH": str(ROOT),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DATA_DIR": str(directory),
        "SECRET_KEY": SECRET_KEY,
        "RATE_LIMITS": "off",
        "LOG_LEVEL": "warning",
    }
    # In a directory of its own, where no .env lies.
    with running([sys.executable, "-m", "server"], port, directory, settings) as pid:
        yield port, pid


def seed(directory: Path, fill: Callable[[Store], Awaitable[Seeded]]) -> Seeded:
    """Fills the database in a directory through its store, before a server opens it."""

    url = f"sqlite:///{directory.absolute() / 'vestnik.db'}"

    async def run() -> Seeded:
        store = await open_store(url)
        try:
            return await fill(store)
        finally:
            await store.close()

    return asyncio.run(run())


def token_of(user_id: int) -> str:
    """As another backend with the same key would mint it."""
    return jwt.encode({"sub": str(user_id), "exp": int(time.time()) + TOKEN_TTL_S}, SECRET_KEY, "HS256")


async def add_users(store: Store, count: int, prefix: str = "user") -> list[int]:
    """The ids of new users, who have no password."""
    now = datetime.now(UTC)
    users = await asyncio.gather(
        *(
            store.users.create(
                username=f"{prefix}{n}",
                display_name=f"{prefix} {n}",
                email=None,
                password_hash="",
                created_at=now,
            )
            for n in range(count)
        )
    )
    return [user.id for user in users]


async def add_chat(store: Store, name: str, user_ids: list[int]) -> int:
    chat, _ = await store.chats.create(
        name=name,
        chat_type="group",
        owner_id=user_ids[0],
        member_ids=user_ids[1:],
        created_at=datetime.now(UTC),
    )
    return chat.id


async def _seats(store: Store, case: Case) -> list[Seat]:
    user_ids = await add_users(store, case.connections)
    seats = []
    for chat in range(case.chats):
        members = user_ids[chat * case.members : (chat + 1) * case.members]
        chat_id = await add_chat(store, f"chat {chat}", members)
        seats += [Seat(token_of(user), chat_id, nth < case.senders) for nth, user in enumerate(members)]
    return seats
