"""Chats: create, list, change, delete; join and leave their rooms."""

from typing import Annotated, cast

from domain.frozen import frozen
from domain.models import ChatType
from domain.refusals import BadReference, UnknownUsers
from handlers.commands.accounts import check_name
from handlers.context import Caller, Context
from handlers.live.connections import enter_room, leave_room
from handlers.live.limits import NEW_MEMBERS_PER_TOKEN, RECIPIENTS_PER_TOKEN
from handlers.live.loaded_chat import LoadedChat
from handlers.live.recovery import replay
from handlers.registry import Result, command
from handlers.wire.answers import (
    ChatAnswer,
    ChatsAnswer,
    CreatedChatAnswer,
    JoinedAnswer,
    LeftAnswer,
    Nothing,
)
from handlers.wire.errors import invalid
from handlers.wire.pages import ITEMS_BYTES_MAX, bad_cursor
from handlers.wire.schemas import AnyText, Flag, Id, IdList, Position, StrictInteger, StrictString
from handlers.wire.views import View, summary_view
from storage.errors import Unavailable

CREATE_MEMBERS_MAX = 1000


@frozen
class CreateChat:
    chat_type: Annotated[str, StrictString(one_of=("group", "private", "channel"))]
    name: AnyText | None = None
    member_ids: Annotated[list[int] | None, IdList(CREATE_MEMBERS_MAX)] = None


@command("create_chat", CreateChat, CreatedChatAnswer, limit="changes", errors=("forbidden",))
async def create_chat(context: Context, caller: Caller, params: CreateChat) -> Result:
    """Creates a chat with the caller as its owner. Two users share one private chat: the second time it is found, and
    whoever asks for it sees it from then on."""
    others = set(params.member_ids or ()) - {caller.user_id}
    chat_type = cast(ChatType, params.chat_type)
    if chat_type == "private" and len(others) != 1:
        raise invalid(member_ids="must name exactly one other user for a private chat")
    if chat_type != "private" and params.name is None:
        raise invalid(name="is required")
    # A private chat has no name: each member sees the name of the other.
    name = None if params.name is None or chat_type == "private" else check_name(context, "name", params.name)
    context.limiter.spend("changes", caller.user_id, len(others) / NEW_MEMBERS_PER_TOKEN)
    try:
        chat, created = await context.store.chats.create(
            name=name,
            chat_type=chat_type,
            owner_id=caller.user_id,
            member_ids=others,
            created_at=context.clock.now(),
        )
    except UnknownUsers as error:
        raise invalid(member_ids=f"no such user: {', '.join(map(str, error.user_ids))}") from None
    return {"chat": await chat_summary(context, caller, chat.id), "created": created}


CHATS_PER_TOKEN = 10
"""A page costs one token more for each 10 chats: unread messages are counted in each chat."""


@frozen
class ListChats:
    hidden: Flag = False
    cursor: AnyText | None = None
    limit: Annotated[int, StrictInteger(1, 200)] = 50


@command("list_chats", ListChats, ChatsAnswer, limit="queries", errors=())
async def list_chats(context: Context, caller: Caller, params: ListChats) -> Result:
    """The caller's chats, latest activity first: those that they have hidden, or all others."""
    try:
        summaries, next_cursor = await context.store.chats.list_for(
            caller.user_id,
            cursor=params.cursor,
            limit=params.limit,
            max_bytes=ITEMS_BYTES_MAX,
            hidden=params.hidden,
        )
    except BadReference:
        raise bad_cursor() from None
    context.limiter.spend("queries", caller.user_id, len(summaries) / CHATS_PER_TOKEN)
    now = context.clock.now()
    return {
        "chats": [summary_view(summary, now, context.links) for summary in summaries],
        "next_cursor": next_cursor,
    }


@frozen
class OneChat:
    chat_id: Id


@command("get_chat", OneChat, ChatAnswer, limit="queries", errors=("not_found",))
async def get_chat(context: Context, caller: Caller, params: OneChat) -> Result:
    """The chat as the caller sees it, for its members; `not_found` for anybody else."""
    return {"chat": await chat_summary(context, caller, params.chat_id)}


SLOW_MODE_MAX_S = 3600


@frozen
class ChangeChat:
    chat_id: Id
    name: AnyText | None = None
    is_public: Flag | None = None
    slow_mode_s: Annotated[int, StrictInteger(0, SLOW_MODE_MAX_S)] | None = None


