"""What a node is handing on to others at one time: bounded, and ended when one of its two sides is gone."""

from collections import Counter
from collections.abc import Callable
from itertools import islice

from server.engine import Clock
from server.engine.clock import Timer
from server.nodes.relay_owners import Owners

SWEEP_EVERY_S = 1.0

OF_SESSION_MAX = 4
"""A client has a GET and a POST under way, and for a while the WebSocket of an upgrade; an answer may not be written to
its end when the next request comes."""

OF_STRANGERS_MAX = 1_024
"""From one address, for sessions that are not recognized yet, which takes as long as a login. A body may come for 90 s,
and strangers may open 300 sessions a second: they would soon have all passages."""

TO_OWNER_MAX = 8_192
TOTAL_MAX = 16_384
"""A poll is under way nearly all the time of its session, a tunnel as long as its WebSocket. Each takes two open files;
a poll takes 34 KiB, a tunnel 8 KiB and what it has not written yet."""


class TooManyRelayed(Exception):
    """Nothing more is handed on for this session, for strangers of this address, to this node, or at all."""


class Passage:
    """One request that is being handed on, or one tunnel. `end` ends it, `is_left` says whether its client is gone.
    `stranger` is the address of a client whose session was not recognized yet, else ""."""

    __slots__ = ("end", "is_left", "owner", "sid", "stranger", "url")

    def __init__(self, sid: str, owner: str, url: str, stranger: str) -> None:
        self.sid, self.owner, self.url, self.stranger = sid, owner, url, stranger
        self.end: Callable[[], None] = lambda: None
        self.is_left: Callable[[], bool] = lambda: False


class Traffic:
    """All passages of a node."""

    def __init__(self, owners: Owners, clock: Clock) -> None:
        self._owners = owners
        self._clock = clock
        self._passages: set[Passage] = set()
        self._of_session: Counter[str] = Counter()
        self._of_strangers: Counter[str] = Counter()
        self._to_owner: Counter[str] = Counter()
        self._tunnels: dict[Passage, None] = {}
        """The passages that are tunnels, the oldest first."""
        self._timer: Timer | None = None
        self.refused = 0
        """How many were refused because there were too many."""

    def __len__(self) -> int:
        return len(self._passages)

    def enter(self, sid: str, owner: str, url: str, stranger: str = "") -> Passage:
        """A new passage. Raises: `TooManyRelayed`."""
        if (
            self._of_session[sid] >= OF_SESSION_MAX
            or (stranger and self._of_strangers[stranger] >= OF_STRANGERS_MAX)
            or self._to_owner[owner] >= TO_OWNER_MAX
            or len(self._passages) >= TOTAL_MAX
        ):
            self.refused += 1
            raise TooManyRelayed
        passage = Passage(sid, owner, url, stranger)
        self._passages.add(passage)
        if stranger:
            self._of_strangers[stranger] += 1
        self._of_session[sid] += 1
        self._to_owner[owner] += 1
        if self._timer is None:
            self._timer = self._clock.call_later(SWEEP_EVERY_S, self._sweep)
        return passage

    def leave(self, passage: Passage) -> None:
        """The passage is over. Does nothing for one that was over before."""
        if passage not in self._passages:
            return
        self._passages.remove(passage)
        self._tunnels.pop(passage, None)
        self._recognized(passage)
        _count_down(self._of_session, passage.sid)
        _count_down(self._to_owner, passage.owner)

    def became_tunnel(self, passage: Passage) -> None:
        """The passage lasts as long as its client's WebSocket, which the other server ends if it is not recognized in
        time."""
        if passage in self._passages:
            self._recognized(passage)
            self._tunnels[passage] = None

    def _recognized(self, passage: Passage) -> None:
        """The passage is no stranger's, or over."""
        if passage.stranger:
            _count_down(self._of_strangers, passage.stranger)
            passage.stranger = ""

    @property
    def tunnel_count(self) -> int:
        """How many tunnels are open."""
        return len(self._tunnels)

    def end_tunnels(self, count: int) -> None:
        """Cuts up to `count` tunnels, the oldest first; their clients connect anew. For a node that goes away, and
        whose proxy sends nobody any more: polls end by themselves."""
        for passage in list(islice(self._tunnels, count)):
            passage.end()
            self._tunnels.pop(passage, None)

    def stop(self) -> None:
        """Ends all passages."""
        for passage in list(self._passages):
            passage.end()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sweep(self) -> None:
        """Ends the passages whose client is gone, which aiohttp tells nobody who waits for something else, and those
        whose node is no longer there, which may be long before the system gives up its connections."""
        for passage in list(self._passages):
            if passage.is_left() or self._owners.url_now(passage.owner) != passage.url:
                passage.end()
        self._timer = self._clock.call_later(SWEEP_EVERY_S, self._sweep) if self._passages else None


def _count_down(counts: Counter[str], key: str) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
