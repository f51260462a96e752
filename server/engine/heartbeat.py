"""One sweep for all heartbeats: no task and no timer per connection."""

from collections import deque
from typing import Protocol

from .clock import Clock, LoopClock, Timer

LATE_S = 0.25
"""A loop that was held up this long may have answers unread in its sockets: it reads them before it expires a peer."""

EARLY = 0.01
"""The share of the interval by which a ping may be early, to go out with others."""


class Beating(Protocol):
    """What has a heartbeat. `last_seen` is the clock's time of the last sign of life, of whatever kind."""

    last_seen: float

    def ping(self) -> None:
        """Asks for a sign of life. Must not suspend."""

    def expire(self) -> None:
        """No sign of life in time. Must not suspend. Called again at later pings until removed."""


class _Beat:
    """A peer's place in the queues; `peer` is None once removed, so that removal is O(1)."""

    __slots__ = ("peer", "pinged_at")

    def __init__(self, peer: Beating) -> None:
        self.peer: Beating | None = peer
        self.pinged_at: float | None = None


class Heartbeat:
    """Pings every peer each `interval_s` and expires those not seen within `timeout_s` of a ping.

    Both delays are the same for all peers, so that the next ping due and the next deadline are the heads of two
    first-in-first-out queues: a ping costs O(1) and one timer serves all.
    """

    def __init__(self, interval_s: float, timeout_s: float, clock: Clock | None = None) -> None:
        self.interval_s = interval_s
        self.timeout_s = timeout_s
        self._clock: Clock = clock or LoopClock()
        self._beats: dict[Beating, _Beat] = {}
        self._due: deque[tuple[float, _Beat]] = deque()
        self._deadlines: deque[tuple[float, float, _Beat]] = deque()
        self._timer: Timer | None = None

    def __len__(self) -> int:
        return len(self._beats)

    def add(self, peer: Beating) -> None:
        """The first ping follows after one interval. Does nothing for a peer already there."""
        if peer in self._beats:
            return
        beat = self._beats[peer] = _Beat(peer)
        self._due.append((self._clock.time() + self.interval_s, beat))
        self._arm()

    def remove(self, peer: Beating) -> None:
        """Neither pings nor expires the peer after this. Does nothing for an unknown peer."""
        beat = self._beats.pop(peer, None)
        if beat is not None:
            beat.peer = None
        if not self._beats:
            self.stop()

    def overdue(self, peer: Beating) -> bool:
        """True if the peer has not answered its last ping in time, even if the sweep has not come by yet."""
        beat = self._beats.get(peer)
        if beat is None or beat.pinged_at is None:
            return False
        return peer.last_seen < beat.pinged_at and self._clock.time() >= beat.pinged_at + self.timeout_s

    def stop(self) -> None:
        """Forgets all peers and the timer."""
        self._beats.clear()
        self._due.clear()
        self._deadlines.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._timer is None and (heads := self._heads()):
            self._timer = self._clock.call_at(min(heads), self._sweep)

    def _heads(self) -> list[float]:
        return [queue[0][0] for queue in (self._due, self._deadlines) if queue]

    def _sweep(self) -> None:
        now = self._clock.time()
        late = now - min(self._heads()) > LATE_S
        self._timer = None
        self._send_due(now, late)
        if late:
            # What arrived meanwhile has not been read yet; the readers run once before a peer is expired.
            self._timer = self._clock.call_later(LATE_S, self._sweep_after_delay)
        else:
            self._expire_overdue(now)
            self._arm()

    def _sweep_after_delay(self) -> None:
        self._timer = None
        self._expire_overdue(self._clock.time())
        self._arm()

    def _send_due(self, now: float, late: bool) -> None:
        """Pings all that are due.

        Times follow the plan, not the clock, or every late turn would make the next one later; only after a real delay
        does the clock count, as a deadline must not pass before its ping is sent. Peers due a little later are pinged
        with the first, and from then on together: one sweep, and one turn that reads their answers.
        """
        while self._due and self._due[0][0] <= now + self.interval_s * EARLY:
            planned, beat = self._due.popleft()
            if beat.peer is None:
                continue
            beat.pinged_at = sent_at = now if late else min(planned, now)
            self._due.append((sent_at + self.interval_s, beat))
            self._deadlines.append((sent_at + self.timeout_s, sent_at, beat))
            beat.peer.ping()

    def _expire_overdue(self, now: float) -> None:
        while self._deadlines and self._deadlines[0][0] <= now:
            _, pinged_at, beat = self._deadlines.popleft()
            if beat.peer is not None and beat.peer.last_seen < pinged_at:
                beat.peer.expire()
