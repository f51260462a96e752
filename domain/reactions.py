"""The changes by which members react to messages."""

from domain.changes import MessageChange, change


@change("reaction_added", logged=True, since=3)
class ReactionAdded(MessageChange):
    """A member reacts to the message with an emoji, in addition to what was there."""

    user_id: int
    emoji: str


@change("reaction_removed", logged=True, since=3)
class ReactionRemoved(MessageChange):
    """A member has taken their emoji away from the message."""

    user_id: int
    emoji: str
