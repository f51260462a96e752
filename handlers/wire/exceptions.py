"""Every exception in the words of the wire."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from domain import refusals
from handlers.wire.errors import ChatError, invalid, not_found
from storage import errors as storage

log = structlog.get_logger("vestnik")

_TROUBLES: Mapping[storage.Trouble, str] = {
    "full": "the store is full; nothing was changed",
    "read_only": "the store may not be written; nothing was changed",
    "locked": "the store is locked by another program; nothing was changed",
    "broken": "the store is damaged; nothing was changed",
    "gone": "the store is gone; nothing was changed",
    "unreachable": "the store cannot be reached; try again",
    "unconfirmed": "the store did not confirm the change; try again",
    "slow": "the store is too slow; try again",
    "failing": "the store fails; try again",
    "contested": "others change the same thing all the time; try again",
    "newer": "this server is too old for this chat; another server may serve it",
    "closed": "the server is going away",
}
"""What clients read. The operator reads the cause in the log."""

_NOT_GIVEN_OUT = "was not given out here"

_AS_CHAT_ERROR: dict[type[BaseException], Callable[[Any], ChatError]] = {
    storage.Unavailable: lambda error: ChatError("unavailable", _TROUBLES[error.trouble]),
    storage.NotIndexed: lambda error: ChatError("unavailable", str(error)),
    refusals.Forbidden: lambda error: ChatError("forbidden", str(error)),
    refusals.NotFound: lambda _: not_found("chat or message"),
    refusals.Duplicate: lambda error: ChatError(
        "conflict", f"this {error.field} is taken", fields={error.field: "is taken"}
    ),
    refusals.ClientIdTaken: lambda _: ChatError(
        "conflict",
        "this client_id was used in another chat",
        fields={"client_id": "was used in another chat"},
    ),
    refusals.UnknownUsers: lambda error: invalid(
        user_id=f"no such user: {', '.join(map(str, error.user_ids))}"
    ),
    refusals.BadReference: lambda error: invalid(
        **{error.field: _NOT_GIVEN_OUT if error.field == "cursor" else "names nothing of this chat"}
    ),
    refusals.BadContent: lambda error: invalid(content=str(error)),
    refusals.TooMany: lambda error: ChatError("conflict", str(error)),
    refusals.HookPaused: lambda _: ChatError("forbidden", "this hook is paused"),
    refusals.OverQuota: lambda error: ChatError("too_large", str(error)),
    refusals.TooSoon: lambda error: ChatError("rate_limited", str(error), retry_after_ms=error.wait_ms),
    refusals.LastOwner: lambda _: ChatError("conflict", "a chat keeps at least one owner"),
    refusals.LastAdmin: lambda _: ChatError("conflict", "the server keeps at least one active admin"),
}
"""By type; a type that is missing here is looked up by its bases, in the order of its MRO."""


def as_chat_error(error: BaseException) -> ChatError:
    """The error that clients get for an exception. An unforeseen one is logged, and clients get nothing of its text."""
    if isinstance(error, ChatError):
        return error
    for kind in type(error).__mro__:
        if kind in _AS_CHAT_ERROR:
            return _AS_CHAT_ERROR[kind](error)
    log.error("command failed unforeseen", exc_info=error)
    return ChatError("unavailable", "something went wrong on the server")
