"""Pinning messages."""

from dataclasses import replace
from datetime import datetime

from domain.decisions.alive import alive_message
from domain.decisions.view import MessageView
from domain.models import Message
from domain.permissions import check_pin
from domain.pins import MessagePinned, MessageUnpinned
from domain.refusals import TooMany

PINS_MAX = 50
"""How many messages of a chat are pinned at most."""


def pin(view: MessageView, message_id: int, user_id: int, at: datetime) -> MessagePinned | Message:
    """The message, pinned as the last one of its chat; as it is if it is pinned already.

    Raises: `NotFound`, see `alive_message`; `Forbidden`; `TooMany`.
    """
    actor, message = alive_message(view, message_id, user_id)
    check_pin(actor)
    if message.pinned:
        return message
    if view.pin_count(message.chat_id) >= PINS_MAX:
        raise TooMany(f"a chat has at most {PINS_MAX} pinned messages")
    seq = view.next_seq(message.chat_id)
    return MessagePinned(replace(message, pinned_seq=seq, changed_seq=seq), user_id, at)


def unpin(view: MessageView, message_id: int, user_id: int, at: datetime) -> MessageUnpinned | Message:
    """The message, no longer pinned; as it is if it is not.

    Raises: `NotFound`, see `alive_message`; `Forbidden`.
    """
    actor, message = alive_message(view, message_id, user_id)
    check_pin(actor)
    if not message.pinned:
        return message
    seq = view.next_seq(message.chat_id)
    return MessageUnpinned(replace(message, pinned_seq=0, changed_seq=seq), user_id, at)
