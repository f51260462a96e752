"""The port through which deliveries of hooks leave the server."""

from collections.abc import Mapping
from typing import Literal, Protocol

from domain.frozen import frozen

BODY_BYTES_MAX = 64 * 1024
"""How much of an answer is read."""

ANSWER_WITHIN_S = 10.0
"""How long a receiver has for its answer, from the beginning of the lookup of its name to the end of its headers."""

Failure = Literal["refused", "name", "connection", "tls", "timeout", "broken"]
"""Why there is no answer. `refused`: the server does not deliver to this target."""


@frozen
class Posted:
    """What became of one request.

    `status` is that of the answer, None if there is none; then `failure` says why. `sent`: the receiver may have got
    the request. `retry_after` is the header of that name, "" without. `body` is what was read of the answer; None if it
    is longer than `BODY_BYTES_MAX`, did not come in time, or nobody wants it.
    """

    status: int | None = None
    failure: Failure | None = None
    sent: bool = True
    retry_after: str = ""
    body: bytes | None = None


class Post(Protocol):
    """Sends requests. One request takes no longer than `ANSWER_WITHIN_S`."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, read: bool) -> Posted:
        """Sends a request and waits for the answer; with `read`, for its body too. Does not raise."""

    async def close(self) -> None:
        """Ends all connections."""
