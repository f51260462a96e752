"""How far members have read."""

from domain.changes import ReadMoved
from domain.models import Message, ReadMark
from storage.errors import BadReference
from storage.sqlite import history
from storage.sqlite.unread import unread_count
from storage.sqlite.writer import Writer


def mark_read(writer: Writer, chat_id: int, user_id: int, up_to: int | None) -> ReadMark:
    """See `storage.ports.Messages.mark_read`."""
    writer.actor(chat_id, user_id)
    target = _target(writer, chat_id, up_to)
    read_seq, read_id = writer.db.execute(
        "SELECT read_seq, last_read_message_id FROM members WHERE chat_id = ? AND user_id = ?",
        (chat_id, user_id),
    ).fetchone()
    moved = target is not None and target.seq > read_seq
    if moved:
        assert target is not None
        read_seq, read_id = target.seq, target.id
        writer.db.execute(
            "UPDATE members SET read_seq = ?, last_read_message_id = ? WHERE chat_id = ? AND user_id = ?",
            (read_seq, read_id, chat_id, user_id),
        )
        writer.tell(ReadMoved(chat_id, user_id, read_id, read_seq))
    return ReadMark(read_seq, read_id, moved, unread_count(writer.db, chat_id, user_id, read_seq))


def _target(writer: Writer, chat_id: int, up_to: int | None) -> Message | None:
    if up_to is None:
        return history.newest(writer.db, chat_id)
    message = history.get(writer.db, up_to)
    if message is None or message.chat_id != chat_id:
        raise BadReference("up_to")
    return message
