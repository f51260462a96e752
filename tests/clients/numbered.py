"""The events of the changes that take a number of their chat, as the registry of changes has them."""

from domain import changes
from handlers.wire.events import ROOM_EVENTS

NUMBERED_EVENTS = frozenset(ROOM_EVENTS[kind.value].__name__ for kind in changes.kinds() if kind.takes_seq)
"""The events with a `seq`, which a replay consists of. The function that makes an event has the event's name. A new
change of a message is among them without a further line, and the model client holds it to the same rules."""
