"""The facade: gates talk to `ChatApp` and to nothing beneath it. The types they exchange with it are exported here."""

from collections.abc import Collection, Mapping
from functools import partial
from itertools import islice
from typing import Any

from domain.models import User
from handlers import dispatch
from handlers.commands import COMMANDS
from handlers.context import Caller, make_context
from handlers.dispatch import Outcome
from handlers.figures import Figures, trouble_of
from handlers.files.downloads import Download, Downloads
from handlers.files.service import FileService
from handlers.files.uploading import Uploading
from handlers.hooks.deliveries import HookDeliveries
from handlers.hooks.incoming import IncomingHooks
from handlers.host import Host
from handlers.issuer.tokens import IssuerTokens
from handlers.live.clock import Clock
from handlers.live.connections import Connection, Wire, leave_room
from handlers.live.counts import Counts
from handlers.live.freshness import AlwaysFresh, Freshness
from handlers.live.hub import Blobs, Hub
from handlers.live.identities import Identity
from handlers.live.passwords import Passwords
from handlers.live.peers import NoPeers, Peers
from handlers.live.presence_record import choice_of
from handlers.live.publisher import Publisher
from handlers.live.session_sweep import SessionSweep
from handlers.live.spreader import Spreader
from handlers.live.tokens import Claims, Tokens, expires_in_s
from handlers.policy import Policy
from handlers.registry import Command, Later, Result
from handlers.wire import events
from handlers.wire.endings import Ending, Refused
from handlers.wire.errors import invalid
from storage.errors import StorageError
from storage.histogram import Histogram
from storage.ports import Store

__all__ = [
    "COMMANDS",
    "Caller",
    "ChatApp",
    "Claims",
    "Command",
    "Connection",
    "Download",
    "Downloads",
    "Figures",
    "Histogram",
    "Identity",
    "Later",
    "Outcome",
    "Result",
    "Uploading",
]


