"""What a WebSocket hands its messages to."""

from typing import Protocol

from .reader import Message


class Receiver(Protocol):
    """Takes what comes on one WebSocket, message by message."""

    async def receive(self, message: Message) -> None:
        """Takes a text or binary message, or a pong; the next one comes when this has returned."""

    def seen(self) -> None:
        """Something has come from the peer."""

    def flooded(self) -> None:
        """The peer has asked for more than its budget for too long. The connection is ended after this, if this does
        not end it."""

    def overflow(self) -> None:
        """More than `buffer_limit_bytes` waits unsent. The receiver has to end the connection."""

    def lost(self, code: int) -> None:
        """Nothing more will come, and what came has been handled. `code` is that of the first close frame, the peer's
        or ours; 1006 if the connection was cut."""
