"""Who is there, as others see it. In memory only; the store keeps no more than when somebody was last seen."""

from collections.abc import Callable
from dataclasses import dataclass, field

from handlers.live.clock import Clock, Timer
from handlers.live.connections import Connection
from handlers.live.directory import Directory, OpenChat
from handlers.live.hub import Hub
from handlers.wire import events

OFFLINE = "offline"
_STRENGTH = {"away": 1, "online": 2, "busy": 3}


@dataclass(slots=True)
class _Presence:
    """One user: the status of each connection, the wish to appear offline, and what others were last told."""

    statuses: dict[str, str] = field(default_factory=dict)
    hidden: bool = False
    told: str = OFFLINE
    grace: Timer | None = None


class PresenceTracker:
    """The presence of every user who is, or just was, connected. `left` is called when somebody is really gone."""

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
        """What others see: `busy`, `online`, `away` or `offline`. The grace time counts as still there."""
        presence = self._users.get(user_id)
        return OFFLINE if presence is None else presence.told

    def opened(self, connection: Connection) -> None:
        """A new connection is online and ends a wish to appear offline."""
        presence = self._users.setdefault(connection.user_id, _Presence())
        if presence.grace is not None:
            presence.grace.cancel()
            presence.grace = None
        presence.statuses[connection.id] = "online"
        presence.hidden = False
        self._tell(connection.user_id, presence)

    def set(self, connection: Connection, status: str) -> None:
        """A connection's own word; `offline` is a wish for all connections of the user."""
        presence = self._users[connection.user_id]
        presence.hidden = status == OFFLINE
        if not presence.hidden:
            presence.statuses[connection.id] = status
        self._tell(connection.user_id, presence)

    def closed(self, connection: Connection) -> None:
        """The last connection gone, the user stays for the grace time, so that a page reload is silent. Nothing happens
        for a connection that never came to be `opened`."""
        presence = self._users.get(connection.user_id)
        if presence is None or presence.statuses.pop(connection.id, None) is None:
            return
        if presence.statuses:
            self._tell(connection.user_id, presence)
            return
        user_id = connection.user_id
        presence.grace = self._clock.call_later(self._grace_s, lambda: self._gone(user_id))

    def show(self, chat: OpenChat, connection: Connection) -> None:
        """Tells a connection that has just joined a chat how every other member is."""
        if not chat.carries_presence:
            return
        now = self._clock.now()
        for user_id in chat.members:
            if user_id != connection.user_id:
                name, payload = events.presence(user_id, self.status_of(user_id), now)
                self._hub.emit(name, payload, room=connection.id)

    def stop(self) -> None:
        """Everybody who is in his grace time is gone: the server goes away."""
        for user_id, presence in list(self._users.items()):
            if presence.grace is not None:
                presence.grace.cancel()
                self._gone(user_id)

    def _gone(self, user_id: int) -> None:
        presence = self._users.pop(user_id)
        presence.grace = None
        self._tell(user_id, presence)
        self._left(user_id)

    def _tell(self, user_id: int, presence: _Presence) -> None:
        """Tells a change, once, to whoever has joined a chat with presence to which the user belongs."""
        status = self._strongest(presence)
        if status == presence.told:
            return
        presence.told = status
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
