"""Which node delivers a hook, what the hook wants, and how far it is, as the store says."""

import math
from collections.abc import Collection
from typing import Literal

from domain.hooks import Delivery, Hook, OutgoingHook
from handlers.hooks.sending import Delivering

LOOK_GOOD_S = 2.0
"""For how long after a look, by the wall clock, a hook is delivered without another one: less than the time after which
others take a node for dead, so one that was suspended for longer looks before it delivers."""

Look = Literal["new", "kept", "lost", "gone"]
"""What a look has found. new: this node has the hook, and somebody else may have delivered since it looked last. kept:
it has the hook as before. lost: another node has it. gone: there is no such hook."""


class LeasedHook:
    """What this node knows of one hook. `found` is the hook as it was at the last look, None if this node has not got
    it; `delivery` is what is stored of how far it is."""

    def __init__(self, shared: Delivering, hook: Hook) -> None:
        self._shared = shared
        self._clock = shared.context.clock
        self._hooks = shared.context.store.hooks
        self.hook = hook
        self.found: OutgoingHook | None = None
        self.delivery = Delivery()
        self.try_at = -math.inf
        """When the receiver is tried again, by the monotonic clock."""
        self.taken_by: Collection[str] = ()
        """The living incarnations when one of the others had the lease; empty if none of them has it."""
        self._lease: int | None = None
        self._looked_at = -math.inf
        """A Unix time; infinitely long ago if something has changed since."""

    def changed(self) -> None:
        """Called when the hook, or what may pause it, is not as it was at the last look."""
        self._looked_at = -math.inf

    def has_changed(self) -> bool:
        """Whether a look is due because something has changed, or because this node has lost the hook."""
        return self._looked_at == -math.inf

    @property
    def is_old(self) -> bool:
        """Whether a look is due."""
        return abs(self._clock.unix_s() - self._looked_at) > LOOK_GOOD_S

    async def look(self) -> Look:
        """Takes the hook, or keeps it, and reads it. Raises: `Unavailable`."""
        self._looked_at = self._clock.unix_s()  # before the reads: what changes meanwhile is looked at again
        living = self._shared.living()
        try:
            lease = await self._hooks.take(self.hook.id, living)
            found = None if lease is None else await self._hooks.outgoing_hook(self.hook.id)
        except BaseException:
            self.changed()
            raise
        if found is None:
            return await self._lose(living)
        kept = self.found is not None and lease == self._lease
        moved = found.state.hook.target_url != self.hook.target_url
        self.found, self.hook, self._lease = found, found.state.hook, lease
        if not kept or moved or found.state.delivery != self.delivery:
            self._keep(found.state.delivery, at_once=moved)
        return "kept" if kept else "new"

    async def save(self, delivery: Delivery) -> None:
        """Stores how far the hook is, if this node still has it; else a look is due. Raises: `Unavailable`."""
        assert self._lease is not None
        if await self._hooks.save_delivery(self.hook.id, self._lease, delivery):
            self._keep(delivery)
        else:
            self.changed()

    async def _lose(self, living: Collection[str]) -> Look:
        self.found = self._lease = None
        self.changed()
        if await self._hooks.get(self.hook.id) is None:
            return "gone"
        self.taken_by = frozenset(living)
        return "lost"

    def _keep(self, delivery: Delivery, *, at_once: bool = False) -> None:
        self.delivery = delivery
        self.try_at = -math.inf
        if delivery.next_try_at is not None and not at_once:
            wait_s = (delivery.next_try_at - self._clock.now()).total_seconds()
            self.try_at = self._clock.monotonic() + wait_s
