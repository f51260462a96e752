"""What metrics and health checks read of a `ChatApp`."""

from collections.abc import Mapping

from domain.frozen import frozen
from handlers.files.counts import FileCounts
from handlers.hooks.counts import HookCounts
from handlers.hooks.incoming import IncomingCounts
from handlers.hooks.outgoing import State
from handlers.issuer.key_sources import Outcome
from handlers.live.connections import Wire
from handlers.live.counts import Counts
from storage.errors import StorageError, Unavailable
from storage.health import StoreHealth
from storage.ports import Store


@frozen
class Figures:
    """The numbers of a moment; `counts` and `store` go on counting. `connections` are accepted ones that are open,
    `opened` those since the start; `users` have one or more of them. `hook_states` counts the outgoing hooks that this
    node delivers, `key_fetches` the fetches of the issuer's keys; empty without an issuer."""

    connections: Mapping[Wire, int]
    opened: Mapping[Wire, int]
    users: int
    counts: Counts
    store: StoreHealth
    files: FileCounts
    hooks: HookCounts
    hook_states: Mapping[State, int]
    incoming: IncomingCounts
    key_fetches: Mapping[Outcome, int]


async def trouble_of(store: Store) -> str | None:
    """What is wrong with the store, one of `storage.errors.Trouble`; None while it serves."""
    try:
        await store.ping()
    except Unavailable as error:
        return error.trouble
    except StorageError:
        return "failing"
    return None
