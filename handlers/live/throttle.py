"""Something that is done at once, and then not again for a while however often it is asked for."""

from collections.abc import Callable

from handlers.live.clock import Clock, Timer


class Throttle:
    """Calls back with a key at once, and then at most every `every_s` seconds, once more after the last request."""

    def __init__(self, clock: Clock, every_s: float, call: Callable[[int], None]) -> None:
        self._clock = clock
        self._every_s = every_s
        self._call = call
        self._pausing: dict[int, Timer] = {}
        self._asked: set[int] = set()

    def ask(self, key: int) -> None:
        if key in self._pausing:
            self._asked.add(key)
            return
        self._pausing[key] = self._clock.call_later(self._every_s, lambda: self._go_on(key))
        self._call(key)

    def stop(self) -> None:
        for timer in self._pausing.values():
            timer.cancel()

    def _go_on(self, key: int) -> None:
        del self._pausing[key]
        if key in self._asked:
            self._asked.discard(key)
            self.ask(key)
