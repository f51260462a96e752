"""Messages: send, edit, delete, and looking back."""

from typing import Annotated

from domain.frozen import frozen
from domain.models import Actor, Appended, Draft, Message, Permission, ReadMark
from domain.permissions import may_delete, may_edit, may_send
from domain.text import content_fault
from handlers.context import Caller, Context
from handlers.live.limits import TOLD_PER_TOKEN
from handlers.registry import Later, Result, command
from handlers.wire.errors import ChatError, invalid, not_found
from handlers.wire.pages import ITEMS_BYTES_MAX
from handlers.wire.schemas import AnyText, ClientId, Id, StrictInteger, StrictString
from handlers.wire.views import message_view


def _refusing(fault: str) -> Permission:
    """The rule for content that may not be: the store answers a repeat before it asks a rule, and what was stored when
    the rules of content were others is still there."""

    def refuse(_standing: Actor) -> None:
        raise invalid(content=fault)

    return refuse


@frozen
class SendMessage:
    chat_id: Id
    content: AnyText
    client_id: ClientId | None = None
    reply_to: Id | None = None


@frozen
class CreateMessage:
    chat_id: Id
    content: AnyText
    message_type: Annotated[str, StrictString(one_of=("text",))] = "text"
    client_id: ClientId | None = None
    reply_to: Id | None = None


async def _send(context: Context, caller: Caller, params: SendMessage | CreateMessage) -> Later[Appended]:
    """Stores a message; the ack means that it is on disk and has been handed to the room."""
    fault = content_fault(params.content, context.policy.max_content_chars)
    if fault is not None and params.client_id is None:
        raise invalid(content=fault)
    # Membership from memory, so that a stranger costs no write; the store looks again in the write itself.
    await context.directory.entered_by(caller.user_id, params.chat_id)
    draft = Draft(
        chat_id=params.chat_id,
        sender_id=caller.user_id,
        content=params.content,
        created_at=context.clock.now(),
        client_id=params.client_id,
        reply_to=params.reply_to,
    )
    rule = may_send if fault is None else _refusing(fault)
    return Later(context.store.messages.append(draft, rule), _sent)


def _sent(appended: Appended) -> Result:
    message = appended.message
    return {"message": message_view(message), "seq": message.seq, "duplicate": appended.duplicate}


send_message = command("send_message", SendMessage, socket=True, limit="messages")(_send)
# Over REST, where the type of the message is named, too.
create_message = command("create_message", CreateMessage, limit="messages")(_send)


@frozen
class EditMessage:
    message_id: Id
    content: AnyText


@command("edit_message", EditMessage, socket=True, limit="messages")
async def edit_message(context: Context, caller: Caller, params: EditMessage) -> Result | Later[Message]:
    fault = content_fault(params.content, context.policy.max_content_chars)
    if fault is not None:
        raise invalid(content=fault)
    write = context.store.messages.edit(
        params.message_id, caller.user_id, params.content, context.clock.now(), may_edit
    )
    return Later(write, lambda message: {"message": message_view(message), "seq": message.changed_seq})


@frozen
class OneMessage:
    message_id: Id


@command("delete_message", OneMessage, socket=True, limit="messages")
async def delete_message(context: Context, caller: Caller, params: OneMessage) -> Result | Later[Message]:
    write = context.store.messages.delete(params.message_id, caller.user_id, context.clock.now(), may_delete)
    return Later(
        write,
        lambda message: {
            "chat_id": message.chat_id,
            "message_id": message.id,
            "seq": message.changed_seq,
        },
    )


@command("get_message", OneMessage, limit="queries")
async def get_message(context: Context, caller: Caller, params: OneMessage) -> Result:
    message = await context.store.messages.get(params.message_id)
    if message is None or message.deleted:
        raise not_found("message")
    try:
        await context.directory.entered_by(caller.user_id, message.chat_id)
    except ChatError:
        raise not_found("message") from None
    return {"message": message_view(message)}


MESSAGES_PER_TOKEN = 50
"""A page costs one token more for so many messages."""


@frozen
class ListMessages:
    chat_id: Id
    before: Id | None = None
    after: Id | None = None
    around: Id | None = None
    limit: Annotated[int, StrictInteger(1, 200)] = 50


@command("list_messages", ListMessages, limit="queries")
async def list_messages(context: Context, caller: Caller, params: ListMessages) -> Result:
    """A page of history. `head_seq` is read before the page: what changes later, the client hears of live."""
    chat = await context.directory.entered_by(caller.user_id, params.chat_id)
    head_seq = chat.head_seq
    anchors = {name: getattr(params, name) for name in ("before", "after", "around")}
    given = {name: message_id for name, message_id in anchors.items() if message_id is not None}
    if len(given) > 1:
        raise invalid(**dict.fromkeys(given, "only one of before, after and around goes"))
    at = {f"{name}_seq": await _position(context, params.chat_id, name, given[name]) for name in given}
    page = await context.store.messages.history(
        params.chat_id, limit=params.limit, max_bytes=ITEMS_BYTES_MAX, **at
    )
    context.limiter.spend("queries", caller.user_id, len(page.messages) / MESSAGES_PER_TOKEN)
    # The page was read outside this turn: a member who was removed meanwhile sees nothing of it.
    await context.directory.entered_by(caller.user_id, params.chat_id)
    return {
        "messages": [message_view(message) for message in page.messages],
        "has_more_before": page.has_more_before,
        "has_more_after": page.has_more_after,
        "head_seq": head_seq,
    }


async def _position(context: Context, chat_id: int, field: str, message_id: int) -> int:
    """Where a message stands, a deleted one too. Raises: `ChatError` `invalid` if it is not of this chat."""
    message = await context.store.messages.get(message_id)
    if message is None or message.chat_id != chat_id:
        raise invalid(**{field: "is no message of this chat"})
    return message.seq


@frozen
class ReadMessages:
    chat_id: Id
    up_to: Id | None = None


@command("read_messages", ReadMessages, socket=True, limit="marks")
async def read_messages(context: Context, caller: Caller, params: ReadMessages) -> Result | Later[ReadMark]:
    """Moves the caller's mark forward, to `up_to` or to the newest message; it never goes back."""
    chat = await context.directory.entered_by(caller.user_id, params.chat_id)
    context.limiter.spend("marks", caller.user_id, len(chat.joined) / TOLD_PER_TOKEN)

    def result(mark: ReadMark) -> Result:
        return {
            "chat_id": params.chat_id,
            "up_to": mark.up_to,
            "read_seq": mark.read_seq,
            "unread_count": mark.unread_count,
        }

    return Later(context.store.messages.mark_read(params.chat_id, caller.user_id, params.up_to), result)
