"""Demo data for a first look at an empty server: three people who have talked and have read everything."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

from domain.refusals import Duplicate
from handlers.chat_app import Caller, ChatApp

PEOPLE = ("alice", "bob", "carol")

_GROUP = (
    ("alice", "Hi! This is the demo group of a fresh Vestnik server."),
    ("bob", "Привет! Everything here is stored before anybody sees it."),
    ("carol", "Open a second window, log in as somebody else and write something."),
    ("alice", "Edits, deletions, typing and presence travel the same way."),
)
_PRIVATE = (
    ("alice", "Bob, did the server restart?"),
    ("bob", "It did, and nothing was lost."),
)


def demo_password(secret_key: str, store_id: str) -> str:
    """The first password of the demo's people. It is stored nowhere: who has the key can compute it again."""
    mac = hmac.digest(secret_key.encode(), f"demo password of {store_id}".encode(), hashlib.sha256)
    return urlsafe_b64encode(mac[:18]).decode()


async def demo_hint(chat_app: ChatApp, password: str) -> str | None:
    """How to log in to a demo that was made earlier; None if there is none."""
    is_first = await chat_app.operator.has_password(PEOPLE[0], password)
    if is_first is None:
        return None
    if is_first:
        return f"Demo users {', '.join(PEOPLE)}; their first password: {password}"
    return f"Demo: {PEOPLE[0]} has another password; `vestnik user password {PEOPLE[0]}` makes a new one"


async def seed_demo(chat_app: ChatApp, password: str) -> bool:
    """Fills an empty database with `PEOPLE`, who share this password, a group and a private chat. The first of them
    administers the server. False if there were users already, or if another server on this database does it at the same
    time.
    """
    if await chat_app.has_users():
        return False
    try:
        ids = await chat_app.operator.create_all(
            {name: name.capitalize() for name in PEOPLE}, password, admin=PEOPLE[0]
        )
    except Duplicate:
        return False
    everybody: dict[str, object] = {"chat_type": "group", "name": "Demo", "member_ids": list(ids.values())}
    await _talk(chat_app, ids, everybody, _GROUP)
    await _talk(chat_app, ids, {"chat_type": "private", "member_ids": [ids["bob"]]}, _PRIVATE)
    return True


async def _talk(
    chat_app: ChatApp, ids: dict[str, int], chat: dict[str, object], lines: tuple[tuple[str, str], ...]
) -> None:
    created = await chat_app.run(Caller(ids["alice"], ""), "create_chat", chat)
    params = {"chat_id": created["chat"]["id"]}
    for name, content in lines:
        await chat_app.run(Caller(ids[name], ""), "send_message", {**params, "content": content})
    for name in dict(lines):
        await chat_app.run(Caller(ids[name], ""), "read_messages", params)
