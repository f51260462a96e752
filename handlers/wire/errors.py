"""What a command can answer instead of a result, in the words of the wire."""

from collections.abc import Mapping
from typing import Literal

Code = Literal[
    "bad_request",
    "unauthenticated",
    "forbidden",
    "not_found",
    "conflict",
    "too_large",
    "unsupported_media",
    "invalid",
    "rate_limited",
    "unavailable",
    "unknown_event",
    "bad_frame",
]

RETRYABLE: frozenset[Code] = frozenset({"rate_limited", "unavailable"})


class ChatError(Exception):
    """A request that failed; the connection goes on.

    `code` is stable and for programs, `message` is English and for people. `fields` says what is wrong with each
    field (only with `invalid` and `conflict`), `retry_after_ms` when it makes sense to try again.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        fields: Mapping[str, str] | None = None,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message
        self.fields = fields
        self.retry_after_ms = retry_after_ms

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.code in RETRYABLE


def not_found(what: str) -> ChatError:
    """The one answer for what is not there and for what the caller may not know of."""
    return ChatError("not_found", f"no such {what}")


def invalid(**fields: str) -> ChatError:
    """An `invalid` that says what is wrong with each field."""
    return ChatError("invalid", "some fields are not right", fields=fields)
