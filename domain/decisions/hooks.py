"""Adding, changing and removing the hooks of a chat, and what they write."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.changes import MessageCreated
from domain.decisions.accounts import is_active
from domain.decisions.mentions import NOBODY, mentions_of
from domain.decisions.messages import check_reply, new_message
from domain.decisions.view import MemberView, MessageView
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from domain.hooks import BEHIND_MAX, HOOKS_MAX, Delivery, Hook, HookUpdate
from domain.models import Actor, Appended, Draft
from domain.permissions import check_hooks, may_manage_hooks
from domain.refusals import BadContent, HookPaused, NotFound, TooMany


def add(view: MemberView, hook: Hook) -> HookAdded:
    """The new hook of a chat, by its maker.

    Raises, the first that holds: `NotFound`, also if the maker is not active; `Forbidden`; `TooMany`.
    """
    check_hooks(view.actor(hook.chat_id, hook.created_by))
    if not is_active(view, hook.created_by):
        raise NotFound(f"chat {hook.chat_id}")
    if len(view.hooks(hook.chat_id)) >= HOOKS_MAX:
        raise TooMany(f"a chat has at most {HOOKS_MAX} hooks")
    return HookAdded(hook)


def change(
    view: MemberView, chat_id: int, hook_id: int, user_id: int, update: HookUpdate, at: datetime
) -> HookChanged | Hook:
    """The hook with all of the update; as it is if that changes nothing. A user who resumes a hook whose maker does not
    manage the chat becomes its maker. Raises: `NotFound`; `Forbidden`."""
    hook = _managed(view, chat_id, hook_id, user_id)
    after = replace(hook, **_given(update))
    resumed = update.paused is False and (hook.paused or view.is_stopped(hook_id))
    if update.paused is False and not has_maker(view, hook):
        after, resumed = replace(after, created_by=user_id), True
    changed = tuple(name for name in _FIELDS if getattr(after, name) != getattr(hook, name))
    if not changed and not resumed:
        return hook
    return HookChanged(after, changed, resumed, user_id, at)


def renew_key(view: MemberView, chat_id: int, hook_id: int, user_id: int, at: datetime) -> HookChanged:
    """The hook, whose key or secret is another one. Raises: `NotFound`; `Forbidden`."""
    hook = _managed(view, chat_id, hook_id, user_id)
    return HookChanged(hook, ("key",), False, user_id, at)


def remove(view: MemberView, chat_id: int, hook_id: int, user_id: int, at: datetime) -> HookRemoved:
    """The end of the hook, without its target, of which nothing is kept. Raises: `NotFound`; `Forbidden`."""
    hook = _managed(view, chat_id, hook_id, user_id)
    return HookRemoved(replace(hook, target_url=None), user_id, at)


def has_maker(view: MemberView, hook: Hook) -> bool:
    """Whether the maker of the hook manages the chat now."""
    try:
        maker = view.actor(hook.chat_id, hook.created_by)
    except NotFound:
        return False
    return maker_manages(maker, is_active=is_active(view, hook.created_by))


def maker_manages(maker: Actor | None, *, is_active: bool) -> bool:
    """Whether the maker of a hook manages its chat, given as they are in the chat now; None if they are not in it."""
    return maker is not None and is_active and may_manage_hooks(maker)


def resumed(delivery: Delivery, head_seq: int) -> Delivery:
    """How far a hook is that somebody resumes: its failures are forgotten, and one that is far behind skips what it
    has missed."""
    is_far = head_seq - delivery.position > BEHIND_MAX
    return Delivery(head_seq if is_far else delivery.position)


def post(view: MessageView, hook_id: int, draft: Draft) -> MessageCreated | Appended:
    """The new message of the hook. If it used the client_id before, the first message or its tombstone: a repeat
    changes nothing. A `@all` in it is text. Whether the account of the maker is active has been checked before.

    Raises, the first that holds: `NotFound` if there is no such hook in the chat; `HookPaused`; `BadContent`;
    `BadReference("reply_to")`.
    """
    hook = view.hook(hook_id)
    if hook is None or hook.chat_id != draft.chat_id or hook.user_id != draft.sender_id:
        raise NotFound(f"hook {hook_id}")
    if draft.client_id is not None:
        first = view.first_use(draft.sender_id, draft.client_id)
        if first is not None:
            return Appended(first, duplicate=True)
    maker = _maker(view, hook)
    if draft.content_fault is not None:
        raise BadContent(draft.content_fault)
    if draft.reply_to is not None:
        check_reply(view, draft.chat_id, draft.reply_to)
    mentions = NOBODY
    if "@" in draft.content:
        author = Actor(hook.user_id, "member", maker.chat_type)
        mentions = mentions_of(view, draft.chat_id, author, draft.content)[0], False
    return MessageCreated(new_message(view, draft, mentions))


def _maker(view: MessageView, hook: Hook) -> Actor:
    """The maker in the chat. Raises: `HookPaused`."""
    try:
        maker = view.actor(hook.chat_id, hook.created_by)
    except NotFound:
        raise HookPaused(f"hook {hook.id}") from None
    if hook.paused or not may_manage_hooks(maker):
        raise HookPaused(f"hook {hook.id}")
    return maker


def _managed(view: MemberView, chat_id: int, hook_id: int, user_id: int) -> Hook:
    """The hook, for one who manages the chat."""
    check_hooks(view.actor(chat_id, user_id))
    hook = next((one for one in view.hooks(chat_id) if one.id == hook_id), None)
    if hook is None:
        raise NotFound(f"hook {hook_id}")
    return hook


_FIELDS = ("name", "target_url", "events", "include_bots", "paused", "created_by")


def _given(update: HookUpdate) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(update, name) for name in _FIELDS if name != "created_by"}
    return {name: value for name, value in fields.items() if value is not None}
