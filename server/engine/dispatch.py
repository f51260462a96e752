"""Calling an application's handlers: each once, with the arguments it has room for."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import socketio

Handler = Callable[..., Any]


@functools.lru_cache(maxsize=1024)
def _fits(function: Handler, count: int) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some builtins tell nothing
        return True
    try:
        signature.bind(*(None,) * count)
    except TypeError:
        return False
    return True


def fit(handler: Handler, args: Sequence[Any]) -> Sequence[Any]:
    """The arguments without the last, if the handler has no room for it: `connect` may do without the auth, and
    `disconnect` without the reason.

    To find that out by calling, as TypeError tells, is to call a handler twice that fails by itself.
    """
    function, count = handler, len(args)
    if inspect.ismethod(handler):  # methods are made anew at each access; what they wrap stays
        function, count = handler.__func__, count + 1
    return args if _fits(function, count) else args[:-1]


class Deferred:
    """What a handler may return for an ack that is to come later: `subscribe` is called with the function that sends
    it, to be called once, on the event loop. The ack goes out with what is posted in that turn, after it."""

    __slots__ = ("subscribe",)

    def __init__(self, subscribe: Callable[[Callable[[Any], None]], None]) -> None:
        self.subscribe = subscribe


async def call(handler: Handler, args: Sequence[Any]) -> Any:
    """What the handler returns, be it a function or a coroutine function. A future is not awaited here."""
    try:
        result = handler(*args)
        return await result if inspect.iscoroutine(result) else result
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return None  # something the handler waited for was cancelled, not we


async def call_namespace(namespace: socketio.AsyncNamespace, event: str, args: Sequence[Any]) -> Any:
    """Calls the method for an event of a namespace object; one with its own `trigger_event` decides itself."""
    if event in ("connect", "disconnect") and (method := getattr(namespace, "on_" + event, None)) is not None:
        args = fit(method, args)
    if type(namespace).trigger_event is not socketio.AsyncNamespace.trigger_event:
        return await namespace.trigger_event(event, *args)
    method = getattr(namespace, "on_" + event, None)
    return None if method is None else await call(method, args)
