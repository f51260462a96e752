"""Calling an application's handlers: each once, with the arguments it has room for."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import socketio

from . import cancellation

Handler = Callable[..., Any]
Found = tuple[Handler | None, Sequence[Any]]
"""A handler, and the arguments it is to be called with; None if there is none."""

RESERVED = ("connect", "disconnect")
"""The events that are the server's own: no `*` handler gets them."""


@functools.lru_cache(maxsize=1024)
def _fits(function: Handler, count: int) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some builtins have none
        return True
    try:
        signature.bind(*(None,) * count)
    except TypeError:
        return False
    return True


def fit(handler: Handler, args: Sequence[Any]) -> Sequence[Any]:
    """The arguments without the last, if the handler has no room for it: `connect` may do without the auth, and
    `disconnect` without the reason.

    To find that out by calling and catching TypeError is to call a handler twice that fails by itself.
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
        if cancellation.is_ours():
            raise
        return None  # something the handler waited for was cancelled, not this task


async def call_namespace(namespace: socketio.AsyncNamespace, event: str, args: Sequence[Any]) -> Any:
    """Calls the method for an event of a namespace object; one with its own `trigger_event` decides itself."""
    if event in RESERVED and (method := getattr(namespace, "on_" + event, None)) is not None:
        args = fit(method, args)
    if type(namespace).trigger_event is not socketio.AsyncNamespace.trigger_event:
        return await call(namespace.trigger_event, (event, *args))
    method = getattr(namespace, "on_" + event, None)
    return None if method is None else await call(method, args)


def find_handler(
    handlers: Mapping[str, Mapping[str, Handler]], event: str, namespace: str, args: Sequence[Any]
) -> Found:
    """The function registered for an event: by both names, by the namespace's, by the event's, or for everything. The
    names that stand for others (`*`) are its first arguments, the event's before the namespace's."""
    named, any_namespace = handlers.get(namespace, {}), handlers.get("*", {})
    if event in named:
        return named[event], args
    if event not in RESERVED and "*" in named:
        return named["*"], (event, *args)
    if event in any_namespace:
        return any_namespace[event], (namespace, *args)
    if event not in RESERVED and "*" in any_namespace:
        return any_namespace["*"], (event, namespace, *args)
    return None, args


def find_namespace(
    namespaces: Mapping[str, socketio.AsyncNamespace], namespace: str, args: Sequence[Any]
) -> tuple[socketio.AsyncNamespace | None, Sequence[Any]]:
    """The namespace object registered under a name, or for all names; then the name is its first argument."""
    found = namespaces.get(namespace)
    if found is None and "*" in namespaces:
        return namespaces["*"], (namespace, *args)
    return found, args


async def trigger_event(server: Any, event: str, namespace: str, *args: Any) -> Any:
    """Calls the handler that a `socketio.AsyncServer` has for an event; its `not_handled` if there is none."""
    if server.handlers:
        handler, handler_args = find_handler(server.handlers, event, namespace, args)
        if handler is not None:
            if event in RESERVED:
                handler_args = fit(handler, handler_args)
            return await call(handler, handler_args)
    found, namespace_args = find_namespace(server.namespace_handlers, namespace, args)
    if found is None:
        return server.not_handled
    return await call_namespace(found, event, namespace_args)
