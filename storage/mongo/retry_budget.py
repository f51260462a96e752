"""How long a write is tried again."""

import asyncio

from storage.errors import Unavailable
from storage.mongo.database import RETRY_S, UnknownOutcome

_PAUSE_S = 0.05
_CONTEST_S = 30.0


class RetryBudget:
    """How long one item, or a run of them, may be tried."""

    def __init__(self) -> None:
        self._start = asyncio.get_running_loop().time()

    async def again(self, unknown: UnknownOutcome | None = None) -> None:
        """Returns when it is time for another try: at once, but for a lost connection.

        Raises: `Unavailable` when it is time to give up.
        """
        passed_s = asyncio.get_running_loop().time() - self._start
        if unknown is not None:
            if passed_s > RETRY_S:
                raise unknown.unavailable()
            await asyncio.sleep(_PAUSE_S)
        elif passed_s > _CONTEST_S:
            raise Unavailable("others write to the same chats all the time", "contested")
