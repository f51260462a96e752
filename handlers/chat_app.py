"""The chat, put together: what a gate needs of it is here."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from handlers import dispatch
from handlers.context import Caller, Context
from handlers.live.announcer import Announcer
from handlers.live.clock import Clock
from handlers.live.connections import Connection, Connections, leave_room
from handlers.live.directory import Directory
from handlers.live.hub import Hub
from handlers.live.identities import Identities, Identity
from handlers.live.limits import Limiter
from handlers.live.passwords import Passwords
from handlers.live.presence import PresenceTracker
from handlers.live.publisher import Publisher
from handlers.live.session_sweep import SessionSweep
from handlers.live.subscriptions import Subscriptions
from handlers.live.token_expiry import TokenExpiry
from handlers.live.tokens import Tokens
from handlers.live.typing import TypingTracker
from handlers.live.updates import ChatUpdates
from handlers.live.watch import AccountWatch
from handlers.policy import Policy
from handlers.registry import Later, Result
from handlers.wire import events
from handlers.wire.endings import Ending, Refused
from handlers.wire.errors import invalid
from storage.ports import Store


class ChatApp:
    """One chat server's worth of state, between the gates and the store."""

    def __init__(
        self,
        *,
        policy: Policy,
        store: Store,
        hub: Hub,
        clock: Clock,
        tokens: Tokens,
        passwords: Passwords,
    ) -> None:
        connections = Connections()
        directory = Directory(store)
        identities = Identities(store, tokens, clock)
        presence = PresenceTracker(
            hub, clock, directory, grace_s=policy.presence_grace_s, left=self._note_last_seen
        )
        self.context = Context(
            policy=policy,
            store=store,
            clock=clock,
            hub=hub,
            limiter=Limiter(policy, clock),
            connections=connections,
            directory=directory,
            identities=identities,
            passwords=passwords,
            tokens=tokens,
            presence=presence,
            typing=TypingTracker(hub, clock, connections),
            token_expiry=TokenExpiry(hub, clock, connections, self._end),
            updates=ChatUpdates(store, hub, clock, connections, directory),
            subscriptions=Subscriptions(store, hub, connections, directory, self._end),
            announcer=Announcer(store, hub, clock, connections, directory, identities, presence),
        )
        hub.on_end(self.disconnected)
        self._seen: set[Any] = set()
        self._publisher = Publisher(self.context, self._end)
        store.observe(self._publisher)
        self._sweep = SessionSweep(store.sessions, clock, keep_s=policy.access_token_ttl_s)
        self._sweep.start()
        self._watch = AccountWatch(self.context, self._publisher)
        if store.shared:
            self._watch.start()

    async def authenticate(self, token: str) -> Identity:
        """Raises: `Refused`."""
        return await self.context.identities.of(token)

    def owner_of(self, token: str) -> int | None:
        """See `Identities.owner_of`."""
        return self.context.identities.owner_of(token)

    def admit(self, identity: Identity) -> None:
        """Looks at somebody who wants to connect. Raises: `Refused`."""
        self.context.identities.check(identity)
        limit = self.context.policy.max_connections_per_user
        if limit and len(self.context.connections.of(identity.user_id)) >= limit:
            raise Refused("rate_limited", Ending.TOO_MANY_CONNECTIONS)

    def connect(self, identity: Identity, connection_id: str) -> Connection:
        """Lets a connection in, and tells it `connected`, its first event. Raises: `Refused`."""
        context = self.context
        self.admit(identity)
        connection = Connection(connection_id, identity.user_id, identity.session_id, identity.expires_at)
        context.connections.add(connection)
        name, payload = events.connected(
            identity.user_id,
            connection_id,
            epoch=context.store.epoch,
            expires_in_s=int(identity.expires_at - context.clock.now().timestamp()),
            limits={
                "max_frame_bytes": context.policy.max_frame_bytes,
                "max_content_chars": context.policy.max_content_chars,
                "messages_per_s": context.policy.messages_per_s,
            },
            at=context.clock.now(),
        )
        context.hub.emit(name, payload, room=connection_id)
        context.presence.opened(connection)
        context.token_expiry.watch(connection)
        return connection

    def subscribe(self, connection: Connection, wish: Any) -> None:
        """What a connection asked for at connect under the name `subscribe`; None: nothing. Raises: `ChatError`
        `invalid`, and then the connection goes on without."""
        if wish == "all":
            self.context.subscriptions.begin(connection)
        elif wish is not None:
            raise invalid(subscribe='must be "all"')

    def disconnected(self, connection_id: str) -> None:
        """A connection is gone; nothing happens if that is known already."""
        connection = self.context.connections.get(connection_id)
        if connection is None:
            return
        for chat_id in list(connection.joined):
            leave_room(self.context.hub, connection, chat_id)
        self.context.connections.remove(connection)
        self.context.typing.gone(connection)
        self.context.presence.closed(connection)

    def admit_call(self, caller: Caller, name: str) -> None:
        """See `dispatch.admit`."""
        dispatch.admit(self.context, caller, name)

    def unread_bytes(self, user_id: int) -> int:
        """What waits to be taken by all the user's connections."""
        context = self.context
        return sum(map(context.hub.unsent_bytes, context.connections.ids_of(user_id)))

    def start(self, caller: Caller, name: str, payload: Mapping[str, Any]) -> Awaitable[Result | Later[Any]]:
        """See `dispatch.start`. Raises, when awaited: `ChatError`."""
        return dispatch.start(self.context, caller, name, payload)

    async def run(self, caller: Caller, name: str, payload: Mapping[str, Any]) -> Result:
        """Runs a command to its end. Raises: `ChatError`."""
        return await dispatch.run(self.context, caller, name, payload)

    def going_away(self) -> None:
        """Tells every connection that the server goes away."""
        for connection in list(self.context.connections.all()):
            self._end(connection, Ending.GOING_AWAY)

    async def close(self) -> None:
        """Waits for what is still to be noted, then lets go of timers and threads. The store has another owner."""
        await self._watch.stop()
        await self._sweep.stop()
        self._publisher.stop()
        self.context.presence.stop()
        self.context.token_expiry.stop()
        self.context.updates.stop()
        self.context.subscriptions.stop()
        self.context.announcer.stop()
        await asyncio.gather(*self._seen, return_exceptions=True)
        self.context.passwords.close()

    def end(self, connection_id: str, ending: Ending) -> None:
        """Ends a connection and takes it out of everything in the same turn: what it still sends is not heard."""
        self.context.hub.end(connection_id, ending)

    def _end(self, connection: Connection, ending: Ending) -> None:
        self.end(connection.id, ending)

    def _note_last_seen(self, user_id: int) -> None:
        note = asyncio.ensure_future(self.context.store.users.seen(user_id, self.context.clock.now()))
        self._seen.add(note)
        note.add_done_callback(self._seen.discard)
