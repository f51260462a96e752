"""A kind of change that no version declares: somebody reacts to a message."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from domain.changes import MessageChange
from domain.decisions.view import MessageView
from storage.mongo import MongoStore
from storage.mongo.message_run import MessageWrite

Declare = Callable[[str], Callable[[type[MessageChange]], type[MessageChange]]]


def declare_reacted(declare: Declare, name: str = "throwaway_reacted") -> type[MessageChange]:
    """The class of the kind, declared with `tests.kinds.declared_kinds`."""

    @declare(name)
    class MessageReacted(MessageChange):
        user_id: int
        emoji: str | None = None

    return MessageReacted


def react(store: MongoStore, kind: type[MessageChange], message_id: int, user_id: int) -> Any:
    """Writes a change of the kind, as a command of that feature would."""

    def decide(view: MessageView) -> MessageChange:
        message = view.message(message_id)
        assert message is not None
        reacted = replace(message, reactions={"+1": [user_id]}, changed_seq=view.next_seq(message.chat_id))
        return cast(Any, kind)(reacted, user_id, "+1")

    return store._writer.submit(MessageWrite(decide, store._writer.mark(), message_id))