class ChatApp:
    """One chat server between its gates and its store.

    A gate lets a connection in with `identify`, `connect` and `subscribe`, runs its commands with `start` and `then`,
    and reports its end with `disconnected`. A REST call is `authenticate`, `admit_call` and `run`.
    """

    def __init__(
        self,
        *,
        policy: Policy,
        store: Store,
        hub: Hub,
        clock: Clock,
        tokens: Tokens,
        passwords: Passwords,
        freshness: Freshness | None = None,
        peers: Peers | None = None,
        spreader: Spreader | None = None,
        host: Host | None = None,
        issuer: IssuerTokens | None = None,
    ) -> None:
        """`freshness` and `peers`: the other nodes on the same store; None if there can be none. `spreader`: sends
        them messages at once; None without a bus. `issuer`: of the users' own backend, if they log in there."""
        self.context = make_context(
            policy,
            store,
            hub,
            clock,
            tokens,
            passwords,
            freshness=freshness or AlwaysFresh(),
            peers=peers or NoPeers(),
            counts=Counts(COMMANDS),
            host=host or Host(),
            issuer=issuer,
        )
        self.start = partial(dispatch.start, self.context)
        """Starts a command: see `dispatch.start`."""
        self.then = partial(dispatch.then, self.context)
        """Calls back with the outcome of a `Later`: see `dispatch.then`."""
        self.run = partial(dispatch.run, self.context)
        """Runs a command to its end: see `dispatch.run`."""
        self.admit_call = partial(dispatch.admit, self.context)
        """See `dispatch.admit`."""
        self.authorize = partial(dispatch.authorize, self.context)
        """See `dispatch.authorize`."""
        self.claims_of = self.context.identities.claims_of
        """See `Identities.claims_of`."""
        self.store_id = store.id
        self.store_trouble = partial(trouble_of, store)
        """See `trouble_of`."""
        self.setup, self.operator = self.context.setup, self.context.operator
        """The first admin, and the default chat; what the command line and the settings do to accounts."""
        self.counts = self.context.counts
        """What has happened since the start. Gates count here what only they know of."""
        hub.on_end(self._ended)
        self._publisher = Publisher(self.context, self.end, spreader)
        store.subscribe(self._publisher)
        self.files = FileService(self.context)
        """Files. Nothing is deleted before its `start`."""
        self.hooks = HookDeliveries(self.context)
        """Outgoing hooks. Nothing is delivered before its `start`."""
        self.incoming = IncomingHooks(self.context)
        self._sweep = SessionSweep(store.sessions, clock, keep_s=policy.access_token_ttl_s)
        self._sweep.start()

    # Who is there.

    async def authenticate(self, token: str, claims: Claims | None = None) -> Identity:
        """See `Identities.of`. Raises: `Refused`; what the store raises."""
        return await self.context.identities.of(token, claims)

    async def identify(self, token: object, claims: Claims | None = None) -> Identity:
        """`authenticate` for a socket, with whatever the client gave as its token. The account is then as any node has
        acked it, so that others never see a user as another presence than they have chosen.

        Raises: `Refused`, with OVERLOADED if the store cannot answer.
        """
        if not isinstance(token, str):
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED)
        try:
            return await self.context.identities.of(token, claims, connecting=True)
        except StorageError:
            raise Refused("unavailable", Ending.OVERLOADED) from None

    # The life of a connection.

    def admit(self, identity: Identity) -> User:
        """Checks, without suspending, whether a user may connect now, and returns the account. Raises: `Refused`."""
        user = self.context.identities.check(identity)
        limit = self.context.policy.max_connections_per_user
        if limit and len(self.context.connections.of(identity.user_id)) >= limit:
            raise Refused("rate_limited", Ending.TOO_MANY_CONNECTIONS)
        return user

    def connect(self, identity: Identity, connection_id: str, wire: Wire) -> Connection:
        """Accepts a connection and sends it `connected`, its first event. Raises: `Refused`."""
        context = self.context
        user = self.admit(identity)
        connection = Connection(
            connection_id, identity.user_id, identity.session_id, identity.expires_at, wire=wire
        )
        context.connections.add(connection)
        name, payload = events.connected(
            identity.user_id,
            connection_id,
            epoch=context.store.epoch,
            expires_in_s=expires_in_s(identity.expires_at, context.clock.now()),
            limits={
                "max_frame_bytes": context.policy.max_frame_bytes,
                "max_content_chars": context.policy.max_content_chars,
                "messages_per_s": context.policy.messages_per_s,
            },
            at=context.clock.now(),
        )
        context.hub.emit(name, payload, room=connection_id)
        context.presence.opened(connection, choice_of(user))
        context.token_expiry.watch(connection)
        context.connection_counts.changed()
        return connection

    def subscribe(self, connection: Connection, option: Any) -> None:
        """Applies the option `subscribe` that a client may give at connect; None: it gave none.

        Raises: `ChatError` `invalid` for an unknown value; the connection then goes on without a subscription.
        """
        if option == "all":
            self.context.subscriptions.begin(connection)
        elif option is not None:
            raise invalid(subscribe='must be "all"')

    def send_error(self, connection_id: str, view: Mapping[str, Any]) -> None:
        """Sends the event `error` with what `error_view` made; nothing happens if the connection is gone."""
        self.context.hub.emit("error", view, room=connection_id)

    def end(self, connection: Connection, ending: Ending) -> None:
        """Ends a connection and takes it out of everything in the same turn: what it still sends is ignored."""
        self.refuse(connection.id, ending)

    def refuse(self, connection_id: str, ending: Ending) -> None:
        """`end` for a connection that may not have come through `connect`."""
        self.context.hub.end(connection_id, ending)

    def disconnected(self, connection_id: str) -> None:
        """Takes a lost connection out of everything; nothing happens the second time."""
        if self._remove(connection_id):
            self.counts.left += 1

    def _ended(self, connection_id: str, ending: Ending) -> None:
        """Takes a connection that the server ends out of everything."""
        if self._remove(connection_id):
            self.counts.endings[ending] += 1

    def _remove(self, connection_id: str) -> bool:
        """Whether the connection was there."""
        connection = self.context.connections.get(connection_id)
        if connection is None:
            return False
        for chat_id in list(connection.joined):
            leave_room(self.context.hub, connection, chat_id)
        self.context.connections.remove(connection)
        self.context.connection_counts.changed()
        self.context.session_use.used(connection.session_id)
        self.context.typing.gone(connection)
        self.context.presence.closed(connection)
        return True

    def unsent_bytes(self, user_id: int) -> int:
        """How many bytes wait for the peers of all the user's connections; see `Hub.unsent_bytes`."""
        return sum(map(self.context.hub.unsent_bytes, self.context.connections.ids_of(user_id)))

    # What other nodes do.

    def hand_out(self, chat_id: int, seq: int, sender_id: int, blobs: Blobs, *, new: bool) -> None:
        """Publishes what another node has published: see `Publisher.hand_out`."""
        self._publisher.hand_out(chat_id, seq, sender_id, blobs, new=new)
        self.hooks.handed_out(chat_id, seq)

    # For those who run the server.

    def figures(self) -> Figures:
        """What metrics read. It asks nothing of the store."""
        connections = self.context.connections
        return Figures(
            dict(connections.by_wire),
            dict(connections.opened),
            len(connections.users()),
            self.counts,
            self.context.store.health,
            self.files.counts,
            self.hooks.counts,
            self.hooks.states(),
            self.incoming.counts,
            self.context.identities.key_fetches,
        )

    async def has_users(self) -> bool:
        return await self.context.store.users.exist()

    @property
    def connection_count(self) -> int:
        return len(self.context.connections)

    def connected_users(self) -> Collection[int]:
        """The ids of all users who are connected."""
        return list(self.context.connections.users())

    def going_away(self, count: int | None = None) -> None:
        """Ends as many connections, the oldest first, or all: the server is about to stop."""
        self.context.presence.going_away()
        self._end(Ending.GOING_AWAY, count)

    def fall_behind(self) -> None:
        """Ends every connection, and forgets all accounts: the server has missed what others did. Clients recover, here
        or at another node."""
        with self.context.presence.coming_back():
            self._end(Ending.BEHIND)
        self.context.identities.forget_all()

    def _end(self, ending: Ending, count: int | None = None) -> None:
        for connection in list(islice(self.context.connections.all(), count)):
            self.end(connection, ending)

    async def close(self) -> None:
        """Waits for what is still to be stored, then stops timers and threads. The caller closes the store."""
        await self._sweep.stop()
        await self.hooks.close()
        await self.files.close()
        self._publisher.stop()
        context = self.context
        trackers = (context.presence, context.token_expiry, context.streams, context.connection_counts)
        for part in (*trackers, context.updates, context.subscriptions, context.announcer):
            part.stop()
        await context.last_seen.close()
        await context.session_use.close()
        context.passwords.close()
