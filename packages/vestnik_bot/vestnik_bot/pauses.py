"""How long to wait before the next attempt."""

import random

FIRST_S = 0.2
LONGEST_S = 30.0


class Pauses:
    """Growing pauses with jitter, so that many clients of a restarted server do not come back at the same moment."""

    def __init__(self) -> None:
        self._next_s = FIRST_S

    def next_s(self, wanted_s: float | None = None) -> float:
        """The pause before the next attempt: what the server wants, if it says so."""
        if wanted_s is not None:
            return wanted_s + random.uniform(0, 0.02)
        pause_s = self._next_s
        self._next_s = min(2 * pause_s, LONGEST_S)
        return pause_s * random.uniform(0.5, 1)

    def reset(self) -> None:
        self._next_s = FIRST_S
