"""The presence of the users of other nodes, as those nodes publish it."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import structlog

from handlers.live.clock import Clock, Timer
from handlers.live.presence_outbox import GONE, GONE_UNNOTED, Told
from handlers.live.presence_record import (
    AUTO,
    NO_CHOICE,
    OFFLINE,
    Choice,
    Record,
    chosen,
    left,
    read_record,
    seen,
)

log = structlog.get_logger("vestnik")

USERS_PER_TURN = 200
"""How many users are changed before the loop goes on: what a node publishes about ten thousand users takes fifty
turns."""

Changed = Callable[[int, str, Record | None], None]
"""Called with a user, what others saw of them before, and their new record on one node, None if it is gone."""


class PeerPresence:
    """The records of other nodes, by incarnation and user.

    A node that is gone keeps its users for `kept_s` as users who are leaving: most of them come back to another one.
    `is_here` says whether a user is on this node, and `status_of` what others see of them; `changed` is called after
    each change. `abandoned` is called with those whose node has died and whom no node has, and `unnoted` with each
    user whom no node has and whose end the last ones have not noted.

    A record takes about 90 bytes: equal records are one object.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        kept_s: Callable[[], float],
        is_here: Callable[[int], bool],
        status_of: Callable[[int], str],
        changed: Changed,
        unnoted: Callable[[int], None],
        abandoned: Callable[[Sequence[int]], None],
    ) -> None:
        self._clock = clock
        self._kept_s = kept_s
        self._is_here = is_here
        self._status_of = status_of
        self._changed = changed
        self._unnoted = unnoted
        self._abandoned = abandoned
        self.records: dict[str, dict[int, Record]] = {}
        """Empty as long as no other node has published a user."""
        self._ending: dict[str, Timer] = {}
        """The incarnations that are gone and whose users are kept, each with the timer that ends this."""
        self._steps: deque[Iterator[None]] = deque()
        """What is still to be done, in order; each step of an iterator changes one user."""
        self._next_turn: Timer | None = None

    def of(self, user_id: int) -> Sequence[Record]:
        """The records of a user."""
        return [records[user_id] for records in self.records.values() if user_id in records]

    def status_of(self, user_id: int) -> str:
        """What others see of a user who is not connected here."""
        found = self.of(user_id)
        if len(found) != 1 or found[0].choice[1] != AUTO:
            return seen(found)
        return OFFLINE if found[0].wish[1] else found[0].status

    def stay(self, user_id: int) -> bool:
        """Whether the user has a connection to another node."""
        return not all(record.leaving for record in self.of(user_id))

    def have(self, user_id: int) -> bool:
        """Whether a node that is not gone has the user."""
        return any(
            user_id in records
            for incarnation, records in self.records.items()
            if incarnation not in self._ending
        )

    def choose(self, user_id: int, choice: Choice) -> None:
        """Notes what the user has chosen, for all nodes that have the user: those nodes may not know it yet. `changed`
        is not called."""
        for records in self.records.values():
            record = records.get(user_id)
            if record is not None and record.choice[0] <= choice[0]:
                records[user_id] = chosen(record, choice)

    def heard(self, incarnation: str, told: Told) -> None:
        """Handles what a node has published."""
        self._begin(self._change(incarnation, told))

    def load(self, incarnation: str, told: Told) -> None:
        """Takes the whole of what a node has published, in place of what is known of it."""
        timer = self._ending.pop(incarnation, None)
        if timer is not None:
            timer.cancel()
        self._begin(self._replace(incarnation, told))

    def gone(self, incarnation: str, ended: bool) -> None:
        """Takes the users of a node that is gone for users who are leaving. `ended`: it has said so itself, and has
        noted when its users were last seen."""
        if incarnation not in self._ending:
            self._begin(self._leave(incarnation))
            self._ending[incarnation] = self._clock.call_later(
                self._kept_s(), lambda: self._drop(incarnation, ended)
            )

    def stop(self) -> None:
        for timer in (self._next_turn, *self._ending.values()):
            if timer is not None:
                timer.cancel()
        self._steps.clear()

    def _begin(self, steps: Iterator[None]) -> None:
        self._steps.append(steps)
        if len(self._steps) == 1:
            self._work()

    def _work(self) -> None:
        for _ in range(USERS_PER_TURN):
            while not self._step():
                self._steps.popleft()
                if not self._steps:
                    return
        self._next_turn = self._clock.call_later(0, self._work)

    def _step(self) -> bool:
        """Takes one step of what is first in line; False if that is done."""
        try:
            return next(self._steps[0], True) is None
        except Exception:
            log.exception("the presence that another node tells could not be used")
            return False

    def _change(self, incarnation: str, told: Told) -> Iterator[None]:
        for text, user_ids in told.items():
            record = None if text in (GONE, GONE_UNNOTED) else read_record(text)
            for user_id in user_ids:
                self._set(incarnation, user_id, record)
                if text == GONE_UNNOTED and self._nobody_has(user_id):
                    self._unnoted(user_id)
                yield

    def _replace(self, incarnation: str, told: Told) -> Iterator[None]:
        kept = {user_id for user_ids in told.values() for user_id in user_ids}
        for user_id in self.records.get(incarnation, {}).keys() - kept:
            self._set(incarnation, user_id, None)
            yield
        yield from self._change(incarnation, told)

    def _leave(self, incarnation: str) -> Iterator[None]:
        for user_id, record in list(self.records.get(incarnation, {}).items()):
            self._set(incarnation, user_id, left(record))
            yield

    def _drop(self, incarnation: str, ended: bool) -> None:
        self._begin(self._end(incarnation, ended))

    def _end(self, incarnation: str, ended: bool) -> Iterator[None]:
        user_ids = list(self.records.get(incarnation, ()))
        for user_id in user_ids:
            self._set(incarnation, user_id, None)
            yield
        self.records.pop(incarnation, None)
        self._ending.pop(incarnation, None)
        if not ended:
            self._abandoned([user_id for user_id in user_ids if self._nobody_has(user_id)])

    def _nobody_has(self, user_id: int) -> bool:
        return not self._is_here(user_id) and not self.of(user_id)

    def _set(self, incarnation: str, user_id: int, record: Record | None) -> None:
        before = self._status_of(user_id)
        records = self.records.setdefault(incarnation, {})
        if record is not None:
            known = max((one.choice for one in self.of(user_id)), default=record.choice)
            records[user_id] = record = chosen(record, max(record.choice, known))
        else:
            gone = records.pop(user_id, None)
            if gone is None:
                return
            if gone.choice != NO_CHOICE:
                self.choose(user_id, gone.choice)  # other nodes may not know it yet
        self._changed(user_id, before, record)
