"""Kinds of change that a test declares and that are gone after it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from domain import changes
from domain.changes import Change
from handlers.wire import events

ChangeT = TypeVar("ChangeT", bound=Change)


@contextmanager
def declared_kinds(*, since: int = 1) -> Iterator[Callable[[str], Callable[[type[ChangeT]], type[ChangeT]]]]:
    """`domain.changes.change` for logged kinds of a format; at the end all registries are as they were."""
    registries: tuple[dict[object, object], ...] = (changes._KINDS, events.ROOM_EVENTS)  # type: ignore[assignment]
    before = [dict(registry) for registry in registries]
    try:
        yield partial(changes.change, logged=True, since=since)
    finally:
        for registry, entries in zip(registries, before, strict=True):
            registry.clear()
            registry.update(entries)
