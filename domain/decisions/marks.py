"""How far members have read."""

from domain.changes import ReadMoved
from domain.decisions.view import MarkView
from domain.models import Member, Message
from domain.refusals import BadReference, NotFound


def read(view: MarkView, chat_id: int, user_id: int, up_to: int | None) -> ReadMoved | Member:
    """The user's mark moves to the message `up_to`, a deleted one too; to the newest one with None. A mark never moves
    back: then the member as they are.

    Raises: `NotFound` if the user is not a member; `BadReference("up_to")`.
    """
    member = view.member(chat_id, user_id)
    if member is None:
        raise NotFound(f"chat {chat_id}")
    target = view.newest(chat_id) if up_to is None else _target(view, chat_id, up_to)
    if target is None or target.seq <= member.read_seq:
        return member
    return ReadMoved(chat_id, user_id, target.id, target.seq)


def _target(view: MarkView, chat_id: int, up_to: int) -> Message:
    message = view.message(up_to)
    if message is None or message.chat_id != chat_id:
        raise BadReference("up_to")
    return message
