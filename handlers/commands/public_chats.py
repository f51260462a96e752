"""Public chats: find and join them."""

from typing import Annotated

from domain.frozen import frozen
from domain.text import NAME_GROWTH
from handlers.commands.invites import entered
from handlers.context import Caller, Context
from handlers.registry import Result, command
from handlers.wire.answers import ChatAnswer, PublicChatsAnswer
from handlers.wire.pages import after_id, that_fit
from handlers.wire.schemas import AnyText, Id, StrictInteger
from handlers.wire.views import chat_view
from storage.public_pages import LOOKED_AT_MAX

CHATS_PER_TOKEN = 50
"""A page costs one token more for each 50 chats that it has; a search, for each 50 that the store may look at."""


@frozen
class ListPublicChats:
    q: AnyText = ""
    cursor: AnyText | None = None
    limit: Annotated[int, StrictInteger(1, 200)] = 50


@command("list_public_chats", ListPublicChats, PublicChatsAnswer, limit="queries", errors=())
async def list_public_chats(context: Context, caller: Caller, params: ListPublicChats) -> Result:
    """A page of public chats whose names contain `q`, ordered by id, whether the caller is in them or not."""
    if len(params.q) > NAME_GROWTH * context.policy.max_name_chars:
        return {"chats": [], "next_cursor": None}  # no name is as long, and comparing the text takes long
    chats, following = await context.store.chats.public(
        params.q, after_id=after_id(params.cursor), limit=params.limit
    )
    views = that_fit(map(chat_view, chats))
    looked_at = LOOKED_AT_MAX if params.q else len(views)
    context.limiter.spend("queries", caller.user_id, looked_at / CHATS_PER_TOKEN)
    if len(views) < len(chats):
        following = chats[len(views) - 1].id
    return {"chats": views, "next_cursor": None if following is None else str(following)}


@frozen
class JoinPublicChat:
    chat_id: Id


@command("join_public_chat", JoinPublicChat, ChatAnswer, limit="changes", errors=("not_found", "forbidden"))
async def join_public_chat(context: Context, caller: Caller, params: JoinPublicChat) -> Result:
    """Makes the caller a member of a public chat; for a member of any chat nothing changes.

    A new member gets `chat_added`, all members `chat_changed`.
    """
    await context.store.chats.join(params.chat_id, caller.user_id, context.clock.now())
    return await entered(context, caller, params.chat_id)
