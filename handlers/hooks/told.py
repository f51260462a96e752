"""What a receiver has got already, as far as this node knows: by that, what it gets next."""

from collections.abc import Sequence

from domain.decisions.notices import Notice, event_of
from domain.hooks import HookEvent
from handlers.hooks.edits import Edits

DELETIONS_MAX = 1_000
EDITS_MAX = 1_000
"""How many are remembered. What is forgotten may be told once more."""


class Told:
    """The edits and deletions that the receiver of one hook has got.

    An edit is told at the last change of its message, which may be a reaction that came much later, when the position
    of the hook had long passed the number of the edit. So the position does not say which edits are told.
    """

    def __init__(self, edits: Edits) -> None:
        self._edits = edits
        self._all_up_to = 0
        """All edits up to this change are told."""
        self._postponed = 0
        """The last change whose notice is to tell an edit that was passed over."""
        self._edited: dict[int, int] = {}
        """By message, the last change with which the receiver got its edits; the first ones told come first."""
        self._deletions: set[int] = set()
        """The numbers of deletions that the receiver has got in place of the new message."""

    def clear(self) -> None:
        """Forgets all: somebody else may have delivered."""
        self._all_up_to = self._postponed = 0
        self._edited.clear()
        self._deletions.clear()

    def caught_up(self, seq: int) -> None:
        """Called when nothing that is published is left to deliver, with the last change of the chat."""
        if seq >= self._postponed:
            self._all_up_to = seq
            self._edited.clear()
            self._deletions = {each for each in self._deletions if each > seq}

    def event_of(self, notice: Notice, events: Sequence[HookEvent], *, repeats: bool) -> HookEvent | None:
        """The event that the receiver gets; None: the notice is passed over. `repeats`: the notice was sent before, and
        not taken."""
        event, message = event_of(notice, events), notice.message
        if notice.is_new or event is None:
            return event
        if not repeats and message.changed_seq > notice.seq:
            # Its last change has a notice of its own, which may not be published yet.
            self._postponed = max(self._postponed, message.changed_seq)
            return None
        if event == "message_deleted":
            return None if message.changed_seq in self._deletions else event
        told_up_to = max(self._all_up_to, self._edited.get(message.id, 0))
        return event if self._edits.may_have_been(message.id, told_up_to, message.changed_seq) else None

    def taken(self, notice: Notice, event: HookEvent, *, maybe_before: bool) -> None:
        """Called when the receiver has taken a notice. `maybe_before`: it may have got it before, in an earlier
        state."""
        message = notice.message
        if event == "message_updated":
            # No more than that is known: a receiver ignores what it has got under the same name before.
            self._edited.pop(message.id, None)
            self._edited[message.id] = notice.seq
            if len(self._edited) > EDITS_MAX:
                del self._edited[next(iter(self._edited))]
        elif event == "message_deleted" and notice.is_new and not maybe_before:
            if len(self._deletions) >= DELETIONS_MAX:
                self._deletions.clear()
            self._deletions.add(message.changed_seq)
