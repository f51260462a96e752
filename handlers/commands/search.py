"""Search of messages."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Annotated

from domain.frozen import frozen
from domain.models import Message
from domain.search import HAS, QUERY_CHARS_MAX, Has, has_letter_or_digit, parse
from handlers.context import Caller, Context
from handlers.live.loaded_chat import LoadedChat
from handlers.registry import Result, command
from handlers.wire.answers import FoundAnswer
from handlers.wire.errors import ChatError, invalid
from handlers.wire.pages import ITEMS_BYTES_MAX
from handlers.wire.schemas import AnyText, Id, StrictInteger, StrictString
from handlers.wire.views import message_view
from storage.search import SearchRequest


@frozen
class SearchMessages:
    q: Annotated[str, StrictString(0, QUERY_CHARS_MAX)] = ""
    chat_id: Id | None = None
    from_: Id | None = None
    has: Annotated[Has, StrictString(one_of=tuple(HAS))] | None = None
    cursor: AnyText | None = None
    limit: Annotated[int, StrictInteger(1, 100)] = 20


@command("search_messages", SearchMessages, FoundAnswer, limit="searches", errors=("not_found",))
async def search_messages(context: Context, caller: Caller, params: SearchMessages) -> Result:
    """Messages of the caller's chats that have all the words, newest first. While those of an earlier version are being
    indexed the answer is `unavailable`."""
    query = parse(params.q, params.has)
    if query.is_empty or (params.has is None and not has_letter_or_digit(params.q)):
        raise invalid(q=f"must be 1 to {QUERY_CHARS_MAX} characters with a letter or digit, or has be given")
    if params.chat_id is not None:
        await context.directory.for_member(caller.user_id, params.chat_id)
    request = SearchRequest(
        query,
        params.limit,
        chat_id=params.chat_id,
        sender_id=params.from_,
        cursor=params.cursor,
        max_bytes=ITEMS_BYTES_MAX,
    )
    async with context.searches.of(str(caller.user_id), gone=caller.gone):
        messages, following = await context.store.search.messages(caller.user_id, request)
    shown = await _shown(context, caller.user_id, messages)
    return {"messages": [message_view(message, context.links) for message in shown], "next_cursor": following}


async def _shown(context: Context, user_id: int, messages: Sequence[Message]) -> Iterable[Message]:
    """The messages in chats of which the user is a member in the turn in which this returns: they may have been removed
    while the store was asked."""
    chats: dict[int, LoadedChat] = {}
    for chat_id in {message.chat_id for message in messages}:
        with suppress(ChatError):  # the caller is no longer a member
            chats[chat_id] = await context.directory.for_reader(user_id, chat_id)
    members = {chat_id: (context.directory.peek(chat_id) or chat).members for chat_id, chat in chats.items()}
    return [message for message in messages if user_id in members.get(message.chat_id, ())]
