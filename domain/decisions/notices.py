"""Of what an outgoing hook notifies its receiver, and in which order, by the state of the messages alone.

A hook has a position, the number of the change up to which it is done, and no queue. What comes next is found in the
messages that have changed since, each of which the store knows in its present state, with the numbers of its creation
and of its last change.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.frozen import frozen
from domain.hooks import HookEvent
from domain.models import Message


@frozen
class Notice:
    """A delivery that is due. `seq` is the number of the change that it is about: for a new message that of its
    creation, whatever became of the message since."""

    seq: int
    message: Message
    is_new: bool


@dataclass(frozen=True)
class Due:
    """What is due after a position, in the order of the numbers: all of it up to the change `covered`."""

    notices: Sequence[Notice]
    covered: int


def due(messages: Iterable[Message], position: int, covered: int, events: Sequence[HookEvent]) -> Due:
    """What is due after `position` and up to `covered`. `messages` are all those with a creation or last change in
    that range, in any order; others do not matter.

    A message that was created since has a notice as a new one, and another one if it has changed since: the receiver
    may have got the first one already, with the message in an earlier state.
    """
    found = []
    for message in messages:
        if position < message.seq <= covered and "new_message" in events:
            found.append(Notice(message.seq, message, is_new=True))
        if message.seq < message.changed_seq and position < message.changed_seq <= covered:
            found.append(Notice(message.changed_seq, message, is_new=False))
    return Due(
        [notice for notice in sorted(found, key=lambda one: one.seq) if event_of(notice, events)], covered
    )


def event_of(notice: Notice, events: Sequence[HookEvent]) -> HookEvent | None:
    """The event that the receiver of a hook with these events gets; None: the notice is passed over.

    A reaction and a pin are no edit. Which change the last one of an edited message was is not known here.
    """
    message = notice.message
    event: HookEvent
    if message.deleted:
        event = "message_deleted"
    elif notice.is_new:
        event = "new_message"
    elif message.edited_at is not None:
        event = "message_updated"
    else:
        return None
    return event if event in events and (not notice.is_new or "new_message" in events) else None
