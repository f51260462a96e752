"""How far members have read."""

from domain.changes import ReadMoved
from domain.decisions.marks import read
from domain.decisions.settings import after_read
from domain.models import ReadMark
from storage.sqlite.mentions import unread_mentions
from storage.sqlite.unread import unread_count
from storage.sqlite.writer import Writer


def mark_read(writer: Writer, chat_id: int, user_id: int, up_to: int | None) -> ReadMark:
    """See `storage.ports.Messages.mark_read`."""
    outcome = read(writer.chats, chat_id, user_id, up_to)
    member = writer.chats.member(chat_id, user_id)
    settings = None if member is None else after_read(chat_id, member)
    if settings is not None:
        writer.apply(settings)
    unread = unread_count(writer.db, chat_id, user_id, outcome.read_seq)
    mentioning = unread and unread_mentions(writer.db, chat_id, user_id, outcome.read_seq)
    if isinstance(outcome, ReadMoved):
        writer.apply(outcome)
        return ReadMark(outcome.read_seq, outcome.up_to, True, unread, mentioning)
    return ReadMark(outcome.read_seq, outcome.last_read_message_id, False, unread, mentioning)
