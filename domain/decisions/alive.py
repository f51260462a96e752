"""What every change of a message asks first."""

from domain.decisions.view import MessageView
from domain.models import Actor, Message
from domain.refusals import NotFound


def alive_message(view: MessageView, message_id: int, user_id: int) -> tuple[Actor, Message]:
    """The member who asks, and the message. Raises: `NotFound` if there is no such message, it is deleted, or the user
    is not a member of its chat."""
    message = view.message(message_id)
    if message is None:
        raise NotFound(f"message {message_id}")
    actor = view.actor(message.chat_id, user_id)
    if message.deleted:
        raise NotFound(f"message {message_id}")
    return actor, message
