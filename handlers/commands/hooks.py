"""Hooks of a chat: make, list, change and remove them, and give them other keys."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from marshmallow import ValidationError, validate

from domain.frozen import frozen
from domain.hooks import HOOK_EVENTS, Delivery, Hook, HookEvent, HookKind, HookState, HookUpdate
from domain.permissions import check_hooks
from domain.refusals import NotFound
from domain.text import name_fault, trimmed
from handlers.context import Caller, Context
from handlers.hooks.targets import target_fault
from handlers.live.tokens import hash_of, new_secret
from handlers.policy import Policy
from handlers.registry import Result, command
from handlers.wire.answers import HookAnswer, HooksAnswer, Nothing
from handlers.wire.errors import invalid, not_found
from handlers.wire.hook_views import hook_view
from handlers.wire.schemas import AnyText, Flag, Id, StrictField, StrictString


class EventList(StrictField[list[HookEvent]]):
    """Some of the events of which a hook may tell, one at least."""

    def __init__(self) -> None:
        self._says = f"must be a list of some of {', '.join(HOOK_EVENTS)}"
        super().__init__(
            validate=[
                validate.Length(min=1, error=self._says),
                validate.ContainsOnly(HOOK_EVENTS, error=self._says),
            ]
        )

    def check(self, value: Any) -> list[HookEvent]:
        """The events in the order of `HOOK_EVENTS`, each once."""
        if type(value) is not list or not value or not all(one in HOOK_EVENTS for one in value):
            raise ValidationError(self._says)
        return [event for event in HOOK_EVENTS if event in value]


Kind = Annotated[HookKind, StrictString(one_of=("incoming", "outgoing"))]
Events = Annotated[list[HookEvent], EventList()]

_OF_OUTGOING = ("target_url", "events", "include_bots")


def _faults(policy: Policy, values: Mapping[str, Any]) -> dict[str, str]:
    """What the settings say against a name and a target, without those that are not given."""
    faults = {}
    if "name" in values:
        faults["name"] = name_fault(trimmed(values["name"]), policy.max_name_chars)
    if "target_url" in values:
        faults["target_url"] = target_fault(values["target_url"], private=policy.webhook_private)
    return {field: fault for field, fault in faults.items() if fault is not None}


def _more_faults(policy: Policy, values: Mapping[str, Any]) -> Mapping[str, str]:
    texts = {field: value for field, value in values.items() if isinstance(value, str)}
    return _faults(policy, texts)


def _check(context: Context, kind: HookKind, values: Mapping[str, Any]) -> None:
    """Raises: `ChatError` `invalid` for values that a hook of this kind cannot have."""
    faults = _faults(context.policy, values)
    if kind == "incoming":
        faults |= {field: "is of outgoing hooks only" for field in _OF_OUTGOING if field in values}
    if faults:
        raise invalid(**faults)


@frozen
class CreateHook:
    chat_id: Id
    kind: Kind
    name: AnyText
    target_url: AnyText | None = None
    events: Events | None = None
    include_bots: Flag | None = None


@command(
    "create_hook",
    CreateHook,
    HookAnswer,
    limit="changes",
    more_faults=_more_faults,
    errors=("not_found", "forbidden", "conflict"),
)
async def create_hook(context: Context, caller: Caller, params: CreateHook) -> Result:
    """Makes a hook of a group or channel: its owners and admins may, and there are at most 20 a chat. `url` or `secret`
    is shown this once."""
    is_outgoing = params.kind == "outgoing"
    values = _given(params, ("name", *_OF_OUTGOING))
    _check(context, params.kind, values)
    if is_outgoing and params.target_url is None:
        raise invalid(target_url="is required")
    hook = Hook(
        id=0,
        chat_id=params.chat_id,
        kind=params.kind,
        name=trimmed(params.name),
        user_id=0,
        created_by=caller.user_id,
        created_at=context.clock.now(),
        target_url=params.target_url,
        events=tuple(params.events or HOOK_EVENTS[:1]) if is_outgoing else (),
        include_bots=bool(params.include_bots),
    )
    secret = new_secret()
    made = await context.store.hooks.create(hook, **_kept(params.kind, secret))
    state = HookState(made, Delivery(), has_maker=True)
    return {"hook": {**hook_view(state), **_shown(context, caller, params.kind, secret)}}


@frozen
class ListHooks:
    chat_id: Id


@command("list_hooks", ListHooks, HooksAnswer, limit="queries", errors=("not_found", "forbidden"))
async def list_hooks(context: Context, caller: Caller, params: ListHooks) -> Result:
    """The hooks of a group or channel, for its owners and admins."""
    states = await context.store.hooks.of_chat(params.chat_id, caller.user_id)
    return {"hooks": [hook_view(state) for state in states]}


@frozen
class ChangeHook:
    hook_id: Id
    name: AnyText | None = None
    target_url: AnyText | None = None
    events: Events | None = None
    include_bots: Flag | None = None
    paused: Flag | None = None


@command(
    "change_hook",
    ChangeHook,
    HookAnswer,
    limit="changes",
    more_faults=_more_faults,
    errors=("not_found", "forbidden"),
)
async def change_hook(context: Context, caller: Caller, params: ChangeHook) -> Result:
    """Changes a hook, all that is given or nothing: the owners and admins of its chat may. Who resumes a hook whose
    maker is no longer an active admin or owner becomes its maker."""
    found = await _managed(context, caller, params.hook_id)
    values = _given(params, ("name", *_OF_OUTGOING, "paused"))
    if not values:
        return {"hook": hook_view(found)}
    _check(context, found.hook.kind, values)
    update = HookUpdate(
        name=None if params.name is None else trimmed(params.name),
        target_url=params.target_url,
        events=None if params.events is None else tuple(params.events),
        include_bots=params.include_bots,
        paused=params.paused,
    )
    state = await context.store.hooks.change(params.hook_id, caller.user_id, update, context.clock.now())
    return {"hook": hook_view(state)}


@frozen
class OneHook:
    hook_id: Id


@command("renew_hook_key", OneHook, HookAnswer, limit="changes", errors=("not_found", "forbidden"))
async def renew_hook_key(context: Context, caller: Caller, params: OneHook) -> Result:
    """Gives a hook another key or secret, which is shown this once: the owners and admins of its chat may. The old one
    is worth nothing from now on."""
    kind, secret = (await _managed(context, caller, params.hook_id)).hook.kind, new_secret()
    state = await context.store.hooks.renew_key(
        params.hook_id, caller.user_id, context.clock.now(), **_kept(kind, secret)
    )
    return {"hook": {**hook_view(state), **_shown(context, caller, kind, secret)}}


@command("remove_hook", OneHook, Nothing, limit="changes", errors=("not_found", "forbidden"))
async def remove_hook(context: Context, caller: Caller, params: OneHook) -> Result:
    """Removes a hook and its user: the owners and admins of its chat may. Its messages stay."""
    try:
        await context.store.hooks.remove(params.hook_id, caller.user_id, context.clock.now())
    except NotFound:
        raise not_found("hook") from None
    return {}


async def _managed(context: Context, caller: Caller, hook_id: int) -> HookState:
    """The hook, before anything else is said of what the caller wants with it. Raises: `ChatError` `not_found` if there
    is none, and for a caller who is not in its chat; `Forbidden`."""
    state = await context.store.hooks.get(hook_id)
    if state is None:
        raise not_found("hook")
    try:
        check_hooks(await context.store.chats.actor(state.hook.chat_id, caller.user_id))
    except NotFound:
        raise not_found("hook") from None
    return state


def _given(params: CreateHook | ChangeHook, names: Sequence[str]) -> dict[str, Any]:
    values = {name: getattr(params, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _kept(kind: HookKind, secret: str) -> dict[str, str]:
    """What the store keeps: the hash of a key, which only has to be recognized; a secret as it is, which signs."""
    return {"key_hash": hash_of(secret)} if kind == "incoming" else {"secret": secret}


def _shown(context: Context, caller: Caller, kind: HookKind, secret: str) -> dict[str, str]:
    """What is shown once of a key or secret."""
    if kind == "outgoing":
        return {"secret": secret}
    return {"url": f"{context.policy.public_url or caller.origin()}/hooks/{secret}"}
