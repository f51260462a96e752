"""Invites: make, list, remove, look at and accept them."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

from domain.decisions.admins import administers
from domain.frozen import frozen
from domain.invites import Invite, InviteView
from domain.refusals import BadReference, NotFound
from handlers.context import Caller, Context
from handlers.live.limits import RECIPIENTS_PER_TOKEN
from handlers.live.tokens import new_code
from handlers.registry import Result, command
from handlers.wire.answers import ChatAnswer, InviteAnswer, InvitesAnswer, Nothing
from handlers.wire.errors import invalid, not_found
from handlers.wire.invite_views import OfferedInviteObject, invite_view, offered_invite_view
from handlers.wire.pages import bad_cursor
from handlers.wire.schemas import AnyText, Id, StrictInteger
from handlers.wire.views import summary_view
from storage.cursor import Cursor
from storage.times import to_micros

DEFAULT_S = 7 * 24 * 3600
LONGEST_S = 10 * 365 * 24 * 3600
USES_MAX = 1_000_000

INVITES_PER_PAGE = 200
"""An invite takes less than 1 KB."""

_CODE = re.compile(r"[A-Za-z0-9_-]{20,64}")

Lifetime = Annotated[int, StrictInteger(0, LONGEST_S)]
Uses = Annotated[int, StrictInteger(0, USES_MAX)]
PageSize = Annotated[int, StrictInteger(1, INVITES_PER_PAGE)]


@frozen
class CreateInvite:
    chat_id: Id
    expires_in_s: Lifetime = DEFAULT_S
    max_uses: Uses = 0


@command(
    "create_invite",
    CreateInvite,
    InviteAnswer,
    limit="changes",
    errors=("not_found", "forbidden", "conflict"),
)
async def create_invite(context: Context, caller: Caller, params: CreateInvite) -> Result:
    """Makes an invite to a group or channel: its owners and admins may, and at most 100 work at a time."""
    return await _create(context, caller, params.chat_id, params)


@frozen
class CreateServerInvite:
    expires_in_s: Lifetime = DEFAULT_S
    max_uses: Uses = 0


@command(
    "create_server_invite",
    CreateServerInvite,
    InviteAnswer,
    limit="changes",
    admin=True,
    errors=("forbidden", "conflict"),
)
async def create_server_invite(context: Context, caller: Caller, params: CreateServerInvite) -> Result:
    """Makes an invite to the server, with which people register: admins of the server may."""
    return await _create(context, caller, None, params)


async def _create(
    context: Context, caller: Caller, chat_id: int | None, params: CreateInvite | CreateServerInvite
) -> Result:
    now = context.clock.now()
    lifetime = timedelta(seconds=params.expires_in_s)
    invite = Invite(
        code=new_code(),
        chat_id=chat_id,
        created_by=caller.user_id,
        created_at=now,
        expires_at=now + lifetime if lifetime else None,
        max_uses=params.max_uses,
    )
    return {"invite": invite_view(await context.store.invites.create(invite), _base_url(context, caller))}


@frozen
class ListInvites:
    chat_id: Id
    cursor: AnyText | None = None
    limit: PageSize = INVITES_PER_PAGE


@command("list_invites", ListInvites, InvitesAnswer, limit="queries", errors=("not_found", "forbidden"))
async def list_invites(context: Context, caller: Caller, params: ListInvites) -> Result:
    """A page of the invites to a group or channel that still work, oldest first, for its owners and admins."""
    invites = await context.store.invites.of_chat(params.chat_id, caller.user_id, context.clock.now())
    return _page(context, caller, invites, params)


@frozen
class ListServerInvites:
    cursor: AnyText | None = None
    limit: PageSize = INVITES_PER_PAGE


@command(
    "list_server_invites",
    ListServerInvites,
    InvitesAnswer,
    limit="queries",
    admin=True,
    errors=("forbidden",),
)
async def list_server_invites(context: Context, caller: Caller, params: ListServerInvites) -> Result:
    """A page of the invites to the server that still work, oldest first, for admins of the server."""
    invites = await context.store.invites.of_server(context.clock.now())
    await context.operator.confirm(caller.user_id)
    return _page(context, caller, invites, params)


def _page(
    context: Context, caller: Caller, invites: Sequence[Invite], params: ListInvites | ListServerInvites
) -> Result:
    page, next_cursor = page_of(invites, params.cursor, params.limit)
    base_url = _base_url(context, caller)
    return {"invites": [invite_view(invite, base_url) for invite in page], "next_cursor": next_cursor}


def page_of(invites: Sequence[Invite], cursor: str | None, limit: int) -> tuple[Sequence[Invite], str | None]:
    """A page of a list that is ordered by time. A cursor has the time of the last invite, and how many of the same time
    came before, and no code: cursors stand in the logs of proxies. Raises: `ChatError` `invalid`."""
    start = 0
    if cursor is not None:
        try:
            after = Cursor.parse(cursor)
        except BadReference:
            raise bad_cursor() from None
        start = sum(to_micros(one.created_at) < after.at for one in invites) + after.id
    page = invites[start : start + limit]
    if start + len(page) >= len(invites):
        return page, None
    last_at = page[-1].created_at
    same = sum(one.created_at == last_at for one in invites[: start + len(page)])
    return page, str(Cursor(to_micros(last_at), same))


Code = AnyText
"""Text that is no code is as unknown as any other."""


@frozen
class OneInvite:
    code: Code


@command("get_invite", OneInvite, OfferedInviteObject, limit="auth_calls", errors=("not_found",))
async def get_invite(context: Context, caller: Caller, params: OneInvite) -> Result:
    """Who invites where, for a stranger who has the code of an invite that works."""
    found = await find(context, params.code)
    if found is None:
        raise not_found("invite")
    return offered_invite_view(found)


@command(
    "accept_invite", OneInvite, ChatAnswer, limit="changes", errors=("not_found", "forbidden", "invalid")
)
async def accept_invite(context: Context, caller: Caller, params: OneInvite) -> Result:
    """Makes the caller a member of the chat of an invite; for a member nothing changes, and no use counts.

    A new member gets `chat_added`, all members `chat_changed`.
    """
    with _known_invite(params.code):
        chat_id = await context.store.invites.accept(params.code, caller.user_id, context.clock.now())
    if chat_id is None:
        raise invalid(code="is an invite to the server, and to no chat")
    return await entered(context, caller, chat_id)


async def entered(context: Context, caller: Caller, chat_id: int) -> Result:
    """The chat that the caller has come into, counted by the number of those who hear of it."""
    chat = await context.directory.for_member(caller.user_id, chat_id)
    context.limiter.spend("changes", caller.user_id, len(chat.members) / RECIPIENTS_PER_TOKEN)
    summary = await context.store.chats.summary(chat_id, caller.user_id)
    return {"chat": summary_view(summary, context.clock.now(), context.links)}


@command("remove_invite", OneInvite, Nothing, limit="changes", errors=("not_found", "forbidden"))
async def remove_invite(context: Context, caller: Caller, params: OneInvite) -> Result:
    """Ends an invite: the owners and admins of its chat may, and admins of the server."""
    user = await context.identities.user_for_answer(caller.user_id)
    with _known_invite(params.code):
        await context.store.invites.remove(
            params.code, caller.user_id, context.clock.now(), is_server_admin=administers(user)
        )
    return {}


async def find(context: Context, code: str) -> InviteView | None:
    """The invite of this code if it works."""
    if not _CODE.fullmatch(code):
        return None
    return await context.store.invites.find(code, context.clock.now())


@contextmanager
def _known_invite(code: str) -> Iterator[None]:
    """Raises: `ChatError` `not_found` for text that is no code, and where the store finds no invite."""
    if not _CODE.fullmatch(code):
        raise not_found("invite")
    try:
        yield
    except NotFound:
        raise not_found("invite") from None


def _base_url(context: Context, caller: Caller) -> str:
    """Where people reach the web client."""
    return context.policy.public_url or caller.origin()
