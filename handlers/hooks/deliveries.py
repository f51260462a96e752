"""All outgoing hooks that this server knows, and what wakes them."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

import structlog

from domain.changes import (
    Change,
    ChatDeleted,
    MemberAdded,
    MemberRemoved,
    MessageChange,
    MessageEdited,
    ReadMoved,
    RoleChanged,
    UserChanged,
)
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from domain.hooks import Hook
from handlers.context import Context
from handlers.hooks.counts import HookCounts
from handlers.hooks.edits import Edits
from handlers.hooks.outgoing import OutgoingDelivery, State
from handlers.hooks.pace import Pace
from handlers.hooks.posting import Post
from handlers.hooks.senders import Senders
from handlers.hooks.sending import Delivering
from handlers.hooks.slots import Slots
from handlers.live.clock import Timer
from storage.errors import Unavailable

log = structlog.get_logger("vestnik")

HOOKS_PER_READ = 500

READ_AGAIN_AFTER_S = 1.0

CHECK_EVERY_S = 300.0
"""How often each hook reads the store without having been woken."""

CLOSE_GRACE_S = 1.0
"""How long requests have that go on when the server stops. What is cut off is sent again."""


class HookDeliveries:
    """Delivers the notices of outgoing hooks. Nothing is read or sent before `start`.

    A subscriber of the store wakes the hooks of a chat. It takes no time for chats without hooks, so it needs no task
    of its own, as a lagging subscriber has; the hooks have positions, and read the store in their own tasks.
    """

    def __init__(self, context: Context) -> None:
        self.counts = HookCounts()
        self._context = context
        self._shared: Delivering | None = None
        self._hooks: dict[int, OutgoingDelivery] = {}
        self._of_chat: dict[int, dict[int, OutgoingDelivery]] = {}
        self._edits: dict[int, Edits] = {}
        """By chat, for those with hooks."""
        self._reading: asyncio.Task[None] | None = None
        self._timer: Timer | None = None
        self._closed = False

    def start(self, post: Post) -> None:
        """Begins to deliver. `close` closes the port too."""
        context = self._context
        self._shared = Delivering(
            context=context,
            post=post,
            slots=Slots(),
            pace=Pace(context.policy.hook_deliveries_per_s),
            senders=Senders(context.store.users),
            counts=self.counts,
            living=self._living,
        )
        context.store.subscribe(self.published)
        context.peers.on_gone(self._gone)
        self._reading = asyncio.ensure_future(self._read())
        self._check_later()

    async def close(self) -> None:
        """The caller closes the store afterwards."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait((self._reading,))
        await asyncio.gather(*(hook.close(CLOSE_GRACE_S) for hook in self._hooks.values()))
        if self._shared is not None:
            await self._shared.post.close()

    def states(self) -> Mapping[State, int]:
        """How many hooks there are by state, of those that this node delivers."""
        found: dict[State, int] = {"idle": 0, "failing": 0, "paused": 0}
        for hook in self._hooks.values():
            if hook.is_ours:
                found[hook.state] += 1
        return found

    def published(self, changes: Sequence[Change]) -> None:
        """A subscriber of the store."""
        for change in changes:
            if isinstance(change, MessageChange):
                hooks = self._of_chat.get(change.message.chat_id)
                if hooks is not None:
                    self._message_changed(change, hooks)
            elif type(change) is not ReadMoved:
                self._take_in(change)

    def handed_out(self, chat_id: int, seq: int) -> None:
        """Called when a message of a chat has changed at another node, and the store does not publish that."""
        for hook in self._of_chat.get(chat_id, {}).values():
            hook.published(seq)

    def _message_changed(self, change: MessageChange, hooks: Mapping[int, OutgoingDelivery]) -> None:
        message = change.message
        edited_id = message.id if type(change) is MessageEdited else None
        self._edits[message.chat_id].published(message.changed_seq, edited_id)
        for hook in hooks.values():
            hook.published(message.changed_seq)

    def _take_in(self, change: Change) -> None:
        hooks = self._of_chat.get(getattr(change, "chat_id", 0))
        if isinstance(change, HookAdded):
            if change.hook.kind == "outgoing":
                self._add(change.hook)
        elif isinstance(change, HookRemoved):
            self._remove(change.hook.id)
        elif isinstance(change, UserChanged):
            if change.shown:  # as bans and ends of accounts are
                self._maker_changed(self._hooks, {change.user.id})
        elif hooks and isinstance(change, ChatDeleted):
            for hook_id in list(hooks):
                self._remove(hook_id)
        elif hooks and isinstance(change, HookChanged):
            if (changed := hooks.get(change.hook.id)) is not None:
                changed.changed()
        elif hooks:
            self._maker_changed(hooks, _concerned(change))

    def _maker_changed(self, hooks: Mapping[int, OutgoingDelivery], user_ids: Collection[int]) -> None:
        for hook in hooks.values():
            if hook.hook.created_by in user_ids:
                hook.changed()

    def _add(self, hook: Hook) -> None:
        if self._shared is None or self._closed or hook.id in self._hooks:
            return
        edits = self._edits.setdefault(hook.chat_id, Edits())
        added = OutgoingDelivery(self._shared, hook, edits, lambda: self._remove(hook.id))
        self._hooks[hook.id] = added
        self._of_chat.setdefault(hook.chat_id, {})[hook.id] = added
        added.wake()

    def _remove(self, hook_id: int) -> None:
        removed = self._hooks.pop(hook_id, None)
        if removed is None:
            return
        removed.drop()
        chat_id = removed.hook.chat_id
        hooks = self._of_chat[chat_id]
        del hooks[hook_id]
        if not hooks:
            del self._of_chat[chat_id], self._edits[chat_id]

    async def _read(self) -> None:
        """Takes in all hooks that were made before the start."""
        after_id = 0
        while True:
            try:
                page = await self._context.store.hooks.outgoing(after_id=after_id, limit=HOOKS_PER_READ)
            except Unavailable:
                await self._context.clock.sleep(READ_AGAIN_AFTER_S)
                continue
            for found in page:
                self._add(found.state.hook)
            if len(page) < HOOKS_PER_READ:
                return
            after_id = page[-1].state.hook.id

    def _living(self) -> Collection[str]:
        peers = self._context.peers
        return (peers.incarnation, *peers.others)

    def _gone(self, incarnation: str, _ended: bool) -> None:
        for hook in self._hooks.values():
            hook.gone(incarnation)

    def _check_later(self) -> None:
        self._timer = self._context.clock.call_later(CHECK_EVERY_S, self._check)

    def _check(self) -> None:
        for hook in self._hooks.values():
            hook.check()
        self._check_later()


def _concerned(change: Change) -> Collection[int]:
    """The users whose role in the chat may be another one."""
    if isinstance(change, RoleChanged | MemberRemoved):
        heir = () if change.heir is None else (change.heir.user_id,)
        changed = change.member.user_id if isinstance(change, RoleChanged) else change.user_id
        return (changed, *heir)
    return (change.member.user_id,) if isinstance(change, MemberAdded) else ()
