"""The members of a chat."""

from datetime import datetime
from typing import Annotated, cast

from domain.frozen import frozen
from domain.models import Member, Role
from domain.refusals import BadReference
from handlers.context import Caller, Context
from handlers.live.limits import RECIPIENTS_PER_TOKEN
from handlers.registry import Result, command
from handlers.wire.answers import MemberAnswer, MembersAnswer, Nothing
from handlers.wire.errors import invalid, not_found
from handlers.wire.pages import order_of, that_fit
from handlers.wire.schemas import ABSENT, Absent, AnyText, Id, StrictInteger, StrictString, StrictTime
from handlers.wire.views import View, member_view, user_view
from storage.cursor import Cursor

RoleField = Annotated[str, StrictString(one_of=("owner", "admin", "member"))]


MEMBERS_PER_PAGE = 1000

MEMBERS_PER_TOKEN = 200
"""A page costs one token more for each 200 members."""


@frozen
class ListMembers:
    chat_id: Id
    cursor: AnyText | None = None
    limit: Annotated[int, StrictInteger(1, MEMBERS_PER_PAGE)] = MEMBERS_PER_PAGE


@command("list_members", ListMembers, MembersAnswer, limit="queries", errors=("not_found",))
async def list_members(context: Context, caller: Caller, params: ListMembers) -> Result:
    """A page of the chat's members, in the order in which they were added."""
    await context.directory.for_member(caller.user_id, params.chat_id)
    try:
        members, next_cursor = await context.store.chats.members(
            params.chat_id, cursor=params.cursor, limit=params.limit
        )
    except BadReference:
        raise invalid(cursor="was not given out here") from None
    users = await context.store.users.get_many([member.user_id for member in members])
    # The caller may have been removed while the page was read, and then must not see it.
    await context.directory.for_member(caller.user_id, params.chat_id)
    at = context.clock.now()
    views = that_fit(
        member_view(
            member,
            user_view(
                users[member.user_id],
                context.presence.status_of(member.user_id),
                own=member.user_id == caller.user_id,
            ),
            at,
        )
        for member in members
    )
    context.limiter.spend("queries", caller.user_id, len(members) / MEMBERS_PER_TOKEN)
    if len(views) < len(members):
        last = members[len(views) - 1]
        next_cursor = str(Cursor(*order_of(last)))
    return {"members": views, "next_cursor": next_cursor}


@frozen
class AddMember:
    chat_id: Id
    user_id: Id
    role: RoleField = "member"


@command(
    "add_member", AddMember, MemberAnswer, limit="changes", errors=("not_found", "forbidden", "conflict")
)
async def add_member(context: Context, caller: Caller, params: AddMember) -> Result:
    """Adds a user to a group or channel: owners and admins may, and only owners with another role than `member`.

    The new member gets `chat_added`, all members `chat_changed`.
    """
    await _count(context, caller, params.chat_id)
    role = cast(Role, params.role)
    member = await context.store.chats.add_member(
        params.chat_id, caller.user_id, params.user_id, role, context.clock.now()
    )
    return {"member": await _view(context, caller, member)}


@frozen
class ChangeMember:
    chat_id: Id
    user_id: Id
    role: RoleField | None = None
    muted_until: Annotated[datetime, StrictTime()] | Absent | None = ABSENT


@command(
    "change_member",
    ChangeMember,
    MemberAnswer,
    limit="changes",
    errors=("not_found", "forbidden", "conflict"),
)
async def change_member(context: Context, caller: Caller, params: ChangeMember) -> Result:
    """Gives a member of a group or channel another role, which only owners may; or mutes them until a time, no longer
    with null or a time that is over: owners may everybody but themselves, admins plain members. All members get
    `chat_changed`."""
    chat_id, user_id, role, muted_until = params.chat_id, params.user_id, params.role, params.muted_until
    if role is None and muted_until is ABSENT:
        raise invalid(role="is required, or muted_until")
    if role is not None and muted_until is not ABSENT:
        raise invalid(role="goes without muted_until", muted_until="goes without role")
    await _count(context, caller, chat_id)
    store, at = context.store, context.clock.now()
    if muted_until is ABSENT:
        member = await store.chats.set_role(chat_id, caller.user_id, user_id, cast(Role, role), at)
    else:
        member = await store.moderation.mute(chat_id, caller.user_id, user_id, muted_until, at)
    return {"member": await _view(context, caller, member)}


@frozen
class RemoveMember:
    chat_id: Id
    user_id: Id


@command("remove_member", RemoveMember, Nothing, limit="changes", errors=("not_found", "forbidden"))
async def remove_member(context: Context, caller: Caller, params: RemoveMember) -> Result:
    """Removes a member of a group or channel. Every member may leave; owners and admins remove members, and only owners
    remove admins and owners.

    The former member gets `chat_removed`, all others `chat_changed`.
    """
    await _count(context, caller, params.chat_id)
    await context.store.chats.remove_member(
        params.chat_id, caller.user_id, params.user_id, context.clock.now()
    )
    return {}


async def _count(context: Context, caller: Caller, chat_id: int) -> None:
    """Counts a change that is published to all members. Raises: `ChatError` `not_found` for a caller who is none."""
    chat = await context.directory.for_member(caller.user_id, chat_id)
    context.limiter.spend("changes", caller.user_id, len(chat.members) / RECIPIENTS_PER_TOKEN)


async def _view(context: Context, caller: Caller, member: Member) -> View:
    user = await context.identities.user_for_answer(member.user_id)
    if user is None:
        raise not_found("user")
    own = member.user_id == caller.user_id
    view = user_view(user, context.presence.status_of(user.id), own=own)
    return member_view(member, view, context.clock.now())
