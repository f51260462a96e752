"""The deliveries of one outgoing hook."""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import structlog

from domain.decisions.deliveries import done, failed
from domain.decisions.notices import Notice
from domain.hooks import Hook
from handlers.hooks.answers import error_of, is_final, is_taken, retry_after_s
from handlers.hooks.edits import Edits
from handlers.hooks.leased_hook import LeasedHook
from handlers.hooks.posting import Posted
from handlers.hooks.sending import Delivering, reply, send
from handlers.hooks.told import Told
from handlers.hooks.upcoming import Upcoming, Waiting, waiting
from handlers.live.clock import Timer
from storage.errors import Unavailable

log = structlog.get_logger("vestnik")

AGAIN_AFTER_S = 1.0
"""When the store could not be asked, or something unforeseen happened, the hook goes on after this time."""

SAVE_AFTER_S = 10.0
"""A position that has moved over changes without a notice is stored after this time."""

State = Literal["idle", "failing", "paused"]


class OutgoingDelivery:
    """Delivers the notices of one hook, in order, one request at a time, while this node has the lease of the hook.

    There is a task only while something is due. Whatever may make something due calls `wake`. What a crash interrupts
    is sent again, and nothing before it: the position is stored after the answer, and after the reply that the answer
    may hold; and, if notices are passed over, once more before the next one is tried, as another node may know less of
    what the receiver has got.
    """

    def __init__(self, shared: Delivering, hook: Hook, edits: Edits, forget: Callable[[], None]) -> None:
        """`forget` is called when the hook is gone."""
        self._shared = shared
        self._context = shared.context
        self._forget = forget
        self._leased = LeasedHook(shared, hook)
        self._told = Told(edits)
        self._upcoming = Upcoming(shared.context.store.messages, shared.senders)
        self.state: State = "idle"
        self._hold_until = -math.inf
        """When the hook goes on after a failure of this server, by the monotonic clock."""
        self._current: Waiting | None = None
        """What was sent and not taken."""
        self._maybe_sent = True
        """Whether the receiver may have got the next notice already, with its message in an earlier state."""
        self._woken = False
        self._save_due = False
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._timer: Timer | None = None
        self._save_timer: Timer | None = None

    @property
    def hook(self) -> Hook:
        return self._leased.hook

    @property
    def is_ours(self) -> bool:
        """Whether this node delivers the hook."""
        return self._leased.found is not None

    # What happens meanwhile.

    def published(self, seq: int) -> None:
        """Called when a message of the chat has changed."""
        self._upcoming.published(seq)
        self.wake()

    def changed(self) -> None:
        """Called when the hook has changed, or what may pause it."""
        self._leased.changed()
        self.wake()

    def gone(self, incarnation: str) -> None:
        """Called when another node is gone: this one may take the hook over."""
        if incarnation in self._leased.taken_by:
            self.check()

    def check(self) -> None:
        """Looks for what has been missed, whoever has the hook."""
        self._leased.taken_by = ()
        self._upcoming.behind = True
        self.wake()

    def wake(self) -> None:
        """Delivers what is due, if anything is and this node may."""
        if self._closed or self._leased.taken_by:
            return
        self._woken = True
        if self._task is not None:
            return
        if self._wait_s() <= 0 or self._leased.has_changed():
            self._task = asyncio.ensure_future(self._run())
        elif self._timer is None:  # a timer may come a little early
            self._wake_later()

    async def close(self, grace_s: float) -> None:
        """Lets a request that goes on end for some time, and stores the position."""
        self.drop()
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=grace_s)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        with suppress(Unavailable):  # else a later start passes over the same changes once more
            await self._save_position()

    def drop(self) -> None:
        """Begins nothing any more."""
        self._closed = True
        for timer in filter(None, (self._timer, self._save_timer)):
            timer.cancel()

    # The run.

    async def _run(self) -> None:
        try:
            while self._woken and not self._closed:
                self._woken = False
                while not self._closed and await self._step():
                    pass
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.exception("a hook could not be delivered", hook_id=self.hook.id)
            self._hold()
        finally:
            self._task = None

    def _hold(self) -> None:
        """Begins again after a failure of this server. What was due then is read once more."""
        self._upcoming.restart(self._upcoming.position)
        self._maybe_sent = True
        self._hold_until = self._context.clock.monotonic() + AGAIN_AFTER_S
        self._wake_later()

    def _wake_later(self) -> None:
        """Wakes the hook when it may go on."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed:
            self._timer = self._context.clock.call_later(self._wait_s(), self._time_has_come)

    def _time_has_come(self) -> None:
        self._timer = None
        self.wake()

    def _wait_s(self) -> float:
        """How long until the hook may go on; 0 or less: now."""
        return max(self._leased.try_at, self._hold_until) - self._context.clock.monotonic()

    async def _step(self) -> bool:
        """Delivers one notice. Whether there may be another one that is due now. Raises: `Unavailable`."""
        async with self._shared.slot(self.hook, failing=self.state == "failing"):
            if self._closed:
                return False
            await self._context.freshness.caught_up()
            if not await self._may_deliver():
                return False
            notice = await self._next()
            if notice is not None:
                return await self._deliver(notice)
            if not self._upcoming.behind:
                self._told.caught_up(self._upcoming.position)
            if self._save_due:
                await self._save_position()
            elif self._upcoming.position > self._leased.delivery.position and self._save_timer is None:
                self._save_timer = self._context.clock.call_later(SAVE_AFTER_S, self._save_soon)
            return False

    async def _may_deliver(self) -> bool:
        """Whether this node has the hook, nobody has paused it, and the time of the next try has come."""
        if self._leased.is_old and not await self._look():
            return False
        assert self._leased.found is not None
        if self._leased.found.state.paused:
            self.state = "paused"
            await self._save_position()
            return False
        self.state = "failing" if self._leased.delivery.attempts else "idle"
        if self._wait_s() > 0:
            self._wake_later()
            return False
        return True

    async def _look(self) -> bool:
        """Looks at the lease and the settings, and goes on with what it finds. Whether this node has the hook."""
        before = self.hook
        look = await self._leased.look()
        if look == "gone":
            self._forget()
        stored = self._leased.delivery.position
        if look == "new" or (look == "kept" and stored > self._upcoming.position):
            self._upcoming.restart(stored)
            self._current, self._maybe_sent = None, True
            self._told.clear()
        elif look == "kept" and self.hook != before:
            self._upcoming.restart(self._upcoming.position)
        return look in ("new", "kept")

    # One notice.

    async def _next(self) -> Notice | None:
        """What is due now; None if nothing is, or the chat is gone."""
        if self._current is None:
            return await self._upcoming.next(self.hook)
        seq, message_id, is_new = self._current
        message = await self._context.store.messages.get(message_id)
        return None if message is None else Notice(seq, message, is_new)

    async def _deliver(self, notice: Notice) -> bool:
        """Sends a notice, or passes over it. Whether the next one may be due now."""
        event = self._told.event_of(notice, self.hook.events, repeats=self._current is not None)
        if event is None:
            self._pass(notice)
            return True
        await self._save_position()
        if self._leased.has_changed():
            self._upcoming.restart(self._upcoming.position)
            return True
        assert self._leased.found is not None
        posted = await send(self._shared, self._leased.found, notice, event)
        if not is_taken(posted):
            return await self._failed(notice, posted)
        if event == "new_message" and not await reply(self._shared, self.hook, notice, posted):
            # Sent once more when the hook is resumed.
            self._current, self._maybe_sent = waiting(notice), True
            self._leased.changed()
            self._hold_until = self._context.clock.monotonic() + AGAIN_AFTER_S
            return True
        self._told.taken(notice, event, maybe_before=self._maybe_sent)
        self._pass(notice)
        if self._leased.has_changed() and not await self._look():
            return False
        if self._upcoming.position == notice.seq:  # nobody has sent the hook further on
            await self._leased.save(done(notice.seq))
        return True

    def _pass(self, notice: Notice) -> None:
        self._current, self._maybe_sent = None, False
        self._upcoming.position = notice.seq

    async def _failed(self, notice: Notice, posted: Posted) -> bool:
        """Notes a failure, unless the hook was changed or resumed meanwhile. Whether this node may go on."""
        self._current = waiting(notice)
        self._maybe_sent = self._maybe_sent or posted.sent
        stored, target = self._leased.delivery, self.hook.target_url
        if self._leased.has_changed():
            if not await self._look():
                return False
            if self._leased.delivery is not stored or self.hook.target_url != target:
                return True
        now = self._context.clock.now()
        delivery = failed(
            stored,
            now,
            error_of(posted),
            retry_after_s=retry_after_s(posted.retry_after, now),
            final=is_final(posted),
        )
        await self._leased.save(delivery)
        if delivery.stopped:
            log.warning("a hook is paused", hook_id=self.hook.id, reason=delivery.last_error)
            self._leased.changed()
        return True

    # A position that has moved without a delivery.

    async def _save_position(self) -> None:
        """Raises: `Unavailable`."""
        self._save_due = False
        delivery = self._leased.delivery
        if self.is_ours and self._upcoming.position > delivery.position:
            await self._leased.save(replace(delivery, position=self._upcoming.position))

    def _save_soon(self) -> None:
        self._save_timer, self._save_due = None, True
        self.wake()
