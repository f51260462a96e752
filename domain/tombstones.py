"""What is left of a deleted message."""

from dataclasses import replace

from domain.models import Message


def tombstone(message: Message) -> Message:
    """The message without all that it said, under its old numbers."""
    return replace(
        message,
        content="",
        mentions=(),
        mentions_all=False,
        reactions=None,
        attachments=(),
        pinned_seq=0,
        deleted=True,
    )
