"""Messages: send, edit, delete, read, and history."""

from functools import partial
from typing import Annotated

from domain.frozen import frozen
from domain.models import Appended, Draft, Message, ReadMark
from domain.text import content_fault
from handlers.context import Caller, Context
from handlers.live.limits import RECIPIENTS_PER_TOKEN
from handlers.live.streams import StreamTracker
from handlers.registry import Later, Result, command
from handlers.wire.answers import (
    DeletedAnswer,
    EditedAnswer,
    HistoryAnswer,
    MessageAnswer,
    ReadAnswer,
    SentAnswer,
    VersionsAnswer,
)
from handlers.wire.errors import ChatError, invalid, not_found
from handlers.wire.file_links import FileLinks
from handlers.wire.pages import ITEMS_BYTES_MAX
from handlers.wire.schemas import AnyText, ClientId, Id, StrictInteger, StrictString, UploadIds
from handlers.wire.views import message_view, version_view


@frozen
class SendMessage:
    chat_id: Id
    content: AnyText
    client_id: ClientId | None = None
    reply_to: Id | None = None
    attachments: UploadIds | None = None


@frozen
class CreateMessage:
    chat_id: Id
    content: AnyText
    message_type: Annotated[str, StrictString(one_of=("text",))] = "text"
    client_id: ClientId | None = None
    reply_to: Id | None = None
    attachments: UploadIds | None = None


async def _send(context: Context, caller: Caller, params: SendMessage | CreateMessage) -> Later[Appended]:
    """Sends a message. The answer means that the message is on disk and has been published to the room."""
    attachments = params.attachments or ()
    fault = content_fault(params.content, context.policy.max_content_chars, attached=bool(attachments))
    if fault is not None and params.client_id is None:
        raise invalid(content=fault)
    # Membership is checked in memory, so that a stranger costs no write; the store checks it again in the write.
    await context.directory.for_member(caller.user_id, params.chat_id)
    draft = Draft(
        chat_id=params.chat_id,
        sender_id=caller.user_id,
        content=params.content,
        created_at=context.clock.now(),
        client_id=params.client_id,
        reply_to=params.reply_to,
        content_fault=fault,
        attachments=attachments,
    )
    return Later(context.store.messages.append(draft), partial(_sent, context.links, context.streams))


def _sent(links: FileLinks, streams: StreamTracker, appended: Appended) -> Result:
    message = appended.message
    if appended.duplicate and message.client_id is not None:  # no event of a message ends its stream
        streams.end(message.chat_id, message.sender_id, message.client_id)
    return {"message": message_view(message, links), "seq": message.seq, "duplicate": appended.duplicate}


send_message = command(
    "send_message",
    SendMessage,
    SentAnswer,
    socket=True,
    limit="messages",
    errors=("not_found", "forbidden", "conflict"),
)(_send)
# The same over REST, where a message also names its type.
create_message = command(
    "create_message",
    CreateMessage,
    SentAnswer,
    limit="messages",
    errors=("not_found", "forbidden", "conflict"),
)(_send)


@frozen
class EditMessage:
    message_id: Id
    content: AnyText


@command(
    "edit_message",
    EditMessage,
    EditedAnswer,
    socket=True,
    limit="messages",
    errors=("not_found", "forbidden"),
)
async def edit_message(context: Context, caller: Caller, params: EditMessage) -> Result | Later[Message]:
    """Replaces the content of a message, which may be empty beside attachments: only its author may. The room gets
    `message_updated`."""
    longest = context.policy.max_content_chars
    fault = content_fault(params.content, longest, attached=True)
    if fault is not None:
        raise invalid(content=fault)
    write = context.store.messages.edit(
        params.message_id,
        caller.user_id,
        params.content,
        context.clock.now(),
        content_fault=content_fault(params.content, longest),
    )
    return Later(
        write, lambda message: {"message": message_view(message, context.links), "seq": message.changed_seq}
    )


@frozen
class OneMessage:
    message_id: Id


