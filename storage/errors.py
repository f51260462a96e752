"""What a store can answer instead of a result. An item's failure is its own: others in its batch go on."""

from collections.abc import Collection


class StorageError(Exception):
    """The root of everything a store raises on purpose."""


class Unavailable(StorageError):
    """The store cannot be reached, or could not commit. What was asked did not happen; trying again is right."""


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
