"""Incoming hooks: what other programs post becomes messages."""

import re
from typing import Literal, get_args

from domain.hooks import HookState
from domain.models import Draft
from domain.refusals import HookPaused, NotFound
from domain.text import has_visible
from handlers.context import Context
from handlers.hooks.payloads import Fault
from handlers.live.tokens import hash_of
from handlers.wire.errors import ChatError
from handlers.wire.json import is_unicode

Refusal = Literal[Fault, "invalid_key", "unknown_key", "paused", "too_large", "rate_limited", "unavailable"]
"""Why a request is refused, in the words that senders are answered with."""

Outcome = Literal["posted", "repeated", Refusal]

CLIENT_ID_CHARS_MAX = 64

_KEY = re.compile(r"[A-Za-z0-9_-]{43}")


class HookRefused(Exception):
    """A request to an incoming hook is refused. `retry_after_ms`: when to try again, if that makes sense."""

    def __init__(self, reason: Refusal, retry_after_ms: int | None = None) -> None:
        super().__init__(reason)
        self.reason: Refusal = reason
        self.retry_after_ms = retry_after_ms


class IncomingCounts:
    """Numbers that only grow; the keys are the server's own words."""

    def __init__(self) -> None:
        self.requests: dict[Outcome, int] = dict.fromkeys(get_args(Outcome), 0)
        """By outcome: requests that were answered."""


class IncomingHooks:
    """`ChatApp.incoming`. A request is `find`, and `post` once its body is read."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.counts = IncomingCounts()

    async def find(self, key: str, network: str) -> HookState:
        """The hook with this key, as any node has acked it, if it may post now. `network` is that of the sender: a
        sender of many keys that do not exist has to wait.

        Raises: `HookRefused` (unknown_key, paused, rate_limited); `Unavailable`.
        """
        context = self._context
        if context.freshness.stale:
            await context.freshness.caught_up()
        try:
            context.limiter.peek("hook_misses", network)
        except ChatError as error:
            raise HookRefused("rate_limited", error.retry_after_ms) from None
        state = await context.store.hooks.by_key(hash_of(key)) if _KEY.fullmatch(key) else None
        if state is None:
            context.limiter.take("hook_misses", network)
            raise HookRefused("unknown_key")
        if state.paused:
            raise HookRefused("paused")
        try:
            context.limiter.peek("hook_messages", state.hook.id)
        except ChatError as error:
            raise HookRefused("rate_limited", error.retry_after_ms) from None
        return state

    async def post(self, state: HookState, text: str, client_id: str | None) -> None:
        """Posts a text, cut to what a message may have. A repeat of a `client_id` changes nothing and costs nothing.
        Raises: `HookRefused` (no_text, paused, unknown_key, rate_limited); `Unavailable`."""
        context, hook = self._context, state.hook
        content = text[: context.policy.max_content_chars]
        if not has_visible(content):
            raise HookRefused("no_text")
        wait_ms = context.limiter.take("hook_messages", hook.id)
        if wait_ms:
            raise HookRefused("rate_limited", wait_ms)
        draft = Draft(
            chat_id=hook.chat_id,
            sender_id=hook.user_id,
            content=content,
            created_at=context.clock.now(),
            client_id=client_id,
        )
        try:
            appended = await context.store.hooks.post(hook.id, draft)
        except HookPaused:
            raise HookRefused("paused") from None
        except NotFound:
            raise HookRefused("unknown_key") from None
        if appended.duplicate:
            context.limiter.give_back("hook_messages", hook.id)
        self.counts.requests["repeated" if appended.duplicate else "posted"] += 1


def check_client_id(client_id: str) -> None:
    """Raises: `HookRefused` (invalid_key) for what cannot be the `client_id` of a message."""
    if (
        not 0 < len(client_id) <= CLIENT_ID_CHARS_MAX
        or client_id.startswith("#")
        or not is_unicode(client_id)
    ):
        raise HookRefused("invalid_key")
