"""Streams: answers that grow while their users write them. In memory only; clients see the newest content."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from domain.refusals import TooMany
from handlers.live.clock import Clock, Timer
from handlers.live.connections import Connection
from handlers.live.hub import Blobs, Hub
from handlers.live.loaded_chat import room_of
from handlers.live.peers import Peers
from handlers.live.throttle import Throttle
from handlers.policy import STREAM_EVERY_S, STREAM_LINGERS_S, STREAM_SHOWN_S, STREAMS_PER_USER
from handlers.wire import events
from handlers.wire.json import dumps

TOPIC = "streams"
"""The published value is a list: the chat, the user, the stream and its content, which is null at its end."""

Key = tuple[int, str]
"""Which of the streams in a chat: the user and the name that they gave the stream."""


@dataclass(slots=True)
class _Stream:
    """`session_id` is of the last call. `is_here`: this node has taken the last call, and not another one. `is_due`:
    the content has not been published yet."""

    content: str
    session_id: str | None
    is_here: bool
    is_due: bool
    ends_at: float
    timer: Timer


class StreamTracker:
    """The streams that are open now, by chat, user and name.

    The room gets the first content at once, and later ones at most every `STREAM_EVERY_S`: all streams of the chat are
    published in one turn, so that each member gets them in one write. The node that takes the calls of a stream
    publishes it to the others, if there is a bus.
    """

    def __init__(self, hub: Hub, clock: Clock, peers: Peers) -> None:
        self._hub = hub
        self._clock = clock
        self._peers = peers
        self._chats: dict[int, dict[Key, _Stream]] = {}
        """By chat. A chat without streams is not in it."""
        self._here: dict[int, int] = {}
        """By user, how many streams `is_here` is true of; none of it is 0."""
        self._throttle = Throttle(clock, STREAM_EVERY_S, self._publish_due)
        peers.listen(TOPIC, self._heard)

    def __bool__(self) -> bool:
        """Whether any stream is open."""
        return bool(self._chats)

    def update(
        self, chat_id: int, user_id: int, stream_id: str, content: str, *, session_id: str | None
    ) -> None:
        """Begins a stream, or replaces its content, and shows it for `STREAM_SHOWN_S` more. Raises: `TooMany`."""
        stream = self._chats.get(chat_id, {}).get((user_id, stream_id))
        if stream is None:
            if self._here.get(user_id, 0) >= STREAMS_PER_USER:
                raise TooMany(f"a user has at most {STREAMS_PER_USER} streams at a time")
            stream = self._open(chat_id, (user_id, stream_id), STREAM_SHOWN_S)
        else:
            stream.ends_at = self._clock.monotonic() + STREAM_SHOWN_S
        if not stream.is_here:
            stream.is_here = True
            self._here[user_id] = self._here.get(user_id, 0) + 1
        stream.session_id = session_id
        self._set(chat_id, stream, content)

    def show(self, chat_id: int, connection: Connection) -> None:
        """Sends a connection that enters the room of a chat the present content of its streams."""
        for key, stream in self._chats.get(chat_id, {}).items():
            self._emit(chat_id, key, stream.content, room=connection.id)

    # --- how streams end -----------------------------------------------------------------------------------------

    def settle(self, chat_id: int, user_id: int, client_id: str) -> None:
        """Ends the stream of which a message is published, without an event: the message stands for it."""
        if chat_id in self._chats:
            self._close(chat_id, (user_id, client_id))

    def settle_encoded(self, chat_id: int, user_id: int, blobs: Blobs) -> None:
        """As `settle`, for a message of another node, of which the bytes of its event are known."""
        streams = self._chats.get(chat_id)
        if streams is None:  # nearly always
            return
        for key in [key for key in streams if key[0] == user_id]:
            # A quote in a text is escaped, so these bytes are the field and never a part of somebody's text.
            field = dumps({"client_id": key[1]})[1:-1]
            if any(field in blob for blob in blobs):
                self._close(chat_id, key)

    def end(self, chat_id: int, user_id: int, stream_id: str) -> None:
        """Ends a stream on all nodes; nothing happens if there is none."""
        self._end(chat_id, (user_id, stream_id), everywhere=True)

    def end_of_member(self, chat_id: int, user_id: int) -> None:
        """Ends the streams of a user who may no longer write in a chat."""
        self._end_all(chat_id, lambda key, _stream: key[0] == user_id)

    def end_of_chat(self, chat_id: int) -> None:
        """Ends all streams in a chat."""
        self._end_all(chat_id, lambda _key, _stream: True)

    def end_of_user(self, user_id: int) -> None:
        """Ends all streams of a user."""
        for chat_id in list(self._chats):
            self.end_of_member(chat_id, user_id)

    def end_of_sessions(self, user_id: int, session_ids: Collection[str]) -> None:
        """Ends the streams that a user has written with these sessions."""
        for chat_id in list(self._chats):
            self._end_all(chat_id, lambda key, stream: key[0] == user_id and stream.session_id in session_ids)

    def stop(self) -> None:
        """Ends the timers."""
        self._throttle.stop()
        for streams in self._chats.values():
            for stream in streams.values():
                stream.timer.cancel()

    def _end_all(self, chat_id: int, ends: Callable[[Key, _Stream], bool]) -> None:
        streams: Iterable[tuple[Key, _Stream]] = self._chats.get(chat_id, {}).items()
        for key in [key for key, stream in streams if ends(key, stream)]:
            self._end(chat_id, key)

    def _end(self, chat_id: int, key: Key, *, everywhere: bool = False) -> None:
        stream = self._close(chat_id, key)
        if stream is not None:
            self._emit(chat_id, key, None)
            # Where a change has ended it, its last content may arrive after that change.
            if stream.is_here or everywhere:
                self._tell(chat_id, key, None)

    def _expire(self, chat_id: int, key: Key) -> None:
        stream = self._chats[chat_id][key]
        left_s = stream.ends_at - self._clock.monotonic()
        if left_s > 0:
            stream.timer = self._clock.call_later(left_s, lambda: self._expire(chat_id, key))
        else:
            self._end(chat_id, key)

    # --- what is open --------------------------------------------------------------------------------------------

    def _open(self, chat_id: int, key: Key, shown_s: float) -> _Stream:
        timer = self._clock.call_later(shown_s, lambda: self._expire(chat_id, key))
        ends_at = self._clock.monotonic() + shown_s
        stream = _Stream("", None, is_here=False, is_due=False, ends_at=ends_at, timer=timer)
        self._chats.setdefault(chat_id, {})[key] = stream
        return stream

    def _close(self, chat_id: int, key: Key) -> _Stream | None:
        streams = self._chats.get(chat_id, {})
        stream = streams.pop(key, None)
        if stream is None:
            return None
        stream.timer.cancel()
        if not streams:
            del self._chats[chat_id]
        if stream.is_here:
            self._is_elsewhere(key[0])
        return stream

    def _is_elsewhere(self, user_id: int) -> None:
        self._here[user_id] -= 1
        if not self._here[user_id]:
            del self._here[user_id]

    def _set(self, chat_id: int, stream: _Stream, content: str) -> None:
        stream.content = content
        stream.is_due = True
        self._throttle.ask(chat_id)

    def _publish_due(self, chat_id: int) -> None:
        for key, stream in self._chats.get(chat_id, {}).items():
            if stream.is_due:
                stream.is_due = False
                self._emit(chat_id, key, stream.content)
                if stream.is_here:
                    self._tell(chat_id, key, stream.content)

    def _emit(self, chat_id: int, key: Key, content: str | None, *, room: str | None = None) -> None:
        name, payload = events.message_stream(chat_id, *key, content, self._clock.now())
        self._hub.emit(name, payload, room=room or room_of(chat_id), volatile=True)

    # --- other nodes ---------------------------------------------------------------------------------------------

    def _tell(self, chat_id: int, key: Key, content: str | None) -> None:
        self._peers.tell_at_once(TOPIC, [chat_id, *key, content])

    def _heard(self, _incarnation: str, told: Any) -> None:
        """Handles the content of a stream, or its end, at another node. A stream of which no more is heard ends
        `STREAM_LINGERS_S` after it would have ended there."""
        chat_id, user_id, stream_id, content = told
        key, shown_s = (user_id, stream_id), STREAM_SHOWN_S + STREAM_LINGERS_S
        if content is None:
            self._end(chat_id, key)
            return
        stream = self._chats.get(chat_id, {}).get(key)
        if stream is None:
            stream = self._open(chat_id, key, shown_s)
        else:
            stream.ends_at = self._clock.monotonic() + shown_s
        if stream.is_here:
            stream.is_here = False
            self._is_elsewhere(user_id)
        self._set(chat_id, stream, content)
