"""The pinned messages of chats."""

from collections.abc import Mapping, Sequence

from domain.models import Message
from storage.mongo.database import Database
from storage.mongo.documents import message_of
from storage.mongo.history import exists
from storage.pages import END
from storage.sizes import fitting_messages


async def page(
    database: Database, chat_id: int, before_seq: int | None, limit: int, max_bytes: int | None
) -> tuple[Sequence[Message], bool]:
    """See `storage.ports.Messages.pins`. All pins of the chat are read, as there are few."""
    if not await exists(database, chat_id):
        return (), False
    below = END if before_seq is None else before_seq
    pinned = [message for message in await _projected(database, chat_id) if message.pinned_seq < below]
    pinned.sort(key=lambda message: message.pinned_seq, reverse=True)
    found = list(fitting_messages(pinned[:limit], max_bytes))
    return found, len(pinned) > len(found)


async def pinned_ids(database: Database, chat_id: int, newest_states: Mapping[int, Message]) -> set[int]:
    """The ids of the pinned messages of a chat. `newest_states` has the messages whose rows are not projected yet."""
    states = {message.id: message for message in await _projected(database, chat_id)}
    for message_id, state in newest_states.items():
        known = states.get(message_id)
        if state.chat_id == chat_id and (known is None or known.changed_seq < state.changed_seq):
            states[message_id] = state
    return {message_id for message_id, state in states.items() if state.pinned}


def note_pin(pinned: set[int], message: Message) -> None:
    """Brings the ids of the pinned messages of a chat forward by a newer state of one of its messages."""
    if message.pinned:
        pinned.add(message.id)
    else:
        pinned.discard(message.id)


async def _projected(database: Database, chat_id: int) -> Sequence[Message]:
    """The pinned messages of the chat whose rows are projected, in no order."""
    documents = await database.find(database.messages, {"chat_id": chat_id, "pinned": True})
    return [message_of(document) for document in documents]
