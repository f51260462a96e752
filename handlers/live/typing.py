"""Who is typing where. In memory only; each typing sign that was published ends with exactly one `is_typing: false`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from handlers.live.clock import Clock, Timer
from handlers.live.connections import Connection, Connections
from handlers.live.hub import Hub
from handlers.live.loaded_chat import room_of
from handlers.live.peers import Peers
from handlers.policy import TYPING_REPEAT_S, TYPING_SHOWN_S
from handlers.wire import events

TOPIC = "typing"
"""The published value is a list: the chat, the user, and whether they type."""


@dataclass(slots=True)
class _Sign:
    """`connection` typed last; None: it was one of another node. `told_at` is when the other nodes were notified
    last."""

    connection: Connection | None
    shown_at: float
    ends_at: float
    told_at: float
    timer: Timer


class TypingTracker:
    """The typing signs that others see now, by chat and user.

    A sign is one on all nodes. The node to which the typing connection belongs publishes it to the others, if there
    is a bus; without one each node has its own signs.
    """

    def __init__(self, hub: Hub, clock: Clock, connections: Connections, peers: Peers) -> None:
        self._hub = hub
        self._clock = clock
        self._connections = connections
        self._peers = peers
        self._signs: dict[tuple[int, int], _Sign] = {}
        peers.listen(TOPIC, self._heard)

    def type(self, chat_id: int, connection: Connection) -> None:
        """Shows that a connection's user types: published at once, again by a repeat a second later, and seen until
        three seconds after the last repeat."""
        now = self._clock.monotonic()
        key = (chat_id, connection.user_id)
        sign = self._signs.get(key)
        if sign is None:
            self._begin(key, connection, now, TYPING_SHOWN_S)
            self._tell(key, True)
            return
        sign.connection = connection
        sign.ends_at = now + TYPING_SHOWN_S
        if now - sign.shown_at >= TYPING_REPEAT_S:
            sign.shown_at = now
            self._publish(key, True)
        if now - sign.told_at >= TYPING_REPEAT_S:
            sign.told_at = now
            self._tell(key, True)

    def is_shown(self, chat_id: int, user_id: int) -> bool:
        """Whether others see the user typing in this chat."""
        return (chat_id, user_id) in self._signs

    def stop(self, chat_id: int, user_id: int) -> None:
        """Ends the user's sign in this chat because of a change of the chat, which the other nodes publish as well;
        nothing happens if there is none."""
        sign = self._signs.pop((chat_id, user_id), None)
        if sign is not None:
            sign.timer.cancel()
            self._publish((chat_id, user_id), False)

    def end(self, chat_id: int, user_id: int) -> None:
        """Ends the user's sign in this chat on all nodes; nothing happens if there is none."""
        if (chat_id, user_id) in self._signs:
            self.stop(chat_id, user_id)
            self._tell((chat_id, user_id), False)

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
                self.end(*key)

    def _heard(self, _incarnation: str, told: Any) -> None:
        """Handles what another node publishes about a user who types there: the beginning, repeats at most once a
        second, and the end. A sign without either ends a second after it would have ended there."""
        chat_id, user_id, is_typing = told
        key, now = (chat_id, user_id), self._clock.monotonic()
        sign = self._signs.get(key)
        if not is_typing:
            self.stop(chat_id, user_id)
        elif sign is None:
            self._begin(key, None, now, TYPING_SHOWN_S + TYPING_REPEAT_S)
        else:
            sign.connection = None
            sign.ends_at = now + TYPING_SHOWN_S + TYPING_REPEAT_S
            sign.told_at = float("-inf")
            if now - sign.shown_at >= TYPING_REPEAT_S:
                sign.shown_at = now
                self._publish(key, True)

    def _begin(self, key: tuple[int, int], connection: Connection | None, now: float, shown_s: float) -> None:
        timer = self._clock.call_later(shown_s, lambda: self._expire(key))
        told_at = float("-inf") if connection is None else now
        self._signs[key] = _Sign(connection, now, now + shown_s, told_at, timer)
        self._publish(key, True)

    def _expire(self, key: tuple[int, int]) -> None:
        sign = self._signs[key]
        left = sign.ends_at - self._clock.monotonic()
        if left > 0:
            sign.timer = self._clock.call_later(left, lambda: self._expire(key))
        elif sign.connection is None:
            self.stop(*key)
        else:
            self.end(*key)

    def _tell(self, key: tuple[int, int], is_typing: bool) -> None:
        self._peers.tell_at_once(TOPIC, [*key, is_typing])

    def _publish(self, key: tuple[int, int], is_typing: bool) -> None:
        chat_id, user_id = key
        name, payload = events.typing(chat_id, user_id, is_typing, self._clock.now())
        self._hub.emit(
            name, payload, room=room_of(chat_id), skip=tuple(self._connections.ids_of(user_id)), volatile=True
        )
