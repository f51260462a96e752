"""What no command changes yet, a store keeps all the same: reactions, pins and attachments."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from domain.changes import MessageChange, MessageCreated
from domain.decisions.view import MessageView
from domain.files import Attachment
from domain.models import Draft, Message
from storage.mongo import MongoStore
from storage.mongo.message_run import MessageWrite
from storage.ports import Store
from storage.sqlite import SqliteStore
from storage.sqlite.changes import _APPLY, message_updated
from storage.sqlite.writer import Write
from tests.kinds import declared_kinds
from tests.storage.conftest import Place
from tests.storage.world import START, World, at, draft

REACTIONS = {"👍": [1, 2], "a.b": [3]}
ATTACHMENTS = (
    Attachment("f", 'a "file"', "text/plain", 3),
    Attachment("p", "b.c", "image/png", 2**40, width=3, height=4, has_thumbnail=True),
)
ALL = {"reactions": REACTIONS, "attachments": ATTACHMENTS, "pinned_seq": 2}


async def write(store: Store, decide: Callable[[MessageView], MessageChange], written: int | Draft) -> Any:
    """Makes a change of the message with this id, or a new one of this draft, as a command of a new feature would."""
    if isinstance(store, SqliteStore):
        return await store._database.submit(Write(lambda writer: writer.carry_out(decide(writer.messages))))
    assert isinstance(store, MongoStore)
    message_id, new = (None, written) if isinstance(written, Draft) else (written, None)
    return await store._writer.submit(MessageWrite(decide, store._writer.mark(), message_id, new))


@pytest.mark.parametrize("fields", [ALL, *({name: value} for name, value in ALL.items())])
async def test_a_change_of_a_message_sets_them(
    place: Place, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with declared_kinds() as declare:

        @declare("throwaway_flagged")
        class MessageFlagged(MessageChange):
            pass

        monkeypatch.setitem(_APPLY, MessageFlagged, message_updated)  # type: ignore[arg-type]
        store = await place.open()
        world = World(store)
        anna = await world.user()
        chat_id = await world.chat(anna)
        message = await world.send(chat_id, anna)

        def flag(view: MessageView) -> MessageChange:
            now = view.message(message.id)
            assert now is not None
            return MessageFlagged(replace(now, changed_seq=view.next_seq(chat_id), **fields))

        flagged = replace(message, changed_seq=2, **fields)
        assert await write(store, flag, message.id) == flagged
        await world.check_published(chat_id)
        assert await store.messages.get(message.id) == flagged
        edited = await store.messages.edit(message.id, anna, "new", at(1))
        assert edited == replace(flagged, content="new", edited_at=at(1), changed_seq=3)
        assert await world.everything(chat_id) == [edited]
        tombstone = await store.messages.delete(message.id, anna, at(2))
        assert (tombstone.reactions, tombstone.attachments, tombstone.pinned) == (None, (), False)
        assert await world.everything(chat_id) == [tombstone]
        await store.close()


async def test_a_new_message_has_them(store: Store, world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    plain = await world.send(chat_id, anna)
    assert (plain.reactions, plain.attachments, plain.pinned, plain.reply_to) == (None, (), False, None)

    def create(view: MessageView) -> MessageChange:
        seq = view.next_seq(chat_id)
        return MessageCreated(Message(view.next_message_id(), chat_id, seq, seq, "x", anna, START, **ALL))

    created = await write(store, create, draft(chat_id, anna))
    stored = await store.messages.get(created.message.id)
    assert stored == created.message == replace(stored, **ALL)
    assert await world.everything(chat_id) == [plain, stored]
