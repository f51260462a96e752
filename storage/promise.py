"""What a queued write returns at once."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Promise(asyncio.Future[T]):
    """A future that can also call back in the very turn in which it is settled.

    `then` is what the order of acks and events rests on: a store publishes a batch and settles the promises
    of that batch in one turn. So an ack is written together with the event it belongs to, and no callback goes through
    the queue of the event loop.
    """

    _callbacks_now: list[Callable[["Promise[T]"], None]] | None = None

    def then(self, callback: Callable[["Promise[T]"], None]) -> None:
        """Calls back with this promise in the turn in which it is settled or cancelled, at once if that has been; those
        of one promise in the order of the calls. An exception of a callback goes to the loop's exception handler."""
        if self.done():
            callback(self)
        elif self._callbacks_now is None:
            self._callbacks_now = [callback]
        else:
            self._callbacks_now.append(callback)

    def settle(self, outcome: T | Exception) -> None:
        """Sets the result or the exception. Does nothing if the promise is settled, or was cancelled."""
        if self.done():
            return
        if isinstance(outcome, Exception):
            self.set_exception(outcome)
        else:
            self.set_result(outcome)
        self._call_back()

    def cancel(self, msg: Any | None = None) -> bool:
        cancelled = super().cancel(msg)
        self._call_back()
        return cancelled

    def _call_back(self) -> None:
        callbacks, self._callbacks_now = self._callbacks_now, None
        for callback in callbacks or ():
            try:
                callback(self)
            except Exception as error:
                self.get_loop().call_exception_handler(
                    {"message": "a callback of a write raised", "exception": error}
                )
