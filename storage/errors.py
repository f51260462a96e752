"""What a store can answer instead of a result. An item's failure is its own: others in its batch go on."""

from collections.abc import Collection
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
    "closed",
]
"""What is wrong with a store that cannot serve.

full: there is no room. read_only: it may not be written. locked: another program holds the write lock. broken: what is
stored is damaged. gone: the file was deleted or replaced. unreachable: there is no connection. unconfirmed: the write
concern was not met. slow: a write does not end. failing: anything else. Of these two the store is not to blame:
contested: other servers were faster each time. closed: this server is stopping.
"""


class StorageError(Exception):
    """The root of everything a store raises on purpose."""


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


class NotFound(StorageError):
    """There is no such thing, or the user it was asked for is not a member of its chat."""


class Duplicate(StorageError):
    """A value that has to be unique is taken. `field` names it: username, email, user_id."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class ClientIdTaken(StorageError):
    """The sender used this client_id before, in another chat."""


class UnknownUsers(StorageError):
    """Some of the user ids belong to nobody (or to deleted users). `user_ids` are those."""

    def __init__(self, user_ids: Collection[int]) -> None:
        super().__init__(sorted(user_ids))
        self.user_ids = sorted(user_ids)


class BadReference(StorageError):
    """A message id names no message of the same chat. `field` names the argument: reply_to, up_to, before, …"""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class LastOwner(StorageError):
    """The only owner of a chat cannot give up the role without another owner."""


class TokenUnknown(StorageError):
    """A refresh token that was never given out, has expired, or belongs to a revoked session."""


class TokenReused(StorageError):
    """A refresh token used again after the grace time. Its session has been revoked in the same write."""
