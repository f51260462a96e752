"""Who is typing where. In memory only; every sign that was shown ends with exactly one `is_typing: false`."""

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
    """The typing signs now shown, by chat and user."""

    def __init__(self, hub: Hub, clock: Clock, connections: Connections) -> None:
        self._hub = hub
        self._clock = clock
        self._connections = connections
        self._signs: dict[tuple[int, int], _Sign] = {}

    def type(self, chat_id: int, connection: Connection) -> None:
        """A connection says its user types: shown at once, again if a second has passed, and for three more."""
        now = self._clock.monotonic()
        key = (chat_id, connection.user_id)
        sign = self._signs.get(key)
        if sign is None:
            timer = self._clock.call_later(TYPING_SHOWN_S, lambda: self._expire(key))
            self._signs[key] = _Sign(connection, now, now + TYPING_SHOWN_S, timer)
            self._show(key, True)
            return
        sign.connection = connection
        sign.ends_at = now + TYPING_SHOWN_S
        if now - sign.shown_at >= TYPING_REPEAT_S:
            sign.shown_at = now
            self._show(key, True)

    def is_shown(self, chat_id: int, user_id: int) -> bool:
        """Whether the user types there, as others see it."""
        return (chat_id, user_id) in self._signs

    def stop(self, chat_id: int, user_id: int) -> None:
        """The user no longer types there; nothing happens if no sign is shown."""
        sign = self._signs.pop((chat_id, user_id), None)
        if sign is not None:
            sign.timer.cancel()
            self._show((chat_id, user_id), False)

    def gone(self, connection: Connection, chat_ids: Iterable[int] | None = None) -> None:
        """The connection left these chats (None: dropped altogether): what it was typing there ends."""
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
        self._show(key, False)

    def _show(self, key: tuple[int, int], is_typing: bool) -> None:
        chat_id, user_id = key
        name, payload = events.typing(chat_id, user_id, is_typing, self._clock.now())
        self._hub.emit(
            name, payload, room=room_of(chat_id), skip=tuple(self._connections.ids_of(user_id)), volatile=True
        )
