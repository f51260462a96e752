"""What a command can answer instead of a result, in the words of the wire."""

from collections.abc import Mapping
from typing import Any, Literal

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

MEANINGS: Mapping[Code, str] = {
    "bad_request": "the server cannot read the request",
    "unauthenticated": "no token, a bad or expired token, an ended session; a wrong password at login",
    "forbidden": "the caller may see it but not do this; the account has ended; the origin is refused",
    "not_found": "it does not exist, or the caller may not know of it",
    "conflict": "it is taken already, it is the last one, or there are as many as there may be",
    "too_large": "the body is too large, or the files of the user are",
    "unsupported_media": "the body is of another type than expected, or compressed",
    "invalid": "`fields` says what is wrong with each field",
    "rate_limited": "too fast, too many requests at once, or too many bytes unread",
    "unavailable": "the store cannot serve, or the server has an internal error",
    "unknown_event": "there is no such command on the sockets",
    "bad_frame": "the frame is no JSON object, or its `type` or `id` is not allowed",
}
"""For documents."""

RETRYABLE: frozenset[Code] = frozenset({"rate_limited", "unavailable"})


class ChatError(Exception):
    """A request that failed; its connection goes on.

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
        self.fields = dict(fields) if fields else None
        self.retry_after_ms = retry_after_ms

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.code in RETRYABLE


GateKind = Literal["socket", "rest"]

_PARTS: Mapping[GateKind, tuple[str, ...]] = {
    "socket": ("code", "message", "retryable", "retry_after_ms", "fields"),
    "rest": ("code", "message", "fields", "retry_after_ms"),
}
"""What each kind of gate sends of an error, in this order. REST has a status beside it, so it has no `retryable`."""


def error_view(error: ChatError, gate: GateKind) -> dict[str, Any]:
    """An error as a gate sends it; `fields` and `retry_after_ms` are left out of an error that has none."""
    parts = ((name, getattr(error, name)) for name in _PARTS[gate])
    return {name: value for name, value in parts if value is not None}


def not_found(what: str) -> ChatError:
    """The one answer for what is not there and for what the caller may not know of."""
    return ChatError("not_found", f"no such {what}")


def invalid(**fields: str) -> ChatError:
    """An `invalid` that says what is wrong with each field."""
    return ChatError("invalid", "some fields are not right", fields=fields)
