"""Who is online, as others see it. In memory only; the store keeps when a user was last seen, and no more."""

from collections.abc import Callable
from dataclasses import dataclass, field

from handlers.live.clock import Clock, Timer
from handlers.live.connections import Connection
from handlers.live.directory import Directory, LoadedChat
from handlers.live.hub import Hub
from handlers.wire import events

OFFLINE = "offline"
_STRENGTH = {"away": 1, "online": 2, "busy": 3}


@dataclass(slots=True)
class _Presence:
    """One user: the status of each connection, whether they want to appear offline, and the status published last."""

    statuses: dict[str, str] = field(default_factory=dict)
    hidden: bool = False
    last_status: str = OFFLINE
    grace: Timer | None = None


class PresenceTracker:
    """The presence of every user who is connected, or was so less than `grace_s` ago. `left` is called with a user's id
    when the grace time after their last connection is over."""

    def __init__(
        self, hub: Hub, clock: Clock, directory: Directory, *, grace_s: float, left: Callable[[int], None]
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._directory = directory
        self._grace_s = grace_s
        self._left = left
        self._users: dict[int, _Presence] = {}

    def status_of(self, user_id: int) -> str:
        """What others see: `busy`, `online`, `away` or `offline`. In the grace time a user keeps their last status."""
        presence = self._users.get(user_id)
        return OFFLINE if presence is None else presence.last_status

    def opened(self, connection: Connection) -> None:
        """Called for a new connection: it is online, and its user does not appear offline any more."""
        presence = self._users.setdefault(connection.user_id, _Presence())
        if presence.grace is not None:
            presence.grace.cancel()
            presence.grace = None
        presence.statuses[connection.id] = "online"
        presence.hidden = False
        self._publish(connection.user_id, presence)

    def set(self, connection: Connection, status: str) -> None:
        """Sets the status of a connection. With `offline` the user appears offline, on all their connections."""
        presence = self._users[connection.user_id]
        presence.hidden = status == OFFLINE
        if not presence.hidden:
            presence.statuses[connection.id] = status
        self._publish(connection.user_id, presence)

    def closed(self, connection: Connection) -> None:
        """Called for a lost connection. After the last one the grace time begins, so that a page reload is silent.
        Nothing happens for a connection that was never `opened`."""
        presence = self._users.get(connection.user_id)
        if presence is None or presence.statuses.pop(connection.id, None) is None:
            return
        if presence.statuses:
            self._publish(connection.user_id, presence)
            return
        user_id = connection.user_id
        presence.grace = self._clock.call_later(self._grace_s, lambda: self._gone(user_id))

    def show(self, chat: LoadedChat, connection: Connection) -> None:
        """Sends a connection that has just joined a chat the status of every other member."""
        if not chat.carries_presence:
            return
        now = self._clock.now()
        for user_id in chat.members:
            if user_id != connection.user_id:
                name, payload = events.presence(user_id, self.status_of(user_id), now)
                self._hub.emit(name, payload, room=connection.id)

    def stop(self) -> None:
        """Ends all grace times at once: the server is going away."""
        for user_id, presence in list(self._users.items()):
            if presence.grace is not None:
                presence.grace.cancel()
                self._gone(user_id)

    def _gone(self, user_id: int) -> None:
        presence = self._users.pop(user_id)
        presence.grace = None
        self._publish(user_id, presence)
        self._left(user_id)

    def _publish(self, user_id: int, presence: _Presence) -> None:
        """Publishes a changed status, once, to all who have joined a chat that carries presence and has the user as a
        member."""
        status = self._strongest(presence)
        if status == presence.last_status:
            return
        presence.last_status = status
        rooms = [
            chat.room
            for chat in self._directory.shared_with(user_id)
            if chat.joined and chat.carries_presence
        ]
        if rooms:
            name, payload = events.presence(user_id, status, self._clock.now())
            self._hub.emit_once(name, payload, rooms=rooms)

    @staticmethod
    def _strongest(presence: _Presence) -> str:
        if presence.hidden or not presence.statuses:
            return OFFLINE
        return max(presence.statuses.values(), key=_STRENGTH.__getitem__)
