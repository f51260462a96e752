"""`chat_settings`: what a member has set in a chat for themselves, for their own connections."""

import asyncio

from domain.models import Member
from handlers.context import Context
from handlers.live.announcer import RETRY_EVERY_S
from handlers.wire import events
from storage.errors import Unavailable


class SettingsEvents:
    """Publishes `chat_settings` for members who are connected here."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._newest: dict[tuple[int, int], Member] = {}
        """By chat and user, for members who are being loaded: what was published meanwhile."""
        self._loads: dict[tuple[int, int], asyncio.Task[None]] = {}

    def changed(self, chat_id: int, member: Member) -> None:
        """Publishes what a member has set."""
        key = chat_id, member.user_id
        if key in self._loads:
            self._newest[key] = member
        self._publish(chat_id, member)

    def load(self, chat_id: int, user_id: int) -> None:
        """Publishes what the store has, after a change that does not say what the member has set: a mute."""
        if not self._context.connections.any_of((user_id,)):
            return
        key = chat_id, user_id
        before = self._loads.get(key)
        task = self._loads[key] = asyncio.ensure_future(self._load(key, before))
        task.add_done_callback(lambda done: self._done(key, done))

    def stop(self) -> None:
        """Gives up what waits for the store."""
        for task in self._loads.values():
            task.cancel()

    def _publish(self, chat_id: int, member: Member) -> None:
        event = events.chat_settings(chat_id, member, self._context.clock.now())
        self._context.announcer.to_users((member.user_id,), event)

    async def _load(self, key: tuple[int, int], before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait((before,))
        while True:
            self._newest.pop(key, None)
            try:
                member = await self._context.store.chats.member(*key)
            except Unavailable as error:
                if error.trouble == "newer":
                    return
                await self._context.clock.sleep(RETRY_EVERY_S)
                continue
            if key not in self._newest:  # else the store may have been read before that change
                break
        if member is not None:
            self._publish(key[0], member)

    def _done(self, key: tuple[int, int], done: "asyncio.Task[None]") -> None:
        if self._loads.get(key) is done:
            del self._loads[key]
            self._newest.pop(key, None)
