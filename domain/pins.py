"""The changes by which messages are pinned in a chat."""

from datetime import datetime

from domain.changes import MessageChange, change


@change("pinned", logged=True, since=3)
class MessagePinned(MessageChange):
    """The message is pinned, as the last one of its chat."""

    actor_id: int
    at: datetime


@change("unpinned", logged=True, since=3)
class MessageUnpinned(MessageChange):
    """The message is no longer pinned, though not deleted."""

    actor_id: int
    at: datetime
