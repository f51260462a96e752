"""One request to a receiver, and the reply that it answers with."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import structlog

from domain.decisions.notices import Notice
from domain.frozen import frozen
from domain.hooks import Hook, HookEvent, OutgoingHook
from domain.models import Draft
from domain.refusals import HookPaused, NotFound, Refusal
from handlers.context import Context
from handlers.hooks.answers import is_taken, reply_of
from handlers.hooks.counts import HookCounts
from handlers.hooks.frames import delivery_name, frame_of, headers_of
from handlers.hooks.pace import Pace
from handlers.hooks.posting import Post, Posted
from handlers.hooks.senders import Senders
from handlers.hooks.slots import Slots

log = structlog.get_logger("vestnik")


@frozen
class Delivering:
    """What all hooks of this node share. `slots` bounds the requests that go on at once, `pace` those
    of a second. `living`: the incarnations
    that are not known to be gone, this one too."""

    context: Context
    post: Post
    slots: Slots
    pace: Pace
    senders: Senders
    counts: HookCounts
    living: Callable[[], Collection[str]]

    @asynccontextmanager
    async def slot(self, hook: Hook, *, failing: bool) -> AsyncIterator[None]:
        """Waits until a request of this hook may go on, and holds its place. `failing`: its last one was not taken."""
        self.counts.waiting += 1
        waits = True
        try:
            async with self.slots.of(hook.created_by, failing=failing):
                await self.pace.wait()
                self.counts.waiting -= 1
                waits = False
                yield
        finally:
            self.counts.waiting -= waits


async def send(shared: Delivering, found: OutgoingHook, notice: Notice, event: HookEvent) -> Posted:
    """Sends the message as it is, by this event."""
    context, counts, hook = shared.context, shared.counts, found.state.hook
    now, began = context.clock.now(), context.clock.monotonic()
    body = frame_of(event, notice.message, now, context.links)
    headers = headers_of(delivery_name(hook.id, notice.seq), found.secret, body, now)
    posted = Posted(failure="broken")
    counts.sending += 1
    shared.pace.spend()
    try:
        posted = await shared.post.post(hook.target_url or "", headers, body, read=event == "new_message")
    finally:
        counts.over(posted, is_taken(posted), context.clock.monotonic() - began)
    return posted


async def reply(shared: Delivering, hook: Hook, notice: Notice, posted: Posted) -> bool:
    """Posts what the receiver answers, if anything, once for each delivery. False if the hook may not post, as it is
    paused or gone. Raises: `Unavailable`."""
    context = shared.context
    text = reply_of(posted.body, context.policy.max_content_chars)
    if text is None:
        return True
    draft = Draft(
        chat_id=hook.chat_id,
        sender_id=hook.user_id,
        content=text,
        created_at=context.clock.now(),
        client_id=delivery_name(hook.id, notice.seq),
        reply_to=notice.message.id,
    )
    try:
        await context.store.hooks.post(hook.id, draft)
    except (HookPaused, NotFound):
        return False
    except Refusal as error:
        log.warning("the reply of a hook is refused", hook_id=hook.id, reason=str(error))
    else:
        shared.counts.replies += 1
    return True
