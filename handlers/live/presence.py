"""Who is online, as others see it. In memory only; the store keeps what users have chosen to be shown as, and when they
were last seen, and no more."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from handlers.live.clock import Clock, Timer
from handlers.live.connections import Connection
from handlers.live.directory import Directory
from handlers.live.hub import Hub
from handlers.live.last_seen import LastSeen
from handlers.live.loaded_chat import LoadedChat
from handlers.live.peer_presence import PeerPresence
from handlers.live.peers import NoPeers, Peers
from handlers.live.presence_outbox import TOPIC, PresenceOutbox
from handlers.live.presence_record import (
    AUTO,
    NO_CHOICE,
    NO_WISH,
    OFFLINE,
    STRENGTH,
    Choice,
    Record,
    Wish,
    chosen_status,
    seen,
)
from handlers.wire import events
from handlers.wire.endings import RETRY_SPREAD_MS

RETRY_SPREAD_S = RETRY_SPREAD_MS / 1000

HEARD_WITHIN_S = 1.0
"""After the grace time, how long a node waits for others to publish that the user has come to one of them."""

NOTED_WITHIN_S = 10.0
"""How long a node gives another one to note when the users of a dead node were last seen."""


@dataclass(slots=True)
class _Presence:
    """A user who is connected here, or was so a moment ago: the status of each connection, and the strongest of them,
    which stays in the grace time. `shown` is what others see. See `Record` for the rest."""

    shown: str = OFFLINE
    wish: Wish = NO_WISH
    choice: Choice = NO_CHOICE
    status: str = OFFLINE
    statuses: dict[str, str] = field(default_factory=dict)
    leaving: bool = False
    grace: Timer | None = None


class PresenceTracker:
    """The presence of every user who is connected to this node or another one, or was so less than `grace_s` ago.

    Each node publishes to the other nodes which users are connected to it, and publishes to its own rooms when what
    others see of a user changes, which is the same on all nodes. A user who leaves one node and comes to another
    within the grace time is not gone meanwhile.
    """

    def __init__(
        self,
        hub: Hub,
        clock: Clock,
        directory: Directory,
        peers: Peers,
        *,
        grace_s: float,
        last_seen: LastSeen,
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._directory = directory
        self._peers = peers
        self._grace_s = grace_s
        self._spread_s = 0.0
        self._last_seen = last_seen
        self._users: dict[int, _Presence] = {}
        self._tells = not isinstance(peers, NoPeers)
        self._outbox = PresenceOutbox(peers, clock, self._record_of)
        self._elsewhere = PeerPresence(
            clock,
            kept_s=self._peers_kept_s,
            is_here=self._users.__contains__,
            status_of=self.status_of,
            changed=self._changed_elsewhere,
            unnoted=last_seen.note,
            abandoned=self._abandoned,
        )
        self._records = self._elsewhere.records
        peers.listen(TOPIC, self._elsewhere.heard)
        peers.share(TOPIC, self._outbox.snapshot, self._elsewhere.load)
        peers.on_gone(self._elsewhere.gone)

    def status_of(self, user_id: int) -> str:
        """What others see: `busy`, `online`, `away` or `offline`. In the grace time a user keeps their last status."""
        presence = self._users.get(user_id)
        if presence is not None:
            return presence.shown
        return self._elsewhere.status_of(user_id) if self._records else OFFLINE

    def opened(self, connection: Connection, choice: Choice = NO_CHOICE) -> None:
        """Called for a new connection: it is online, and its user does not appear offline any more, unless they have
        chosen so. `choice` is what the store says that the user has chosen."""
        user_id = connection.user_id
        presence = self._users.get(user_id)
        if presence is None:
            presence = self._users[user_id] = self._arrived(user_id)
        if presence.grace is not None:
            presence.grace.cancel()
            presence.grace = None
            presence.leaving = False
        if choice[0] >= presence.choice[0]:
            presence.choice = choice
        self._set(connection, presence, "online")

    def chosen(self, user_id: int, choice: Choice) -> None:
        """Called when an account changes, with what the user has chosen to be shown as, or that the account has ended.
        Nothing happens if that is what is known."""
        before = self.status_of(user_id)
        if self._records:
            self._elsewhere.choose(user_id, choice)
        presence = self._users.get(user_id)
        if presence is None:
            status = self._elsewhere.status_of(user_id) if self._records else OFFLINE
            if status != before:
                self._emit(user_id, status)
        elif choice[0] >= presence.choice[0] and choice != presence.choice:
            presence.choice = choice
            self._publish(user_id, presence)

    def set(self, connection: Connection, status: str) -> None:
        """Sets the status of a connection. With `offline` the user appears offline, on all their connections. Others
        see it once the user has chosen nothing else."""
        presence = self._users[connection.user_id]
        if status != OFFLINE:
            self._set(connection, presence, status)
            return
        presence.wish = (presence.wish[0] + 1, True)
        self._publish(connection.user_id, presence)

    def closed(self, connection: Connection) -> None:
        """Called for a lost connection. After the last one the grace time begins, so that a page reload is silent.
        Nothing happens for a connection that was never `opened`."""
        user_id = connection.user_id
        presence = self._users.get(user_id)
        if presence is None or presence.statuses.pop(connection.id, None) is None:
            return
        if not presence.statuses:
            presence.grace = self._clock.call_later(self._kept_s(), lambda: self._gone(user_id))
            if not self._records or not self._elsewhere.stay(user_id):
                return
            presence.leaving = True
        self._publish(user_id, presence)

    def show(self, chat: LoadedChat, connection: Connection) -> None:
        """Sends a connection that has just joined a chat the status of every other member."""
        if not chat.carries_presence:
            return
        now = self._clock.now()
        for user_id in chat.members:
            if user_id != connection.user_id:
                name, payload = events.presence(user_id, self.status_of(user_id), now)
                self._hub.emit(name, payload, room=connection.id)

    def going_away(self) -> None:
        """Called before the node ends its connections. It publishes nothing to the other nodes from here on: they
        keep its users until those had time to come back."""
        self._outbox.close()

    @contextmanager
    def coming_back(self) -> Iterator[None]:
        """For a node that ends all connections and goes on: the users whose last connection is lost meanwhile stay as
        they were until those connections had time to come back."""
        self._spread_s = RETRY_SPREAD_S
        try:
            yield
        finally:
            self._spread_s = 0.0

    def stop(self) -> None:
        """Ends all grace times at once: the node is going away."""
        self._outbox.close()
        for user_id, presence in list(self._users.items()):
            if presence.grace is not None:
                presence.grace.cancel()
                self._gone(user_id)
        self._elsewhere.stop()

    def _kept_s(self) -> float:
        """How long a user whose last connection is gone stays as they were."""
        heard_s = HEARD_WITHIN_S if self._peers.others else 0.0
        return self._spread_s + self._grace_s + heard_s

    def _peers_kept_s(self) -> float:
        """How long the users of another node that is gone stay as they were. A node that starts and has no others
        finds its own previous incarnation, whose users are gone at once."""
        return RETRY_SPREAD_S + self._kept_s() if self._users or self._peers.others else 0.0

    def _arrived(self, user_id: int) -> _Presence:
        """The presence of a user before their first connection to this node."""
        if not self._records:
            return _Presence()
        records = self._elsewhere.of(user_id)
        return _Presence(
            self._elsewhere.status_of(user_id),
            max((record.wish for record in records), default=NO_WISH),
            max((record.choice for record in records), default=NO_CHOICE),
        )

    def _set(self, connection: Connection, presence: _Presence, status: str) -> None:
        presence.statuses[connection.id] = status
        if presence.wish[1]:
            presence.wish = (presence.wish[0] + 1, False)
        self._publish(connection.user_id, presence)

    def _gone(self, user_id: int) -> None:
        presence = self._users.pop(user_id)
        if self._records and presence.choice != NO_CHOICE:
            self._elsewhere.choose(user_id, presence.choice)
        is_elsewhere = self._elsewhere.have(user_id)
        self._outbox.gone(user_id, noted=not is_elsewhere)
        status = self._elsewhere.status_of(user_id)
        if status != presence.shown:
            self._emit(user_id, status)
        if not is_elsewhere and presence.choice[1] != OFFLINE:
            self._last_seen.note(user_id)

    def _publish(self, user_id: int, presence: _Presence) -> None:
        """Publishes what others see of a user who is here, if it has changed, and publishes the record to the other
        nodes."""
        if presence.statuses:
            presence.status = max(presence.statuses.values(), key=STRENGTH.__getitem__)
        if self._records:
            status = seen([*self._elsewhere.of(user_id), _record(presence)])
        elif presence.choice[1] != AUTO:
            status = chosen_status(presence.choice)
        else:
            status = OFFLINE if presence.wish[1] else presence.status
        if self._tells:
            self._outbox.changed(user_id)
        if status != presence.shown:
            presence.shown = status
            self._emit(user_id, status)

    def _emit(self, user_id: int, status: str) -> None:
        """Publishes a status, once, to all who have joined a chat that carries presence and has the user as a
        member."""
        rooms = [
            chat.room
            for chat in self._directory.shared_with(user_id)
            if chat.joined and chat.carries_presence
        ]
        if rooms:
            name, payload = events.presence(user_id, status, self._clock.now())
            self._hub.emit_once(name, payload, rooms=rooms)

    def _record_of(self, user_id: int) -> Record | None:
        presence = self._users.get(user_id)
        return None if presence is None else _record(presence)

    def _changed_elsewhere(self, user_id: int, before: str, record: Record | None) -> None:
        """Called when another node has published a change of a user."""
        presence = self._users.get(user_id)
        if presence is None:
            status = self._elsewhere.status_of(user_id)
            if status != before:
                self._emit(user_id, status)
            return
        if record is not None:
            presence.wish = max(presence.wish, record.wish)
            if record.choice[0] > presence.choice[0]:
                presence.choice = record.choice
            if presence.grace is not None and not record.leaving:
                presence.leaving = True
        self._publish(user_id, presence)

    def _abandoned(self, user_ids: Sequence[int]) -> None:
        """Notes when the users of a dead node were last seen. Every node would; they do it one after the other, and
        the first one leaves nothing to the next."""
        rank = sum(other < self._peers.incarnation for other in self._peers.others)
        self._last_seen.note_missing(user_ids, wait_s=rank * NOTED_WITHIN_S)


def _record(presence: _Presence) -> Record:
    return Record(presence.status, presence.wish, presence.leaving, presence.choice)
