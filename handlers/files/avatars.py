"""The avatars of users and chats."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from domain.models import Chat, User
from domain.permissions import check_avatar
from domain.refusals import Refusal
from handlers.commands.chats import chat_summary
from handlers.commands.users import PUBLISHED_WITHIN_S
from handlers.context import Caller, Context
from handlers.files.allowance import Allowance
from handlers.files.counts import FileCounts
from handlers.files.receiving import Chunks, Receiver
from handlers.live.limits import RECIPIENTS_PER_TOKEN, Limit
from handlers.wire.file_limits import AVATAR_BYTES_MAX
from handlers.wire.views import View, user_view

_LIMITS: Sequence[Limit] = ("uploads", "changes")

Owner = TypeVar("Owner", User, Chat)


class Avatars:
    """What gates do to receive avatars. `receiver` keeps their bytes."""

    def __init__(self, context: Context, receiver: Receiver, counts: FileCounts) -> None:
        self._context = context
        self._receiver = receiver
        self._counts = counts

    def admit(self, caller: Caller) -> None:
        """Called before the picture is received. Avatars do not count against the quota. Raises: `ChatError`
        `rate_limited`."""
        for limit in _LIMITS:
            self._context.limiter.peek(limit, caller.user_id)

    async def set_own(self, caller: Caller, chunks: Chunks) -> View:
        """Makes a picture the caller's avatar, and returns their user object. Raises: `ChatError` `rate_limited`,
        `too_large`, `unsupported_media`, `invalid`."""
        users = self._context.store.users
        user = await self._with_avatar(caller, chunks, partial(users.set_avatar, caller.user_id))
        await self._context.announcer.published(user.id, PUBLISHED_WITHIN_S)
        return user_view(user, self._context.presence.status_of(user.id), own=True)

    async def admit_of_chat(self, caller: Caller, chat_id: int) -> None:
        """Called before the picture is received. Raises: `ChatError` `not_found`; `Forbidden`."""
        await self._context.directory.for_member(caller.user_id, chat_id)
        check_avatar(await self._context.store.chats.actor(chat_id, caller.user_id))

    async def set_of_chat(self, caller: Caller, chat_id: int, chunks: Chunks) -> View:
        """Makes a picture the avatar of a chat, and returns the chat as the caller sees it. Raises: as
        `set_own` and `admit_of_chat` do."""
        context = self._context
        chat = await context.directory.for_member(caller.user_id, chat_id)
        context.limiter.spend("changes", caller.user_id, len(chat.members) / RECIPIENTS_PER_TOKEN)
        at = context.clock.now()
        set_avatar = partial(context.store.chats.set_avatar, chat_id, caller.user_id, at=at)
        await self._with_avatar(caller, chunks, set_avatar)
        return await chat_summary(context, caller, chat_id)

    async def _with_avatar(
        self, caller: Caller, chunks: Chunks, set_avatar: Callable[[str], Awaitable[Owner]]
    ) -> Owner:
        """Keeps the picture and gives it to its owner, a user or a chat."""
        for limit in _LIMITS:
            self._context.limiter.check(limit, caller.user_id)
        allowance = Allowance(AVATAR_BYTES_MAX, 0, 0)
        avatar_id = await self._receiver.avatar(
            allowance.bounded(chunks, self._counts), turn_of=str(caller.user_id), gone=caller.gone
        )
        try:
            result = await set_avatar(avatar_id)
        except Refusal:
            await self._context.store.files.delete([avatar_id])
            raise
        self._counts.kept["avatar"] += 1
        return result
