"""Whether memory may be behind what other nodes on the same store have changed."""

from typing import Protocol

CAUGHT_UP_WITHIN_S = 5.0
"""How long a command waits for a look at the other nodes."""


class Freshness(Protocol):
    """What this node knows of the others' changes."""

    @property
    def shared(self) -> bool:
        """Whether other nodes may write to the store, so that what memory does not know may be there all the
        same."""

    @property
    def stale(self) -> bool:
        """Whether the last complete look at the other nodes is too long ago: then no command runs and no event is
        sent until `look` has returned. False for a node without others. Cheap: asked for each command and event."""

    async def look(self) -> None:
        """Returns when all that any node acked before this call is in memory here, and published. To be awaited
        before a refusal that rests on memory. Calls at the same time share a look. Does not suspend for a store that
        nobody else can write to. Raises: `Unavailable`."""

    async def look_at_accounts(self) -> None:
        """Returns when this node is not `stale` and all changes of accounts that any node acked before this call are in
        memory here. To be awaited where an account decides what others get to see. A node that knows no living others
        does not look for some. Raises: `Unavailable`."""

    async def caught_up(self) -> None:
        """Returns when this node is not `stale`; does not suspend if it is not. Raises: `Unavailable`, after
        `CAUGHT_UP_WITHIN_S`."""


class AlwaysFresh:
    """For a store that only this node writes to."""

    shared = False
    stale = False

    async def look(self) -> None:
        return None

    async def look_at_accounts(self) -> None:
        return None

    async def caught_up(self) -> None:
        return None
