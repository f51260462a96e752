"""Rests of a reader's thread that computes for long."""

import time

_UNRESTED_S = 0.02
_AT_LEAST_S = 0.001


class Rests:
    """The event loop waits for the interpreter lock whenever a thread that computes has it. A thread that has computed
    for longer than 20 ms of a processor rests three times as long as it works from then on: whoever searches for the
    most frequent words, or writes a thousand messages of the longest kind, could keep the lock for seconds."""

    REST_TIMES = 3

    def __init__(self) -> None:
        self._began_s = self._since_s = time.thread_time()

    def pause(self) -> None:
        """Rests, if it is time. Called after each piece of work."""
        now_s = time.thread_time()
        if now_s - self._began_s > _UNRESTED_S and now_s - self._since_s > _AT_LEAST_S:
            time.sleep(self.REST_TIMES * (now_s - self._since_s))
            self._since_s = time.thread_time()
