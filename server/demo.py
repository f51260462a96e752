"""Demo data for a first look at an empty server: three people who have talked and have read everything."""

import secrets

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


async def seed_demo(chat_app: ChatApp) -> str | None:
    """Fills an empty database with `PEOPLE`, a group and a private chat.

    Returns the password that all three share and that is stored nowhere; None if there were users already, or if
    another server on this database does it at the same time.
    """
    if await chat_app.has_users():
        return None
    password = secrets.token_urlsafe(9)
    try:
        ids = await chat_app.create_users({name: name.capitalize() for name in PEOPLE}, password)
    except Duplicate:
        return None
    everybody: dict[str, object] = {"chat_type": "group", "name": "Demo", "member_ids": list(ids.values())}
    await _talk(chat_app, ids, everybody, _GROUP)
    await _talk(chat_app, ids, {"chat_type": "private", "member_ids": [ids["bob"]]}, _PRIVATE)
    return password


async def _talk(
    chat_app: ChatApp, ids: dict[str, int], chat: dict[str, object], lines: tuple[tuple[str, str], ...]
) -> None:
    created = await chat_app.run(Caller(ids["alice"], ""), "create_chat", chat)
    params = {"chat_id": created["chat"]["id"]}
    for name, content in lines:
        await chat_app.run(Caller(ids[name], ""), "send_message", {**params, "content": content})
    for name in dict(lines):
        await chat_app.run(Caller(ids[name], ""), "read_messages", params)
