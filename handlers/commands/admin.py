"""What admins of the server do: accounts, statistics, the audit, and the end of a chat."""

import asyncio
from typing import Annotated

from domain.acts import AccountUpdate, Act
from domain.frozen import frozen
from domain.models import User
from domain.refusals import BadReference, NotFound
from domain.text import NAME_GROWTH, name_fault, trimmed
from handlers.account_fields import LOGIN_NAME_CHARS_MAX, CreateUser, account_faults
from handlers.context import Caller, Context
from handlers.moderation import end_account
from handlers.registry import Result, command
from handlers.wire.answers import (
    AdminUserAnswer,
    AdminUsersAnswer,
    AuditAnswer,
    CreatedUserAnswer,
    Nothing,
    PasswordAnswer,
    StatsAnswer,
)
from handlers.wire.errors import invalid, not_found
from handlers.wire.moderation_views import audit_view
from handlers.wire.pages import after_id, bad_cursor, that_fit
from handlers.wire.schemas import AnyText, Flag, Id, StrictInteger
from handlers.wire.views import View, admin_user_view, time_view

USERS_PER_TOKEN = 50
"""A page costs one token more for each 50 users."""

STATS_TOKENS = 20
"""All messages are counted."""

PageSize = Annotated[int, StrictInteger(1, 200)]


def _view(context: Context, user: User) -> View:
    return admin_user_view(user, context.presence.status_of(user.id))


def _act(context: Context, caller: Caller) -> Act:
    return Act(caller.user_id, context.clock.now())


@frozen
class ListAllUsers:
    q: AnyText = ""
    cursor: AnyText | None = None
    limit: PageSize = 50


@command("list_all_users", ListAllUsers, AdminUsersAnswer, limit="queries", admin=True, errors=("forbidden",))
async def list_all_users(context: Context, caller: Caller, params: ListAllUsers) -> Result:
    """A page of the users who are not deleted, banned ones too, ordered by id: those whose username, display name or
    email address begins with `q`."""
    if len(params.q) > max(NAME_GROWTH * context.policy.max_name_chars, LOGIN_NAME_CHARS_MAX):
        return {"users": [], "next_cursor": None}  # no name is as long, and comparing the text takes long
    users = await context.store.users.search_all(
        params.q, after_id=after_id(params.cursor), limit=params.limit + 1
    )
    await context.operator.confirm(caller.user_id)
    views = that_fit(_view(context, user) for user in users[: params.limit])
    context.limiter.spend("queries", caller.user_id, len(views) / USERS_PER_TOKEN)
    more = len(views) < len(users)
    return {"users": views, "next_cursor": str(users[len(views) - 1].id) if more else None}


@command(
    "create_user",
    CreateUser,
    CreatedUserAnswer,
    limit="changes",
    admin=True,
    more_faults=account_faults,
    errors=("forbidden", "conflict"),
)
async def create_user(context: Context, caller: Caller, params: CreateUser) -> Result:
    """Creates an account, whatever `REGISTRATION` says. Without a password one is made up, and answered once."""
    user, password = await context.operator.create(params, caller.user_id, turn_of=caller.network)
    view = _view(context, user)
    return {"user": view} if password is None else {"user": view, "password": password}


@frozen
class UpdateUser:
    user_id: Id
    is_admin: Flag | None = None
    banned: Flag | None = None
    display_name: AnyText | None = None


@command(
    "update_user",
    UpdateUser,
    AdminUserAnswer,
    limit="changes",
    admin=True,
    errors=("forbidden", "not_found", "conflict"),
)
async def update_user(context: Context, caller: Caller, params: UpdateUser) -> Result:
    """Gives or takes the right of an admin, bans or unbans, renames: all that is given, or nothing. The last active
    admin stays one: `conflict`."""
    name = params.display_name
    if name is not None:
        name = trimmed(name)
        fault = name_fault(name, context.policy.max_name_chars)
        if fault is not None:
            raise invalid(display_name=fault)
    update = AccountUpdate(params.is_admin, params.banned, name)
    try:
        user = await context.store.users.update(params.user_id, update, _act(context, caller))
    except NotFound:
        raise not_found("user") from None
    return {"user": _view(context, user)}


@frozen
class OneUser:
    user_id: Id


@command(
    "reset_password", OneUser, PasswordAnswer, limit="changes", admin=True, errors=("forbidden", "not_found")
)
async def reset_password(context: Context, caller: Caller, params: OneUser) -> Result:
    """Sets a password that is made up, answered once, and ends all sessions of the user."""
    user = await context.store.users.get(params.user_id)
    if user is None or user.deleted:
        raise not_found("user")
    try:
        password = await context.operator.set_password(user, None, caller.user_id, turn_of=caller.network)
    except NotFound:
        raise not_found("user") from None
    return {"password": password}


@command(
    "delete_user",
    OneUser,
    Nothing,
    limit="changes",
    admin=True,
    errors=("forbidden", "not_found", "conflict"),
)
async def delete_user(context: Context, caller: Caller, params: OneUser) -> Result:
    """Ends an account for good, as `vestnik user delete` does. The last active admin stays: `conflict`."""
    ending = end_account(context.store, params.user_id, _act(context, caller))
    try:
        # The account is banned first: a client that does not wait for the answer must not leave it like that.
        await asyncio.shield(ending)
    except NotFound:
        raise not_found("user") from None
    return {}


@frozen
class GetStats:
    pass


@command("get_stats", GetStats, StatsAnswer, limit="queries", admin=True, errors=("forbidden",))
async def get_stats(context: Context, caller: Caller, _params: GetStats) -> Result:
    """How much the server holds, and how many connections all nodes have."""
    context.limiter.spend("queries", caller.user_id, STATS_TOKENS)
    counts = await context.store.counts()
    uploads = await context.store.uploads.totals()
    free = await asyncio.to_thread(context.host.disk_free_bytes)
    return {
        "users": counts.users,
        "chats": counts.chats,
        "messages": counts.messages,
        "connections": context.connection_counts.total,
        "nodes": 1 + len(context.peers.others),
        "uploads_bytes": uploads.size_bytes,
        "database_bytes": counts.database_bytes,
        "disk_free_bytes": free,
        "version": context.host.version,
        "started_at": time_view(context.started_at),
        "default_chat_id": await context.setup.default_chat_id(),
    }


@frozen
class ListServerAudit:
    cursor: AnyText | None = None
    limit: PageSize = 50


@command(
    "list_server_audit", ListServerAudit, AuditAnswer, limit="queries", admin=True, errors=("forbidden",)
)
async def list_server_audit(context: Context, caller: Caller, params: ListServerAudit) -> Result:
    """A page of the audit of the server, newest entry first."""
    try:
        entries, next_cursor = await context.store.audit.page(None, cursor=params.cursor, limit=params.limit)
    except BadReference:
        raise bad_cursor() from None
    await context.operator.confirm(caller.user_id)
    return {"entries": [audit_view(entry) for entry in entries], "next_cursor": next_cursor}


@frozen
class AnyChat:
    chat_id: Id


@command("delete_any_chat", AnyChat, Nothing, limit="changes", admin=True, errors=("forbidden", "not_found"))
async def delete_any_chat(context: Context, caller: Caller, params: AnyChat) -> Result:
    """Deletes a chat, which the caller need not be in."""
    try:
        await context.store.chats.delete_any(params.chat_id, _act(context, caller))
    except NotFound:
        raise not_found("chat") from None
    return {}