@command(
    "delete_message",
    OneMessage,
    DeletedAnswer,
    socket=True,
    limit="messages",
    errors=("not_found", "forbidden"),
)
async def delete_message(context: Context, caller: Caller, params: OneMessage) -> Result | Later[Message]:
    """Makes a message a tombstone: its author, admins and owners may. The room gets `message_deleted`."""
    write = context.store.messages.delete(params.message_id, caller.user_id, context.clock.now())
    return Later(
        write,
        lambda message: {
            "chat_id": message.chat_id,
            "message_id": message.id,
            "seq": message.changed_seq,
        },
    )


@command("get_message", OneMessage, MessageAnswer, limit="queries", errors=("not_found",))
async def get_message(context: Context, caller: Caller, params: OneMessage) -> Result:
    """One message, for members of its chat. A deleted one is `not_found`."""
    return {"message": message_view(await _for_reader(context, caller, params.message_id), context.links)}


VERSION_CHARS_PER_TOKEN = 20_000
"""The history of a message costs one token more for each 20,000 characters. It has up to a million, which take as long
to write as several pages."""


@command("message_history", OneMessage, VersionsAnswer, limit="queries", errors=("not_found",))
async def message_history(context: Context, caller: Caller, params: OneMessage) -> Result:
    """What a message said before each of its edits, and says now, for members of its chat. A deleted one is
    `not_found`."""
    await _for_reader(context, caller, params.message_id)
    versions = await context.store.messages.versions(params.message_id)
    if versions is None:
        raise not_found("message")
    characters = sum(len(version.content) for version in versions)
    context.limiter.spend("queries", caller.user_id, characters / VERSION_CHARS_PER_TOKEN)
    # The caller may have been removed, or the message deleted, while the versions were read.
    await _for_reader(context, caller, params.message_id)
    return {"versions": [version_view(version) for version in versions]}


async def _for_reader(context: Context, caller: Caller, message_id: int) -> Message:
    """The message, for a member of its chat. Raises: `ChatError` `not_found`, for a deleted one too."""
    message = await context.store.messages.get(message_id)
    if message is None or message.deleted:
        raise not_found("message")
    try:
        await context.directory.for_reader(caller.user_id, message.chat_id)
    except ChatError:
        raise not_found("message") from None
    return message


MESSAGES_PER_TOKEN = 50
"""A page costs one token more for each 50 messages."""


@frozen
class ListMessages:
    chat_id: Id
    before: Id | None = None
    after: Id | None = None
    around: Id | None = None
    limit: Annotated[int, StrictInteger(1, 200)] = 50


@command("list_messages", ListMessages, HistoryAnswer, limit="queries", errors=("not_found",))
async def list_messages(context: Context, caller: Caller, params: ListMessages) -> Result:
    """A page of history. `head_seq` is read before the page, so the client applies every live event above it."""
    chat = await context.directory.for_member(caller.user_id, params.chat_id)
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
    # The caller may have been removed while the page was read, and then must not see it.
    await context.directory.for_reader(caller.user_id, params.chat_id)
    return {
        "messages": [message_view(message, context.links) for message in page.messages],
        "has_more_before": page.has_more_before,
        "has_more_after": page.has_more_after,
        "head_seq": head_seq,
    }


async def _position(context: Context, chat_id: int, field: str, message_id: int) -> int:
    """The `seq` of a message, which may be deleted. Raises: `ChatError` `invalid` if it is not in this chat."""
    message = await context.store.messages.get(message_id)
    if message is None or message.chat_id != chat_id:
        raise invalid(**{field: "is no message of this chat"})
    return message.seq


@frozen
class ReadMessages:
    chat_id: Id
    up_to: Id | None = None


@command("read_messages", ReadMessages, ReadAnswer, socket=True, limit="marks", errors=("not_found",))
async def read_messages(context: Context, caller: Caller, params: ReadMessages) -> Result | Later[ReadMark]:
    """Moves the caller's read mark forward, to `up_to` or to the newest message; it never goes back."""
    chat = await context.directory.for_member(caller.user_id, params.chat_id)
    context.limiter.spend("marks", caller.user_id, len(chat.joined) / RECIPIENTS_PER_TOKEN)

    def result(mark: ReadMark) -> Result:
        return {
            "chat_id": params.chat_id,
            "up_to": mark.up_to,
            "read_seq": mark.read_seq,
            "unread_count": mark.unread_count,
            "unread_mentions": mark.unread_mentions,
        }

    return Later(context.store.messages.mark_read(params.chat_id, caller.user_id, params.up_to), result)
