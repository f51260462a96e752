"""Hooks on the wire, for those who manage them."""

from typing import Literal, NotRequired, TypedDict

from domain.hooks import HookEvent, HookKind, HookState
from handlers.wire.views import Id, Time, View, optional_time_view, time_view

State = Literal["active", "failing", "paused", "stopped", "without_maker"]


class HookObject(TypedDict):
    """A hook. `user_id` is the user as whom it posts, `created_by` its maker. `paused`: it neither posts nor delivers,
    and `state` says why: somebody has paused it (`paused`), the server has given up (`stopped`), or its maker is no
    longer an active admin or owner of the chat (`without_maker`). `failing`: the last delivery failed, and the next try
    is at `next_try_at`.

    `url` is there when an incoming hook is made or gets another key, `secret` so for an outgoing one: neither is shown
    again. All after `paused` is of outgoing hooks.
    """

    id: Id
    chat_id: Id
    name: str
    kind: HookKind
    user_id: Id
    created_by: Id
    created_at: Time
    state: State
    paused: bool
    url: NotRequired[str]
    secret: NotRequired[str]
    target_url: NotRequired[str | None]
    events: NotRequired[list[HookEvent]]
    include_bots: NotRequired[bool]
    last_error: NotRequired[str | None]
    failing_since: NotRequired[Time | None]
    next_try_at: NotRequired[Time | None]


def hook_view(state: HookState) -> View:
    """A `HookObject` without `url` and `secret`."""
    hook, delivery = state.hook, state.delivery
    view: dict[str, object] = {
        "id": hook.id,
        "chat_id": hook.chat_id,
        "name": hook.name,
        "kind": hook.kind,
        "user_id": hook.user_id,
        "created_by": hook.created_by,
        "created_at": time_view(hook.created_at),
        "state": _word(state),
        "paused": state.paused,
    }
    if hook.kind == "incoming":
        return view
    return {
        **view,
        "target_url": hook.target_url,
        "events": list(hook.events),
        "include_bots": hook.include_bots,
        "last_error": delivery.last_error,
        "failing_since": optional_time_view(delivery.failing_since),
        "next_try_at": None if state.paused else optional_time_view(delivery.next_try_at),
    }


def _word(state: HookState) -> State:
    """What a manager of the chat can do something about comes first."""
    if state.hook.paused:
        return "paused"
    if state.delivery.stopped:
        return "stopped"
    if not state.has_maker:
        return "without_maker"
    return "active" if state.delivery.failing_since is None else "failing"
