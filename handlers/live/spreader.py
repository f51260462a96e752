"""The port by which what is published here reaches other nodes at once."""

from typing import Protocol

from domain.changes import MessageChange
from handlers.live.hub import Payload


class Spreader(Protocol):
    """Events may be lost on the way: the other nodes read the log as well."""

    def emit(self, change: MessageChange, event: str, payload: Payload, room: str) -> bool:
        """Emits the event of a change to the room here and spreads its bytes, in the turn in which the change is
        published. False if this node did not make the change, or reaches no other now: then nothing has happened."""