@command("change_chat", ChangeChat, ChatAnswer, limit="changes", errors=("not_found", "forbidden"))
async def change_chat(context: Context, caller: Caller, params: ChangeChat) -> Result:
    """Changes a group or channel, all that is given or nothing: owners and admins name it and say how long plain
    members wait between two messages, and owners say whether everybody may find and join it. All members get
    `chat_changed`."""
    if params.name is None and params.is_public is None and params.slow_mode_s is None:
        raise invalid(name="is required, unless another field is given")
    name = None if params.name is None else check_name(context, "name", params.name)
    chat = await context.directory.for_member(caller.user_id, params.chat_id)
    context.limiter.spend("changes", caller.user_id, len(chat.members) / RECIPIENTS_PER_TOKEN)
    await context.store.chats.change(
        params.chat_id,
        caller.user_id,
        context.clock.now(),
        name=name,
        is_public=params.is_public,
        slow_mode_s=params.slow_mode_s,
    )
    return {"chat": await chat_summary(context, caller, params.chat_id)}


@command("delete_chat", OneChat, Nothing, limit="changes", errors=("not_found", "forbidden"))
async def delete_chat(context: Context, caller: Caller, params: OneChat) -> Result:
    """Deletes the chat with everything in it: only an owner may, and in a private chat only until both have written.
    All members get `chat_removed`."""
    chat = await context.directory.for_member(caller.user_id, params.chat_id)
    context.limiter.spend("changes", caller.user_id, len(chat.members) / RECIPIENTS_PER_TOKEN)
    await context.store.chats.delete(params.chat_id, caller.user_id)
    return {}


async def chat_summary(context: Context, caller: Caller, chat_id: int) -> View:
    """The chat as the caller sees it. Raises: `NotFound`."""
    summary = await context.store.chats.summary(chat_id, caller.user_id)
    return summary_view(summary, context.clock.now(), context.links)


@frozen
class JoinChat:
    chat_id: Id
    after_seq: Position | None = None
    epoch: AnyText | None = None


@command("join_chat", JoinChat, JoinedAnswer, socket=True, limit="joins", errors=("not_found",))
async def join_chat(context: Context, caller: Caller, params: JoinChat) -> Result:
    """Puts the caller's connection into the chat's room, after a replay of what changed since `after_seq`. A position
    of another `epoch` means nothing here: the answer is a gap, and nothing is replayed.

    The ack's `head_seq` is the head of the room in the turn of joining: the next change comes live.
    """
    connection = caller.connected()
    await context.directory.for_reader(caller.user_id, params.chat_id)
    replayed, gap = 0, params.epoch not in (None, context.store.epoch)
    if params.after_seq is not None and not gap:
        was_joined = leave_room(context.hub, connection, params.chat_id)
        try:
            replayed, gap = await replay(context, caller, params.chat_id, params.after_seq)
        except Unavailable:
            # The connection goes back into its room; the number of the next event tells the client what it missed.
            if was_joined:
                await _enter_room(context, caller, params.chat_id)
            raise
    # Must not suspend from here on: membership, session and head have to be those of the turn of joining. The chat is
    # in memory after a replay, and a chat in memory is found without suspending.
    chat = await _enter_room(context, caller, params.chat_id)
    context.presence.show(chat, connection)
    return {"chat_id": chat.id, "head_seq": chat.head_seq, "replayed": replayed, "gap": gap}


@command(
    "leave_chat",
    OneChat,
    LeftAnswer,
    socket=True,
    unlimited="it always succeeds, sends no event and undoes a join, which counts",
    errors=(),
)
async def leave_chat(context: Context, caller: Caller, params: OneChat) -> Result:
    """Takes the caller's connection out of the room; always succeeds."""
    connection = caller.connected()
    leave_room(context.hub, connection, params.chat_id)
    context.typing.gone(connection, (params.chat_id,))
    return {"chat_id": params.chat_id}


async def _enter_room(context: Context, caller: Caller, chat_id: int) -> LoadedChat:
    """Puts the caller's connection into the room; does not suspend for a chat in memory.

    Raises: `ChatError` `not_found` for a caller who is no member; `Refused` for a connection that has ended.
    """
    connection = caller.connected()
    chat = await context.directory.for_member(caller.user_id, chat_id)
    context.connections.check(connection)
    enter_room(context.hub, connection, chat)
    context.streams.show(chat_id, connection)
    return chat
