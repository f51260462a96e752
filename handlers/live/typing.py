"""Who is typing where. In memory only; each typing sign that was published ends with exactly one `is_typing: false`."""

from collections.abc import Iterable
from dataclasses import dataclass

from handlers.live.clock import Clock, Timer
from handlers.live.connections import Connection, Connections
from handlers.live.directory import room_of
from handlers.live.hub import Hub
from handlers.policy import TYPING_REPEAT_S, TYPING_SHOWN_S
from handlers.wire import events


@dataclass(slots=True)
class _Sign:
    connection: Connection
    shown_at: float
    ends_at: float
    timer: Timer


class TypingTracker:
    """The typing signs that others see now, by chat and user."""

    def __init__(self, hub: Hub, clock: Clock, connections: Connections) -> None:
        self._hub = hub
        self._clock = clock
        self._connections = connections
        self._signs: dict[tuple[int, int], _Sign] = {}

    def type(self, chat_id: int, connection: Connection) -> None:
        """Shows that a connection's user types: published at once, again by a repeat a second later, and seen until
        three seconds after the last repeat."""
        now = self._clock.monotonic()
        key = (chat_id, connection.user_id)
        sign = self._signs.get(key)
        if sign is None:
            timer = self._clock.call_later(TYPING_SHOWN_S, lambda: self._expire(key))
            self._signs[key] = _Sign(connection, now, now + TYPING_SHOWN_S, timer)
            self._publish(key, True)
            return
        sign.connection = connection
        sign.ends_at = now + TYPING_SHOWN_S
        if now - sign.shown_at >= TYPING_REPEAT_S:
            sign.shown_at = now
            self._publish(key, True)

    def is_shown(self, chat_id: int, user_id: int) -> bool:
        """Whether others see the user typing in this chat."""
        return (chat_id, user_id) in self._signs

    def stop(self, chat_id: int, user_id: int) -> None:
        """Ends the user's sign in this chat; nothing happens if there is none."""
        sign = self._signs.pop((chat_id, user_id), None)
        if sign is not None:
            sign.timer.cancel()
            self._publish((chat_id, user_id), False)

    def gone(self, connection: Connection, chat_ids: Iterable[int] | None = None) -> None:
        """Ends the signs of a connection that has left these chats (None: that is lost)."""
        if not self._signs:
            return
        keys = (
            [key for key, sign in self._signs.items() if sign.connection is connection]
            if chat_ids is None
            else [(chat_id, connection.user_id) for chat_id in chat_ids]
        )
        for key in keys:
            sign = self._signs.get(key)
            if sign is not None and sign.connection is connection:
                self.stop(*key)

    def _expire(self, key: tuple[int, int]) -> None:
        sign = self._signs[key]
        left = sign.ends_at - self._clock.monotonic()
        if left > 0:
            sign.timer = self._clock.call_later(left, lambda: self._expire(key))
            return
        del self._signs[key]
        self._publish(key, False)

    def _publish(self, key: tuple[int, int], is_typing: bool) -> None:
        chat_id, user_id = key
        name, payload = events.typing(chat_id, user_id, is_typing, self._clock.now())
        self._hub.emit(
            name, payload, room=room_of(chat_id), skip=tuple(self._connections.ids_of(user_id)), volatile=True
        )
