"""Being in the room of a chat, as a connection: noted on both sides and in the hub, always together."""

from handlers.connections import Connection
from handlers.directory import OpenChat
from handlers.hub import Hub


def put_in(hub: Hub, connection: Connection, chat: OpenChat) -> None:
    """Nothing happens if the connection is in the room."""
    hub.enter(connection.id, chat.room)
    chat.join(connection)
    connection.joined[chat.id] = chat


def take_out(hub: Hub, connection: Connection, chat_id: int) -> bool:
    """Whether the connection was in the room."""
    chat = connection.joined.pop(chat_id, None)
    if chat is None:
        return False
    chat.part(connection)
    hub.leave(connection.id, chat.room)
    return True
