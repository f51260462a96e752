"""The default chat of the server.

Its id is claimed first, by a document that is inserted once, and the chat is created under that id then. So a node that
dies in between leaves the rest to the next one, and of two nodes at once one creates it.
"""

from datetime import datetime

from domain.changes import Change
from domain.decisions import chats, invites
from domain.decisions.view import MemberView
from storage.mongo.chat_view import LoadingView
from storage.mongo.chat_writes import ChatWrite
from storage.mongo.database import Database
from storage.mongo.ids import Ids

_KEY = "default_chat"


async def claim(database: Database, ids: Ids) -> int:
    """The id of the chat, claimed if it was not yet."""
    found = await claimed(database)
    if found is None:
        (chat_id,) = await ids.take("chats")
        await note(database, chat_id)
        found = await claimed(database)
    assert found is not None
    return found


async def claimed(database: Database) -> int | None:
    """The id of the chat, which may not be created yet, or be deleted."""
    found = await database.get(database.claims, _KEY)
    return None if found is None else found["chat_id"]


async def note(database: Database, chat_id: int) -> None:
    """Notes the id of the chat, unless one is noted."""
    await database.add(database.claims, {"_id": _KEY, "chat_id": chat_id})


def creation(chat_id: int, name: str, owner_id: int, created_at: datetime) -> ChatWrite:
    """Creates the chat, unless there is a row of it: it may have been deleted since."""

    def decision(view: MemberView) -> Change | None:
        assert isinstance(view, LoadingView)
        assert view.replica is not None
        if view.replica.n:
            return None
        created = chats.create(view, name, "group", owner_id, (), created_at, is_public=True)
        assert isinstance(created, Change)
        return created

    return ChatWrite(chat_id, decision)


def join(view: MemberView, chat_id: int, user_id: int, joined_at: datetime) -> object:
    """The new member; nothing if the chat is gone or was never created."""
    return None if view.find_chat(chat_id) is None else invites.enter(view, chat_id, user_id, joined_at)
