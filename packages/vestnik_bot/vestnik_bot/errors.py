"""What goes wrong, as a bot sees it."""

from typing import Any


class Refused(Exception):
    """The server refuses a command or a call, and would refuse its repeat too. `code` is one of docs/protocol.md."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')} {error.get('fields') or ''}".rstrip())
        self.code = str(error.get("code"))
        self.fields: dict[str, str] = error.get("fields") or {}


class Ended(Exception):
    """The bot cannot go on: its token does not work, its account has ended, or the server has banned it."""


class Unsent(Exception):
    """A command has no answer yet: the connection is gone, or the server cannot serve now. It has to be repeated after
    `retry_in_s`; None: when the caller thinks fit."""

    def __init__(self, why: str, retry_in_s: float | None = None) -> None:
        super().__init__(why)
        self.retry_in_s = retry_in_s


def raise_error(error: dict[str, Any]) -> None:
    """Raises what an error of the server means: `Unsent` if a repeat may succeed, `Refused` otherwise."""
    if error.get("code") in ("rate_limited", "unavailable") or error.get("retryable"):
        pause_ms = error.get("retry_after_ms")
        raise Unsent(str(error.get("code")), None if pause_ms is None else pause_ms / 1000)
    raise Refused(error)
