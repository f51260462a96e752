"""Tracebacks for the log, without the texts in which a database driver quotes documents."""

import traceback
from collections.abc import Iterator

_QUOTING = ("pymongo", "bson", "motor")
"""Libraries whose exceptions quote documents: messages, hashes, e-mail addresses."""


def traceback_of(error: BaseException) -> str:
    """The traceback as Python writes it, causes first."""
    return "".join(_lines(error, set())).rstrip("\n")


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    if cause is not None and id(cause) not in seen:
        yield from _lines(cause, seen)
        yield "\nwhich led to:\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{_last_line(error)}\n"
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            if id(part) not in seen:
                yield "\nof which one is:\n\n"
                yield from _lines(part, seen)


def _last_line(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    if kind.__module__.partition(".")[0] in _QUOTING:
        return f"{name}: [its text may quote documents]"
    try:
        return f"{name}: {error}"
    except Exception:
        return f"{name}: [its text cannot be had]"
