"""Publishes the presence of the users here to the other nodes."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from handlers.live.clock import Clock, Timer
from handlers.live.peers import Peers
from handlers.live.presence_record import Record

TOPIC = "presence"

GATHERED_S = 0.2
"""Changes within this time are published together."""

USERS_PER_TELL = 10_000

GONE = "gone"
"""In place of a record: the user is here no more."""

GONE_UNNOTED = "gone unnoted"
"""As `GONE`, and this node did not note when the user was last seen, because another one had them."""

Told = Mapping[str, list[int]]
"""By the text of a record, the users with that record: mostly thousands of them with the same."""


class PresenceOutbox:
    """Compares the record of each changed user with the one that was published last, five times a second at most,
    and publishes those that differ. `record_of` is the present record of a user, None for one who is not here."""

    def __init__(self, peers: Peers, clock: Clock, record_of: Callable[[int], Record | None]) -> None:
        self._peers = peers
        self._clock = clock
        self._record_of = record_of
        self._told: dict[int, str] = {}
        self._changed: set[int] = set()
        self._unnoted: set[int] = set()
        self._told_at = float("-inf")
        self._timer: Timer | None = None
        self._closed = False

    def changed(self, user_id: int) -> None:
        """Called when the record of a user may have changed."""
        if self._closed:
            return
        self._changed.add(user_id)
        if self._timer is None:
            wait_s = max(0.0, self._told_at + GATHERED_S - self._clock.monotonic())
            self._timer = self._clock.call_later(wait_s, self._tell)

    def gone(self, user_id: int, *, noted: bool) -> None:
        """Called when a user is here no more; `noted`: this node notes when they were last seen."""
        if not noted:
            self._unnoted.add(user_id)
        self.changed(user_id)

    def snapshot(self) -> Told:
        """All that was published and still holds."""
        return _by_text(self._told)

    def close(self) -> None:
        """Publishes what is due, and nothing after it: the others keep what they know until this node is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._tell()
        self._closed = True

    def _tell(self) -> None:
        self._timer = None
        self._told_at = self._clock.monotonic()
        news: dict[int, str] = {}
        for user_id in self._changed:
            record = self._record_of(user_id)
            if record is not None:
                text = record.text()
                if self._told.get(user_id) != text:
                    news[user_id] = self._told[user_id] = text
            elif self._told.pop(user_id, None) is not None:
                news[user_id] = GONE_UNNOTED if user_id in self._unnoted else GONE
        self._changed.clear()
        self._unnoted.clear()
        for told in _pieces(news):
            self._peers.tell(TOPIC, told)


def _by_text(texts: Mapping[int, str]) -> dict[str, list[int]]:
    told: dict[str, list[int]] = {}
    for user_id, text in texts.items():
        told.setdefault(text, []).append(user_id)
    return told


def _pieces(texts: dict[int, str]) -> Iterator[Any]:
    user_ids = list(texts)
    for start in range(0, len(user_ids), USERS_PER_TELL):
        yield _by_text({user_id: texts[user_id] for user_id in user_ids[start : start + USERS_PER_TELL]})
