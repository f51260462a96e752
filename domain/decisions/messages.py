"""Sending, editing and deleting messages."""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.changes import MessageCreated, MessageDeleted, MessageEdited
from domain.decisions.alive import alive_message
from domain.decisions.files import attachments_of
from domain.decisions.mentions import NOBODY, Mentions, mentions_of
from domain.decisions.view import MessageView
from domain.files import file_ids_of, message_type_of
from domain.models import Actor, Appended, Draft, Message
from domain.permissions import check_delete, check_edit, check_send, waits
from domain.refusals import BadContent, BadReference, ClientIdTaken, NotFound, TooSoon
from domain.tombstones import tombstone


def send(view: MessageView, draft: Draft) -> MessageCreated | Appended:
    """The new message. If the sender used the client_id before, the first message: a repeat changes nothing, whatever
    its content.

    Raises, the first that holds: `NotFound` if the sender is not a member; for a repeat `ClientIdTaken` or, if the
    first message is deleted, `NotFound`; `BadContent`; `Forbidden`; `BadReference("reply_to")`; `TooSoon`;
    `BadReference("attachments")`.
    """
    actor = view.actor(draft.chat_id, draft.sender_id)
    if draft.client_id is not None:
        first = view.first_use(draft.sender_id, draft.client_id)
        if first is not None:
            return _repeat(first, draft)
    if draft.content_fault is not None:
        raise BadContent(draft.content_fault)
    check_send(actor, draft.created_at)
    if draft.reply_to is not None:
        check_reply(view, draft.chat_id, draft.reply_to)
    if actor.slow_mode_s:
        _check_pace(view, actor, draft)
    content = draft.content
    mentions = mentions_of(view, draft.chat_id, actor, content) if "@" in content else NOBODY
    message = new_message(view, draft, mentions)
    if draft.attachments:
        attachments = attachments_of(view, draft)
        message = replace(message, attachments=attachments, message_type=message_type_of(attachments))
    return MessageCreated(message)


def new_message(view: MessageView, draft: Draft, mentions: Mentions) -> Message:
    """The message of a draft that may be sent, without attachments."""
    seq = view.next_seq(draft.chat_id)
    return Message(
        id=view.next_message_id(),
        chat_id=draft.chat_id,
        seq=seq,
        changed_seq=seq,
        content=draft.content,
        sender_id=draft.sender_id,
        created_at=draft.created_at,
        message_type=draft.message_type,
        reply_to=draft.reply_to,
        client_id=draft.client_id,
        mentions=mentions[0],
        mentions_all=mentions[1],
    )


def edit(
    view: MessageView,
    message_id: int,
    user_id: int,
    content: str,
    edited_at: datetime,
    content_fault: str | None = None,
) -> MessageEdited | Message:
    """The message with its new content and whom that mentions; as it is if the content is the same: a repeat by an
    author who has been muted or blocked since is answered as before. `content_fault` is what is wrong with the content
    unless the message has attachments, None if nothing.

    Raises: `NotFound` if there is no such message, it is deleted, or the user is not a member of its chat; `Forbidden`;
    `BadContent`.
    """
    actor, message = alive_message(view, message_id, user_id)
    if message.content == content and message.sender_id == user_id:
        return message
    check_edit(actor, message, edited_at)
    if content_fault is not None and not message.attachments:
        raise BadContent(content_fault)
    mentions, mentions_all = mentions_of(view, message.chat_id, actor, content)
    seq = view.next_seq(message.chat_id)
    return MessageEdited(
        replace(
            message,
            content=content,
            mentions=mentions,
            mentions_all=mentions_all,
            edited_at=edited_at,
            changed_seq=seq,
        )
    )


def delete(view: MessageView, message_id: int, user_id: int, deleted_at: datetime) -> MessageDeleted:
    """The tombstone of the message. Raises: `NotFound`, as `edit` does; `Forbidden`."""
    actor, message = alive_message(view, message_id, user_id)
    check_delete(actor, message)
    seq = view.next_seq(message.chat_id)
    return MessageDeleted(
        replace(tombstone(message), changed_seq=seq),
        user_id,
        deleted_at,
        file_ids_of(message.attachments) if message.attachments else (),
    )


def _repeat(first: Message, draft: Draft) -> Appended:
    if first.chat_id != draft.chat_id:
        raise ClientIdTaken(draft.client_id)
    if first.deleted:
        raise NotFound(f"the message of client_id {draft.client_id!r}")
    return Appended(first, duplicate=True)


def check_reply(view: MessageView, chat_id: int, message_id: int) -> None:
    """A message that was deleted while the reply was being written serves too. Raises: `BadReference("reply_to")`."""
    message = view.message(message_id)
    if message is None or message.chat_id != chat_id:
        raise BadReference("reply_to")


def _check_pace(view: MessageView, actor: Actor, draft: Draft) -> None:
    """In slow mode, a plain member waits from one message to the next."""
    if not waits(actor):
        return
    last = view.last_sent(draft.chat_id, draft.sender_id)
    if last is None:
        return
    wait = last + timedelta(seconds=actor.slow_mode_s) - draft.created_at
    if wait > timedelta():
        raise TooSoon(actor.slow_mode_s, -(-wait // timedelta(milliseconds=1)))
