"""A test or a fixture that hangs fails, and its report says where every task and thread stands."""

import asyncio
import faulthandler
import gc
import inspect
import linecache
import signal
import sys
from collections.abc import Iterator
from itertools import cycle
from types import FrameType
from typing import Any

import pytest

LIMIT_S = 150.0
"""How long a test may take, and how long all its fixtures before it, and after it."""

AGAIN_S = 20.0
"""After this time the next one fails: what is torn down after the one that hung may hang as well."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    yield from _limited(item)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    yield from _limited(item)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    yield from _limited(item)


def _limited(item: pytest.Item) -> Iterator[None]:
    if sys.platform == "win32" or item.get_closest_marker("long"):
        yield
        return
    # A loop that waits is stopped, which ends the wait with an error. One that is held up has to be interrupted, as
    # is whatever runs without a loop.
    stops = cycle((True, False))

    def hangs(_number: int, _frame: FrameType | None) -> None:
        loop = asyncio._get_running_loop()
        sys.stderr.write(f"{item.name} hangs: {LIMIT_S:g} s have passed\n")
        faulthandler.dump_traceback(2)
        if loop is not None:
            _show_waits()
        if loop is None or not next(stops):
            pytest.fail(f"hangs: {LIMIT_S:g} s have passed")
        loop.call_soon_threadsafe(loop.stop)

    previous = signal.signal(signal.SIGALRM, hangs)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _show_waits() -> None:
    """Writes where each task waits, and each fixture that is in the middle of something."""
    for task in asyncio.all_tasks():
        sys.stderr.write(f"{task.get_name()} waits:\n")
        inner: Any = task.get_coro()
        while inner is not None:
            _show_line(getattr(inner, "cr_frame", None))
            inner = getattr(inner, "cr_await", None)
    for one in gc.get_objects():
        if inspect.isasyncgen(one) and one.ag_running:
            sys.stderr.write("A generator waits:\n")
            _show_line(one.ag_frame)


def _show_line(frame: FrameType | None) -> None:
    if frame is not None:
        path = frame.f_code.co_filename
        line = linecache.getline(path, frame.f_lineno).strip()
        sys.stderr.write(f'  File "{path}", line {frame.f_lineno}, in {frame.f_code.co_name}: {line}\n')
