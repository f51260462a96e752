"""Notices a signed request that comes a second time."""

from collections import OrderedDict

WINDOW = 16_384
"""A number this far behind the newest one of its sender is refused. Requests overtake each other on their way, by fewer
than a node has under way to another one within its connect timeout."""

SENDERS_MAX = 4096
"""More incarnations than one node meets in its life; of one that is forgotten, requests could come again."""


class _Window:
    """The newest number of a sender, and which of the `WINDOW` numbers up to it have come: bit i is the newest minus
    i."""

    __slots__ = ("came", "newest")

    def __init__(self) -> None:
        self.newest = 0
        self.came = 0

    def take(self, number: int) -> bool:
        ahead = number - self.newest
        if ahead > 0:
            kept = self.came << ahead if ahead < WINDOW else 0
            self.came = (kept | 1) & ((1 << WINDOW) - 1)
            self.newest = number
            return True
        bit = 1 << -ahead
        if -ahead >= WINDOW or self.came & bit:
            return False
        self.came |= bit
        return True


class Replays:
    """The numbers that came from each sender. No clock is asked: clocks of machines differ."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def is_new(self, sender: str, number: int) -> bool:
        """Whether this number of this sender comes for the first time."""
        window = self._windows.get(sender)
        if window is None:
            window = self._windows[sender] = _Window()
            if len(self._windows) > SENDERS_MAX:
                self._windows.popitem(last=False)
        else:
            self._windows.move_to_end(sender)
        return window.take(number)
