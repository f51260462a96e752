"""Values that do not change."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def frozen(cls: type[T]) -> type[T]:
    """A dataclass with slots whose fields nobody sets again, as the type checker sees to.

    What `dataclass(frozen=True)` does at run time makes a `Message` in 2.2 µs instead of 0.4, and half a dozen such
    values are made of each message that is sent.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
