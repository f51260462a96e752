"""What the bus has done, in numbers that only rise, and how it is now."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "away", "refused"]
"""`ok`: connected, and receiving its own frames. `refused`: the Redis server answers, and does not let this node in.
`away`: else."""


@dataclass(slots=True)
class BusCounters:
    """Plain attributes, so that counting costs nothing; whoever shows them reads them."""

    state: State = "away"
    lag_us: int = 0
    """How long the last frame that was measured took to Redis and back to this node."""
    hearers: int = 0
    """How many nodes Redis handed the last frame to, this one among them."""
    queued_bytes: int = 0
    """What waits to be sent."""
    held_bytes: int = 0
    """What waits here for rows that come before it."""

    frames_sent: int = 0
    bytes_sent: int = 0
    messages_sent: int = 0
    frames_received: int = 0
    bytes_received: int = 0
    """Frames and bytes of other nodes."""
    messages_received: int = 0
    messages_late: int = 0
    """Those that this node had read from the log before they came."""
    messages_ahead: int = 0
    """Those that came before a row that precedes them."""
    chases: int = 0
    """How often the log was read because such a row did not come."""
    frames_dropped: int = 0
    """Those of this node that were not sent: the queue was full, or Redis away. The others look for what they say."""
    frames_missed: int = 0
    """Those of others that did not come."""
    frames_late: int = 0
    """Those of others that came after a newer one of the same server, and were dropped."""
    frames_unreadable: int = 0
    frames_forged: int = 0
    """How often something was published that no node with this key has signed."""
    connects: int = 0
    failures: int = 0
    """How often a connection ended, or could not be made."""
    unheard: int = 0
    """How often a frame was handed to fewer nodes than live, for longer than `bus_census.UNHEARD_S`."""
