"""The deliveries of one outgoing hook."""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import structlog

from domain.decisions.deliveries import done, failed
from domain.decisions.tellings import Telling, event_of
from domain.hooks import Hook, HookEvent
from handlers.hooks.answers import error_of, is_final, is_taken, retry_after_s
from handlers.hooks.custody import Custody
from handlers.hooks.edits import Edits
from handlers.hooks.posting import Posted
from handlers.hooks.sending import Delivering, reply, send
from handlers.hooks.upcoming import Upcoming, Waiting, waiting
from handlers.live.clock import Timer
from storage.errors import Unavailable

log = structlog.get_logger("vestnik")

AGAIN_AFTER_S = 1.0
"""When the store could not be asked, or something unforeseen happened, the hook goes on after this time."""

SAVE_AFTER_S = 10.0
"""A position that has moved over changes of which the hook is not told is stored after this time."""

TOLD_AHEAD_MAX = 1_000

State = Literal["idle", "failing", "paused"]


class OutgoingDelivery:
    """Delivers what one hook is told of, in order, one request at a time, while this node has the lease of the hook.

    There is a task only while something is due. Whatever may make something due calls `wake`. What a crash interrupts
    is sent again: the position is stored after the answer, and after the reply that the answer may hold.
    """

    def __init__(self, shared: Delivering, hook: Hook, edits: Edits, forget: Callable[[], None]) -> None:
        """`forget` is called when the hook is gone."""
        self._shared = shared
        self._context = shared.context
        self._forget = forget
        self._custody = Custody(shared, hook)
        self._upcoming = Upcoming(shared.context.store.messages, shared.senders, edits)
        self.state: State = "idle"
        self._hold_until = -math.inf
        """When the hook goes on after a failure of this server, by the monotonic clock."""
        self._current: Waiting | None = None
        """What was sent and not taken."""
        self._maybe_sent = True
        """Whether the receiver may have got the next telling already, with its message in an earlier state."""
        self._told_ahead: set[int] = set()
        """The numbers of deletions that the receiver was told of in place of the new message."""
        self._woken = False
        self._save_due = False
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._timer: Timer | None = None
        self._save_timer: Timer | None = None

    @property
    def hook(self) -> Hook:
        return self._custody.hook

    @property
    def is_ours(self) -> bool:
        """Whether this node delivers the hook."""
        return self._custody.found is not None

    # What happens meanwhile.

    def published(self, seq: int) -> None:
        """Called when a message of the chat has changed."""
        self._upcoming.published(seq)
        self.wake()

    def changed(self) -> None:
        """Called when the hook has changed, or what may pause it."""
        self._custody.changed()
        self.wake()

    def gone(self, incarnation: str) -> None:
        """Called when another node is gone: this one may take the hook over."""
        if incarnation in self._custody.taken_by:
            self.check()

    def check(self) -> None:
        """Looks for what has been missed, whoever has the hook."""
        self._custody.taken_by = ()
        self._upcoming.behind = True
        self.wake()

    def wake(self) -> None:
        """Delivers what is due, if anything is and this node may."""
        if self._closed or self._custody.taken_by:
            return
        self._woken = True
        if self._task is not None:
            return
        if self._wait_s() <= 0 or self._custody.has_changed:
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
        return max(self._custody.try_at, self._hold_until) - self._context.clock.monotonic()

    async def _step(self) -> bool:
        """Delivers one telling. Whether there may be another one that is due now. Raises: `Unavailable`."""
        async with self._shared.slot(self.hook):
            if self._closed:
                return False
            await self._context.freshness.caught_up()
            if not await self._may_deliver():
                return False
            telling = await self._next()
            if telling is not None:
                return await self._tell(telling)
            if self._save_due:
                await self._save_position()
            elif self._upcoming.position > self._custody.delivery.position and self._save_timer is None:
                self._save_timer = self._context.clock.call_later(SAVE_AFTER_S, self._save_soon)
            return False

    async def _may_deliver(self) -> bool:
        """Whether this node has the hook, nobody has paused it, and the time of the next try has come."""
        if self._custody.is_old and not await self._look():
            return False
        assert self._custody.found is not None
        if self._custody.found.state.paused:
            self.state = "paused"
            await self._save_position()
            return False
        self.state = "failing" if self._custody.delivery.attempts else "idle"
        if self._wait_s() > 0:
            self._wake_later()
            return False
        return True

    async def _look(self) -> bool:
        """Looks at the lease and the settings, and goes on with what it finds. Whether this node has the hook."""
        before = self.hook
        look = await self._custody.look()
        if look == "gone":
            self._forget()
        stored = self._custody.delivery.position
        if look == "new" or (look == "kept" and stored > self._upcoming.position):
            self._upcoming.restart(stored)
            self._current, self._maybe_sent = None, True
            self._told_ahead.clear()
        elif look == "kept" and self.hook != before:
            self._upcoming.restart(self._upcoming.position)
        return look in ("new", "kept")

    # One telling.

    async def _next(self) -> Telling | None:
        """What is due now; None if nothing is, or the chat is gone."""
        if self._current is None:
            return await self._upcoming.next(self.hook)
        seq, message_id, is_new = self._current
        message = await self._context.store.messages.get(message_id)
        return None if message is None else Telling(seq, message, is_new)

    async def _tell(self, telling: Telling) -> bool:
        """Sends a telling, or passes over it. Whether the next one may be due now."""
        event = self._event_of(telling)
        if event is None:
            self._pass(telling)
            return True
        assert self._custody.found is not None
        posted = await send(self._shared, self._custody.found, telling, event)
        if not is_taken(posted):
            return await self._failed(telling, posted)
        if event == "new_message" and not await reply(self._shared, self.hook, telling, posted):
            # Sent once more when the hook is resumed.
            self._current, self._maybe_sent = waiting(telling), True
            self._custody.changed()
            self._hold_until = self._context.clock.monotonic() + AGAIN_AFTER_S
            return True
        if telling.is_new and event == "message_deleted" and not self._maybe_sent:
            self._told_ahead.add(telling.message.changed_seq)
        self._pass(telling)
        if self._custody.has_changed and not await self._look():
            return False
        if self._upcoming.position == telling.seq:  # nobody has sent the hook further on
            await self._custody.save(done(telling.seq))
        return True

    def _event_of(self, telling: Telling) -> HookEvent | None:
        """The event that the receiver gets; None: the telling is passed over."""
        event, message = event_of(telling, self.hook.events), telling.message
        if telling.is_new or event is None:
            return event
        if self._current is None and message.changed_seq > telling.seq:
            return None  # its last change has a telling of its own
        if event == "message_deleted":
            return None if message.changed_seq in self._told_ahead else event
        return event if self._upcoming.may_be_edited(message) else None

    def _pass(self, telling: Telling) -> None:
        self._current, self._maybe_sent = None, False
        if len(self._told_ahead) > TOLD_AHEAD_MAX:
            self._told_ahead.clear()
        self._told_ahead.discard(telling.seq)
        self._upcoming.position = telling.seq

    async def _failed(self, telling: Telling, posted: Posted) -> bool:
        """Notes a failure, unless the hook was changed or resumed meanwhile. Whether this node may go on."""
        self._current = waiting(telling)
        self._maybe_sent = self._maybe_sent or posted.sent
        stored, target = self._custody.delivery, self.hook.target_url
        if self._custody.has_changed:
            if not await self._look():
                return False
            if self._custody.delivery is not stored or self.hook.target_url != target:
                return True
        now = self._context.clock.now()
        delivery = failed(
            replace(stored, position=self._upcoming.position),
            now,
            error_of(posted),
            retry_after_s=retry_after_s(posted.retry_after, now),
            final=is_final(posted),
        )
        await self._custody.save(delivery)
        if delivery.stopped:
            log.warning("a hook is paused", hook_id=self.hook.id, reason=delivery.last_error)
            self._custody.changed()
        return True

    # A position that has moved without a delivery.

    async def _save_position(self) -> None:
        """Raises: `Unavailable`."""
        self._save_due = False
        delivery = self._custody.delivery
        if self.is_ours and self._upcoming.position > delivery.position:
            await self._custody.save(replace(delivery, position=self._upcoming.position))

    def _save_soon(self) -> None:
        self._save_timer, self._save_due = None, True
        self.wake()
