"""Which messages of a chat were edited lately, by the changes that were published here."""

MESSAGES_MAX = 1_000
"""How many edited messages of a chat are known."""


class Edits:
    """The edits in an unbroken run of changes of one chat, up to the last one published.

    A message says that it was edited, and when it changed last, but not whether its last change was an edit: it may be
    a reaction or a pin.
    """

    __slots__ = ("_edited", "_first", "_last")

    def __init__(self) -> None:
        self._first = self._last = 0
        self._edited: dict[int, int] = {}
        """By message, the number of its last edit; the lowest number comes first."""

    def published(self, seq: int, edited_id: int | None) -> None:
        """Takes in the change with this number: an edit of this message, or, with None, any other change."""
        if seq != self._last + 1:
            self._edited.clear()
            self._first = seq
        self._last = seq
        if edited_id is not None:
            self._edited.pop(edited_id, None)
            self._edited[edited_id] = seq
            if len(self._edited) > MESSAGES_MAX:
                self._first = self._edited.pop(next(iter(self._edited))) + 1

    def may_have_been(self, message_id: int, after_seq: int, up_to: int) -> bool:
        """Whether the message was edited after the change `after_seq` and up to `up_to`, as far as that is known; True
        if it is not."""
        if after_seq + 1 < self._first or up_to > self._last:
            return True
        return self._edited.get(message_id, 0) > after_seq
