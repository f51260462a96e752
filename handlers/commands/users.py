"""Users: look up, list, change and end one's own account."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, Any, cast, get_args

from domain.acts import Act
from domain.frozen import frozen
from domain.models import PresenceChoice, User
from domain.refusals import NotFound
from domain.text import NAME_GROWTH, trimmed
from handlers.account_fields import PASSWORDLESS, account_faults
from handlers.context import Caller, Context
from handlers.live.limits import Limit
from handlers.moderation import end_account
from handlers.policy import Policy
from handlers.registry import Result, command
from handlers.wire.answers import Nothing, UserAnswer, UsersAnswer
from handlers.wire.errors import ChatError, invalid, not_found
from handlers.wire.pages import after_id, that_fit
from handlers.wire.schemas import AnyText, Id, StrictInteger, StrictString
from handlers.wire.views import user_view

PUBLISHED_WITHIN_S = 2.0
"""How long the answer to a change waits until the change is published."""


@frozen
class GetUser:
    user_id: Id


@command("get_user", GetUser, UserAnswer, limit="queries", errors=("not_found",))
async def get_user(context: Context, caller: Caller, params: GetUser) -> Result:
    """A user; the caller sees more of themselves. A deleted user is `not_found`."""
    user = await context.identities.user_for_answer(params.user_id)
    if user is None or user.deleted:
        raise not_found("user")
    own = user.id == caller.user_id
    return {"user": user_view(user, context.presence.status_of(user.id), own=own)}


@frozen
class UpdateMe:
    display_name: AnyText | None = None
    password: AnyText | None = None
    old_password: AnyText | None = None
    presence: Annotated[str, StrictString(one_of=get_args(PresenceChoice))] | None = None


def _faults(policy: Policy, values: Mapping[str, Any]) -> dict[str, str]:
    """Without what has to be looked up."""
    faults = account_faults(policy, values)
    if "password" in values and "old_password" not in values:
        faults.update(old_password="is required to set another password")
    return faults


@command("update_me", UpdateMe, UserAnswer, limit="changes", more_faults=_faults, errors=("forbidden",))
async def update_me(context: Context, caller: Caller, params: UpdateMe) -> Result:
    """Changes the caller's name, password or presence. A new password ends every other session of the user."""
    user = await context.store.users.get(caller.user_id)
    if user is None:
        raise not_found("user")
    name = _checked_name(context, params)
    limits: list[Limit] = []
    if name is not None and name != user.display_name:
        limits.append("name_changes")
    if params.presence is not None and params.presence != user.presence:
        limits.append("status")
    with _counted(context, user.id, limits):
        if params.password is not None:
            await _change_password(context, caller, user, params)
    if name is not None:
        user = await context.store.users.rename(user.id, name)
        await context.announcer.published(user.id, PUBLISHED_WITHIN_S)
    if params.presence is not None:
        user = await context.store.users.set_presence(user.id, cast(PresenceChoice, params.presence))
    return {"user": user_view(user, context.presence.status_of(user.id), own=True)}


def _checked_name(context: Context, params: UpdateMe) -> str | None:
    """The display name as it is stored, None if none is given. Raises: `ChatError` `invalid` with all that is wrong."""
    fields = ("display_name", "password", "old_password")
    given = {field: getattr(params, field) for field in fields if getattr(params, field) is not None}
    faults = _faults(context.policy, given)
    if faults:
        raise invalid(**faults)
    return None if params.display_name is None else trimmed(params.display_name)


@contextmanager
def _counted(context: Context, user_id: int, limits: Sequence[Limit]) -> Iterator[None]:
    """Counts against the limits what others will see; not if it is refused. Raises: `ChatError` `rate_limited`."""
    taken: list[Limit] = []
    try:
        for limit in limits:
            context.limiter.check(limit, user_id)
            taken.append(limit)
        yield
    except ChatError:
        for limit in taken:
            context.limiter.give_back(limit, user_id)
        raise


async def _change_password(context: Context, caller: Caller, user: User, params: UpdateMe) -> None:
    assert params.password is not None
    assert params.old_password is not None  # see `_checked_name`
    if user.is_bot:
        raise ChatError("forbidden", "a bot has no password")
    if user.login_key is not None:
        raise ChatError("forbidden", PASSWORDLESS)
    if not await _has_password(context, caller, user, params.old_password):
        raise ChatError("forbidden", "the old password is wrong")
    password_hash = await context.passwords.hash(params.password, turn_of=caller.network, gone=caller.gone)
    await context.store.users.change_password(user.id, password_hash, keep_session=caller.session_id)


@frozen
class DeleteMe:
    password: AnyText | None = None


@command("delete_me", DeleteMe, Nothing, limit="changes", people=True, errors=("forbidden", "conflict"))
async def delete_me(context: Context, caller: Caller, params: DeleteMe) -> Result:
    """Ends the caller's account for good, as the operator's deletion does. The password is required of all who have
    one here; a wrong one counts as a failed login."""
    user = await context.store.users.get(caller.user_id)
    if user is None:
        raise not_found("user")
    if user.login_key is None:
        await _check_password(context, caller, user, params.password)
    # The account is banned first: a client that does not wait for the answer must not leave it like that.
    with suppress(NotFound):  # another request, or the operator, has ended it meanwhile
        await asyncio.shield(end_account(context.store, user.id, Act(user.id, context.clock.now())))
    return {}


async def _check_password(context: Context, caller: Caller, user: User, password: str | None) -> None:
    """Raises: `ChatError` `forbidden` if this is not the user's password, `invalid` if there is none."""
    if password is None:
        raise invalid(password="is required")
    checked = None
    while user.password_hash != checked:  # it may be changed while it is checked
        checked = user.password_hash
        if not await _has_password(context, caller, user, password):
            raise ChatError("forbidden", "the password is wrong")
        user = await context.store.users.get(user.id) or user


async def _has_password(context: Context, caller: Caller, user: User, password: str) -> bool:
    """Whether this is the user's password. Raises: `ChatError` `rate_limited` after too many failed logins."""
    network = caller.network
    return await context.login_failures.match(
        user.id,
        network,
        lambda: context.passwords.match(password, user.password_hash, turn_of=network, gone=caller.gone),
    )


USERS_PER_TOKEN = 50
"""A page costs one token more for each 50 users."""


@frozen
class ListUsers:
    q: AnyText = ""
    cursor: AnyText | None = None
    limit: Annotated[int, StrictInteger(1, 200)] = 50


@command("list_users", ListUsers, UsersAnswer, limit="queries", errors=())
async def list_users(context: Context, caller: Caller, params: ListUsers) -> Result:
    """A page of active users whose username or display name begins with `q`, ordered by id."""
    if len(params.q) > NAME_GROWTH * context.policy.max_name_chars:
        return {"users": [], "next_cursor": None}  # no name is as long, and comparing the text takes long
    users = await context.store.users.search(
        params.q, after_id=after_id(params.cursor), limit=params.limit + 1
    )
    views = that_fit(
        user_view(user, context.presence.status_of(user.id), own=user.id == caller.user_id)
        for user in users[: params.limit]
    )
    more = len(views) < len(users)
    context.limiter.spend("queries", caller.user_id, len(views) / USERS_PER_TOKEN)
    return {"users": views, "next_cursor": str(users[len(views) - 1].id) if more else None}
