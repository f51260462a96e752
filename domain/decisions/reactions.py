"""Reacting to messages. Emoji are normalised already, see `domain.emoji`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from domain.decisions.alive import alive_message
from domain.decisions.view import MessageView
from domain.models import Message
from domain.permissions import check_react
from domain.reactions import ReactionAdded, ReactionRemoved
from domain.refusals import TooMany

EMOJI_MAX = 20
"""How many different emoji a message has at most."""

REACTIONS_MAX = 1000
"""How many reactions a message has at most, those with all its emoji together."""

Reactions = Mapping[str, Sequence[int]]


def add(
    view: MessageView, message_id: int, user_id: int, emoji: str, at: datetime
) -> ReactionAdded | Message:
    """The message with the reaction of the user. The message as it is if they react with this emoji already: that also
    answers a member who repeats a reaction, and has lost their voice since.

    Raises: `NotFound`, see `alive_message`; `Forbidden`; `TooMany`.
    """
    actor, message = alive_message(view, message_id, user_id)
    reactions = message.reactions or {}
    user_ids = reactions.get(emoji, ())
    if user_id in user_ids:
        return message
    check_react(actor, at)
    _check_room(reactions, emoji)
    changed = {**reactions, emoji: [*user_ids, user_id]}
    return ReactionAdded(_with(view, message, changed), user_id, emoji)


def remove(
    view: MessageView, message_id: int, user_id: int, emoji: str, at: datetime
) -> ReactionRemoved | Message:
    """The message without the reaction of the user; as it is if they do not react with this emoji, see `add`.

    Raises: `NotFound`, see `alive_message`; `Forbidden`.
    """
    actor, message = alive_message(view, message_id, user_id)
    reactions = message.reactions or {}
    if user_id not in reactions.get(emoji, ()):
        return message
    check_react(actor, at)
    changed = {**reactions, emoji: [one for one in reactions[emoji] if one != user_id]}
    if not changed[emoji]:
        del changed[emoji]
    return ReactionRemoved(_with(view, message, changed), user_id, emoji)


def _check_room(reactions: Reactions, emoji: str) -> None:
    if emoji not in reactions and len(reactions) >= EMOJI_MAX:
        raise TooMany(f"a message has at most {EMOJI_MAX} different reactions")
    if sum(map(len, reactions.values())) >= REACTIONS_MAX:
        raise TooMany(f"a message has at most {REACTIONS_MAX} reactions")


def _with(view: MessageView, message: Message, reactions: Reactions) -> Message:
    return replace(message, reactions=reactions or None, changed_seq=view.next_seq(message.chat_id))
