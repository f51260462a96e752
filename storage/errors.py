"""What goes wrong with a store itself. What it refuses is in `domain.refusals`."""

from typing import Literal

Trouble = Literal[
    "full",
    "read_only",
    "locked",
    "broken",
    "gone",
    "unreachable",
    "unconfirmed",
    "slow",
    "failing",
    "contested",
    "newer",
    "closed",
]
"""What is wrong with a store that cannot serve.

full: there is no room. read_only: it may not be written. locked: another program holds the write lock. broken: what is
stored is damaged. gone: the file was deleted or replaced. unreachable: there is no connection. unconfirmed: the write
concern was not met. slow: a write does not end. failing: anything else. Of these three the store is not to blame:
contested: other nodes were faster each time. newer: a newer node wrote what this version does not know; other chats
are served. closed: this server is stopping.
"""


class StorageError(Exception):
    """The root of everything a store raises on purpose."""


class NotIndexed(StorageError):
    """Messages from before the store could be searched are still being indexed. Trying again later is right."""


class Unavailable(StorageError):
    """The store could not serve; trying again is right.

    The text is for the operator, and names no content. What was asked did not happen, unless `trouble` is unreachable
    or unconfirmed: then it may have happened.
    """

    def __init__(self, text: str, trouble: Trouble = "unreachable") -> None:
        super().__init__(text)
        self.trouble: Trouble = trouble

    def again(self) -> "Unavailable":
        """The same for another waiter: an exception that is raised in many places gathers their tracebacks."""
        copy = Unavailable(str(self), self.trouble)
        copy.__cause__ = self.__cause__
        return copy
