"""What waits in the queue of a store's writer, and how a batch of it is cut into runs."""

from abc import ABC
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, ClassVar, Generic, ParamSpec, TypeVar

from domain.refusals import Refusal

P = ParamSpec("P")
ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)

_CLASS_OF: Callable[[Any], Any] = attrgetter("__class__")


class Item(ABC, Generic[ResultT_co]):
    """A write that waits for its turn. `alone`: it shares nothing with its neighbours."""

    __slots__ = ()
    alone: ClassVar[bool] = False

    @property
    def weight(self) -> int:
        """About how many bytes of content it writes."""
        return 0

    @property
    def is_write(self) -> bool:
        """Whether a client waits for it to be stored, so that the operator counts it if it fails."""
        return True


ItemT = TypeVar("ItemT", bound=Item[Any])


def runs(items: Sequence[ItemT]) -> Iterator[tuple[type[ItemT], Sequence[ItemT]]]:
    """The items in their order, those of one class that stand next to each other together, with their class."""
    for kind, group in groupby(items, _CLASS_OF):
        if kind.alone:
            for item in group:
                yield kind, [item]
        else:
            yield kind, list(group)


def outcome_of(action: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs) -> ResultT | Refusal:
    """The result, or the refusal. Any other exception is raised: it is nobody's answer."""
    try:
        return action(*args, **kwargs)
    except Refusal as refusal:
        return refusal
