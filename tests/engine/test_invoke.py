import asyncio
import functools
from typing import Any

import pytest
import socketio

from server.engine import invoke


def two(sid: str, environ: Any) -> None: ...
def three(sid: str, environ: Any, auth: Any) -> None: ...
def optional(sid: str, environ: Any, auth: Any = None) -> None: ...
def many(*args: Any) -> None: ...


class Methods:
    def two(self, sid: str, environ: Any) -> None: ...
    def three(self, sid: str, environ: Any, auth: Any) -> None: ...


@pytest.mark.parametrize(
    ("handler", "count"),
    [
        (two, 2),
        (three, 3),
        (optional, 3),
        (many, 3),
        (Methods().two, 2),
        (Methods().three, 3),
        (functools.partial(three, "x"), 2),
        (print, 3),
        (lambda sid, environ: None, 2),
    ],
)
def test_fit(handler: Any, count: int) -> None:
    assert len(invoke.fit(handler, (1, 2, 3))) == count


async def test_call() -> None:
    async def later(x: int) -> int:
        return x

    assert await invoke.call(lambda x: x, (1,)) == 1
    assert await invoke.call(later, (1,)) == 1
    assert await invoke.call(functools.partial(later, 1), ()) == 1
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    assert await invoke.call(lambda: future, ()) is future


async def test_cancelled_work_inside_a_handler_is_not_our_cancellation() -> None:
    async def handler() -> None:
        raise asyncio.CancelledError

    assert await invoke.call(handler, ()) is None


async def test_our_cancellation_is() -> None:
    task = asyncio.ensure_future(invoke.call(asyncio.sleep, (10,)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_namespace_with_its_own_trigger() -> None:
    class Own(socketio.AsyncNamespace):
        async def trigger_event(self, event: str, *args: Any) -> Any:
            return event, args

        def on_connect(self, sid: str, environ: Any) -> None: ...

    assert await invoke.call_namespace(Own("/"), "x", (1, 2)) == ("x", (1, 2))
    assert await invoke.call_namespace(Own("/"), "connect", (1, 2, 3)) == ("connect", (1, 2))


async def test_a_type_error_calls_nobody_twice() -> None:
    seen: list[Any] = []

    class Failing(socketio.AsyncNamespace):
        def on_disconnect(self, sid: str, reason: str = "") -> None:
            seen.append(reason)
            raise TypeError("inside")

    with pytest.raises(TypeError, match="inside"):
        await invoke.call_namespace(Failing("/"), "disconnect", ("sid", "why"))
    assert seen == ["why"]
    assert await invoke.call_namespace(Failing("/"), "unknown", ("sid",)) is None


async def test_cancelled_work_inside_a_namespace_of_its_own_is_not_our_cancellation() -> None:
    class Own(socketio.AsyncNamespace):
        async def trigger_event(self, event: str, *args: Any) -> None:
            raise asyncio.CancelledError

    assert await invoke.call_namespace(Own("/"), "x", ()) is None
