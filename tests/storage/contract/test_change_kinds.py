"""A store does not open with a kind of change that it cannot keep, and says which kind that is."""

import pytest

from domain.changes import Change, MessageChange, UndeclaredChange
from tests.kinds import declared_kinds
from tests.storage.conftest import Place, SqlitePlace


async def opens_again(place: Place) -> None:
    store = await place.open()
    await store.close()


async def test_a_change_of_a_chat_needs_a_result(place: Place) -> None:
    with declared_kinds() as declare:

        @declare("throwaway_archived")
        class ChatArchived(Change):
            chat_id: int

        with pytest.raises(UndeclaredChange, match=r"the change kind 'throwaway_archived' \(ChatArchived\)"):
            await place.open()
    await opens_again(place)


async def test_a_change_of_a_message_needs_its_tables_in_sqlite_and_nothing_in_mongodb(place: Place) -> None:
    with declared_kinds() as declare:

        @declare("throwaway_reacted")
        class MessageReacted(MessageChange):
            user_id: int

        if isinstance(place, SqlitePlace):
            with pytest.raises(
                UndeclaredChange, match=r"'throwaway_reacted' \(MessageReacted\).*sqlite/changes.py"
            ):
                await place.open()
        else:
            await opens_again(place)
    await opens_again(place)
