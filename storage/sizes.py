"""How large things become as JSON, so that a page can be bounded while it is read. Never less than what is sent."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from domain.models import ChatSummary, Message

_MESSAGE_BYTES = 768
"""A message object without what is counted apart: its keys, six integers of 16 digits, two times."""

_CHAT_BYTES = 768
"""The same of a chat."""


def json_bytes(value: Any) -> int:
    """The size of a value as JSON: a control character takes six bytes, an emoji four."""
    return len(orjson.dumps(value))


def message_bytes(message: Message) -> int:
    """At least what the message object takes as JSON. About 1 µs for a short message, 10 µs for 10,000 characters."""
    size = _MESSAGE_BYTES + json_bytes(message.content)
    if message.client_id is not None:
        size += json_bytes(message.client_id)
    if message.reactions:
        size += json_bytes(message.reactions)
    if message.attachments:
        size += json_bytes(message.attachments)
    return size


def summary_bytes(summary: ChatSummary) -> int:
    """At least what a chat takes as JSON, as one member sees it."""
    last = summary.last_message
    return _CHAT_BYTES + json_bytes(summary.chat.name) + (0 if last is None else message_bytes(last))


class Budget:
    """What is left of a bound in bytes; None: there is no bound. The first thing always fits, so that a reader who
    pages on gets on."""

    def __init__(self, max_bytes: int | None) -> None:
        self._left_bytes = max_bytes
        self._is_empty = True

    def takes(self, size: int) -> bool:
        """Whether there is room for something of this size, which is then taken."""
        if self._left_bytes is None:
            return True
        if size > self._left_bytes and not self._is_empty:
            self._left_bytes = -1  # nothing any more: a page has no holes
            return False
        self._is_empty = False
        self._left_bytes = max(0, self._left_bytes - size)
        return True


def that_fit(messages: Iterable[Message], max_bytes: int | None) -> Iterator[Message]:
    """The messages up to the first for which there is no room; the first one always. Reads no more than one on."""
    budget = Budget(max_bytes)
    for message in messages:
        if not budget.takes(message_bytes(message)):
            return
        yield message
