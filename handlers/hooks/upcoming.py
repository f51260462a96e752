"""Reads from the store the next notices of a hook."""

from collections import deque
from typing import NamedTuple

from domain.decisions.notices import Due, Notice, due
from domain.hooks import Hook
from handlers.hooks.senders import Senders
from storage.ports import Messages

MESSAGES_PER_READ = 20

READ_BYTES_MAX = 128 * 1024
"""How much is read at a time, as JSON; a larger message is read alone."""


class Waiting(NamedTuple):
    """A notice without its message, which is read again when its turn comes."""

    seq: int
    message_id: int
    is_new: bool


def waiting(notice: Notice) -> Waiting:
    return Waiting(notice.seq, notice.message.id, notice.is_new)


class Upcoming:
    """The notices of one hook after its position: a few at a time, without the messages.

    `position` is the number of the change up to which everything is delivered or passed over. `behind`: there may be
    more in the store than was read.
    """

    def __init__(self, messages: Messages, senders: Senders) -> None:
        self._messages = messages
        self._senders = senders
        self._waiting: deque[Waiting] = deque()
        self._covered = 0
        self._head = 0
        """The last change of the chat that was published here, as far as that is known."""
        self.position = 0
        self.behind = True

    def published(self, seq: int) -> None:
        """Takes notice of a change of the chat."""
        self._head = max(self._head, seq)
        self.behind = True

    def restart(self, position: int) -> None:
        """Goes on after this position, with what the hook wants now."""
        self._waiting.clear()
        self.position = self._covered = position
        self.behind = True

    async def next(self, hook: Hook) -> Notice | None:
        """The next notice, with its message as it is now: the position is before it then. None if nothing is due, or
        the chat is gone. Raises: `Unavailable`."""
        while True:
            while self._waiting:
                seq, message_id, is_new = self._waiting.popleft()
                message = await self._messages.get(message_id)
                if message is not None:
                    self.position = seq - 1
                    return Notice(seq, message, is_new)
                self.position = seq
            self.position = max(self.position, self._covered)
            if not self.behind:
                return None
            found = await self._read(hook)
            self._covered = found.covered
            if found.notices:
                first, *others = found.notices
                self._waiting.extend(map(waiting, others))
                self.position = first.seq - 1
                return first

    async def _read(self, hook: Hook) -> Due:
        self.behind = False
        position = self.position
        changed = await self._messages.changed_since(
            hook.chat_id, position, limit=MESSAGES_PER_READ, max_bytes=READ_BYTES_MAX
        )
        if not changed:
            return Due((), position)
        covered = changed[-1].changed_seq
        messages = {message.id: message for message in changed}
        if len(changed) < covered - position:
            # Some numbers are those of messages that have changed once more, and some of these may stand further on.
            created = await self._messages.history(
                hook.chat_id, after_seq=position, limit=MESSAGES_PER_READ, max_bytes=READ_BYTES_MAX
            )
            if created.has_more_after:
                covered = min(covered, created.messages[-1].seq)
            for message in created.messages:
                known = messages.get(message.id)
                if known is None or known.changed_seq < message.changed_seq:
                    messages[message.id] = message
        if covered < self._head or not self._head:
            self.behind = True
        senders = await self._senders.delivered(hook, {message.sender_id for message in messages.values()})
        return due(
            (message for message in messages.values() if message.sender_id in senders),
            position,
            covered,
            hook.events,
        )
