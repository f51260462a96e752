"""Why a request is refused, as exceptions. The gates say what each one is called on the wire.

A refused request has changed nothing, and other requests in its batch go on.
"""

from collections.abc import Collection


class Refusal(Exception):
    """The root of all refusals: the state is such that the request cannot be carried out."""


class Forbidden(Refusal):
    """The caller knows of what they ask for, but may not do this with it. The text says why, in English for people."""


class NotFound(Refusal):
    """There is no such thing, or the user who asks is not a member of its chat."""


class Duplicate(Refusal):
    """A value that has to be unique is taken. `field` names it: username, email, login, user_id."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class ClientIdTaken(Refusal):
    """The sender used this client_id before, in another chat."""


class BadContent(Refusal):
    """The content of a message breaks a rule. The text says which one, as `domain.text.content_fault` does."""


class BadReference(Refusal):
    """An id or a cursor names nothing of the same chat or list. `field` names the argument: reply_to, up_to, …"""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class UnknownUsers(Refusal):
    """Some of the user ids belong to nobody, or to deleted users. `user_ids` are those."""

    def __init__(self, user_ids: Collection[int]) -> None:
        super().__init__(sorted(user_ids))
        self.user_ids = sorted(user_ids)


class TooMany(Refusal):
    """There are as many things of a kind as there may be. The text says which, in English for people."""


class OverQuota(Refusal):
    """The files of the user would take more bytes than they may. `quota_bytes` is what they may have, `used_bytes` what
    they have."""

    def __init__(self, quota_bytes: int, used_bytes: int) -> None:
        super().__init__(f"your files may take {quota_bytes} bytes, and take {used_bytes}")
        self.quota_bytes = quota_bytes
        self.used_bytes = used_bytes


class TooSoon(Refusal):
    """The chat is in slow mode, and the member has to wait before they send again, for `wait_ms`."""

    def __init__(self, slow_mode_s: int, wait_ms: int) -> None:
        super().__init__(
            f"this chat is in slow mode: one message every {slow_mode_s} s, so wait {-(-wait_ms // 1000)} s"
        )
        self.wait_ms = wait_ms


class HookPaused(Refusal):
    """The hook is paused: a manager of its chat has paused it, or its maker no longer manages the chat."""


class LastOwner(Refusal):
    """The only owner of a chat cannot give up the role without another owner."""


class LastAdmin(Refusal):
    """The last active admin of the server stays an admin, active and not deleted."""


class TokenUnknown(Refusal):
    """A refresh token that was never issued, has expired, or belongs to a revoked session."""


class TokenReused(Refusal):
    """A refresh token used again after the grace time. Its session is revoked by that."""
