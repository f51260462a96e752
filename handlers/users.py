"""Looking at users, and changing oneself."""

from typing import Annotated

from domain.text import NAME_GROWTH
from handlers.accounts import check_name
from handlers.context import Caller, Context
from handlers.errors import ChatError, invalid, not_found
from handlers.limits import network_of
from handlers.passwords import check_password
from handlers.registry import Result, command
from handlers.shapes import AnyText, Id, StrictInteger
from handlers.views import user_view
from storage.frozen import frozen
from storage.models import User


@frozen
class GetUser:
    user_id: Id


@command("get_user", GetUser)
async def get_user(context: Context, caller: Caller, wish: GetUser) -> Result:
    user = await context.identities.user(wish.user_id)
    if user is None or user.deleted:
        raise not_found("user")
    own = user.id == caller.user_id
    return {"user": user_view(user, context.presence.status_of(user.id), own=own)}


@frozen
class UpdateMe:
    display_name: AnyText | None = None
    password: AnyText | None = None
    old_password: AnyText | None = None


@command("update_me", UpdateMe)
async def update_me(context: Context, caller: Caller, wish: UpdateMe) -> Result:
    """Changes the caller's name or password. A new password ends every other session of the user."""
    user = await context.store.users.get(caller.user_id)
    if user is None:
        raise not_found("user")
    display_name = None
    if wish.display_name is not None:
        display_name = check_name(context, "display_name", wish.display_name)
    if wish.password is not None:
        await _change_password(context, caller, user, wish)
    if display_name is not None:
        user = await context.store.users.rename(user.id, display_name)
    return {"user": user_view(user, context.presence.status_of(user.id), own=True)}


async def _change_password(context: Context, caller: Caller, user: User, wish: UpdateMe) -> None:
    assert wish.password is not None
    if wish.old_password is None:
        raise invalid(old_password="is required to set another password")
    check_password(wish.password, context.policy.min_password_chars)
    network = network_of(caller.address)
    pair = (user.id, network)
    context.limiter.check("login_failures", pair)
    if not await context.passwords.match(wish.old_password, user.password_hash, turn_of=network):
        raise ChatError("forbidden", "the old password is wrong")
    context.limiter.give_back("login_failures", pair)
    password_hash = await context.passwords.hash(wish.password, turn_of=network)
    await context.store.users.change_password(user.id, password_hash, keep_session=caller.session_id)


@frozen
class ListUsers:
    q: AnyText = ""
    cursor: AnyText | None = None
    limit: Annotated[int, StrictInteger(1, 200)] = 50


@command("list_users", ListUsers)
async def list_users(context: Context, caller: Caller, wish: ListUsers) -> Result:
    """Active users whose username or display name begins with `q`, by id."""
    after_id = 0
    if wish.cursor is not None:
        if not (wish.cursor.isascii() and wish.cursor.isdigit() and len(wish.cursor) <= 16):
            raise invalid(cursor="was not given out here")
        after_id = int(wish.cursor)
    if len(wish.q) > NAME_GROWTH * context.policy.max_name_chars:
        return {"users": [], "next_cursor": None}  # no name begins so, and comparing it takes long
    users = await context.store.users.search(wish.q, after_id=after_id, limit=wish.limit + 1)
    page = users[: wish.limit]
    more = len(users) > wish.limit
    return {
        "users": [
            user_view(user, context.presence.status_of(user.id), own=user.id == caller.user_id)
            for user in page
        ],
        "next_cursor": str(page[-1].id) if more else None,
    }
