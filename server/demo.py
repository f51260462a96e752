"""Demo data: three people who have already talked, and have read all of it, for a first look at an empty server."""

import secrets

from handlers.chat_app import ChatApp
from handlers.context import Caller

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


async def seed_demo(chat_app: ChatApp) -> str | None:
    """Fills an empty database with `PEOPLE`, a group and a private chat.

    Returns the one password of all three, which is kept nowhere; None if there were users already.
    """
    context = chat_app.context
    if await context.store.users.exist():
        return None
    password = secrets.token_urlsafe(9)
    password_hash = await context.passwords.hash(password)
    ids = {}
    for name in PEOPLE:
        user = await context.store.users.create(
            username=name,
            display_name=name.capitalize(),
            email=None,
            password_hash=password_hash,
            created_at=context.clock.now(),
        )
        ids[name] = user.id
    everybody: dict[str, object] = {"chat_type": "group", "name": "Demo", "member_ids": list(ids.values())}
    await _talk(chat_app, ids, everybody, _GROUP)
    await _talk(chat_app, ids, {"chat_type": "private", "member_ids": [ids["bob"]]}, _PRIVATE)
    return password


async def _talk(
    chat_app: ChatApp, ids: dict[str, int], chat: dict[str, object], lines: tuple[tuple[str, str], ...]
) -> None:
    created = await chat_app.run(Caller(ids["alice"], ""), "create_chat", chat)
    place = {"chat_id": created["chat"]["id"]}
    for name, content in lines:
        await chat_app.run(Caller(ids[name], ""), "send_message", {**place, "content": content})
    for name in dict(lines):
        await chat_app.run(Caller(ids[name], ""), "read_messages", place)
