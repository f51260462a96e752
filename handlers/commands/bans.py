"""Users who are kept out of a chat."""

from typing import Annotated

from domain.frozen import frozen
from domain.models import Ban, User
from domain.permissions import check_oversee
from domain.refusals import BadReference
from handlers.context import Caller, Context
from handlers.live.limits import RECIPIENTS_PER_TOKEN
from handlers.registry import Result, command
from handlers.wire.answers import BanAnswer, BansAnswer, Nothing
from handlers.wire.errors import not_found
from handlers.wire.moderation_views import ban_view
from handlers.wire.pages import bad_cursor, that_fit
from handlers.wire.schemas import AnyText, Id, StrictInteger, StrictString
from handlers.wire.views import View, user_view
from storage.cursor import Cursor

REASON_CHARS_MAX = 500

BANS_PER_PAGE = 200

BANS_PER_TOKEN = 200
"""A page costs one token more for each 200 bans."""


@frozen
class BanUser:
    chat_id: Id
    user_id: Id
    reason: Annotated[str, StrictString(1, REASON_CHARS_MAX)] | None = None


@command("ban_user", BanUser, BanAnswer, limit="changes", errors=("not_found", "forbidden", "conflict"))
async def ban_user(context: Context, caller: Caller, params: BanUser) -> Result:
    """Keeps a user out of a group or channel, and removes them if they are a member: owners may everybody but
    themselves, admins plain members and strangers.

    A former member gets `chat_removed`, the members `chat_changed`.
    """
    chat = await context.directory.for_member(caller.user_id, params.chat_id)
    context.limiter.spend("changes", caller.user_id, len(chat.members) / RECIPIENTS_PER_TOKEN)
    ban, created = await context.store.moderation.ban(
        params.chat_id, caller.user_id, params.user_id, params.reason, context.clock.now()
    )
    user = await context.identities.user_for_answer(ban.user_id)
    if user is None:
        raise not_found("user")
    return {"ban": _view(context, caller, ban, user), "created": created}


@frozen
class ListBans:
    chat_id: Id
    cursor: AnyText | None = None
    limit: Annotated[int, StrictInteger(1, BANS_PER_PAGE)] = 50


@command("list_bans", ListBans, BansAnswer, limit="queries", errors=("not_found", "forbidden"))
async def list_bans(context: Context, caller: Caller, params: ListBans) -> Result:
    """A page of the users who are banned from a group or channel, for its owners and admins."""
    store = context.store
    check_oversee(await store.chats.actor(params.chat_id, caller.user_id))
    try:
        bans, next_cursor = await store.moderation.bans(
            params.chat_id, cursor=params.cursor, limit=params.limit
        )
    except BadReference:
        raise bad_cursor() from None
    users = await store.users.get_many([ban.user_id for ban in bans])
    # The caller may have lost the right while the page was read, and then must not see it.
    check_oversee(await store.chats.actor(params.chat_id, caller.user_id))
    context.limiter.spend("queries", caller.user_id, len(bans) / BANS_PER_TOKEN)
    views = that_fit(_view(context, caller, ban, users[ban.user_id]) for ban in bans)
    if len(views) < len(bans):
        next_cursor = str(Cursor(0, bans[len(views) - 1].user_id))
    return {"bans": views, "next_cursor": next_cursor}


@frozen
class UnbanUser:
    chat_id: Id
    user_id: Id


@command("unban_user", UnbanUser, Nothing, limit="changes", errors=("not_found", "forbidden"))
async def unban_user(context: Context, caller: Caller, params: UnbanUser) -> Result:
    """Lets a user come into a group or channel again: owners and admins may. Does nothing for one who is not banned."""
    await context.directory.for_member(caller.user_id, params.chat_id)
    await context.store.moderation.unban(params.chat_id, caller.user_id, params.user_id, context.clock.now())
    return {}


def _view(context: Context, caller: Caller, ban: Ban, user: User) -> View:
    own = user.id == caller.user_id
    return ban_view(ban, user_view(user, context.presence.status_of(user.id), own=own))
