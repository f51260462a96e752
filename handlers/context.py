"""What a handler is given: the caller, and all state of the server."""

from collections.abc import Callable
from datetime import datetime

from domain.frozen import frozen
from handlers.host import Host
from handlers.issuer.accounts import IssuerAccounts
from handlers.issuer.login import IssuerLogin
from handlers.issuer.tokens import IssuerTokens
from handlers.live.announcer import Announcer
from handlers.live.chat_updates import ChatUpdates
from handlers.live.clock import Clock
from handlers.live.connection_counts import ConnectionCounts
from handlers.live.connections import Connection, Connections
from handlers.live.counts import Counts
from handlers.live.directory import Directory
from handlers.live.fair_semaphore import FairSemaphore, never
from handlers.live.freshness import Freshness
from handlers.live.hub import Hub
from handlers.live.identities import Identities
from handlers.live.last_seen import LastSeen
from handlers.live.limits import Limiter, network_of
from handlers.live.login_failures import LoginFailures
from handlers.live.passwords import Passwords
from handlers.live.peers import Peers
from handlers.live.presence import PresenceTracker
from handlers.live.session_use import SessionUse
from handlers.live.setup import Setup
from handlers.live.streams import StreamTracker
from handlers.live.subscriptions import Subscriptions
from handlers.live.token_expiry import TokenExpiry
from handlers.live.tokens import Tokens
from handlers.live.typing import TypingTracker
from handlers.operator import Operator
from handlers.policy import Policy
from handlers.wire.errors import ChatError
from handlers.wire.file_links import FileLinks
from storage.ports import Store

SEARCHES_AT_ONCE = 2
"""How many searches run at the same time: each may take a reader of the store, and 0.1 s of a processor."""

SEARCHES_WAITING_MAX = 1_000


@frozen
class Caller:
    """Who sent a command. `user_id` is 0 for a stranger, `connection` None for a REST request. `gone()` is true once
    the request has lost its connection: nobody will read the answer. `user_agent` is what a stranger's client says of
    itself, as it says it. `origin()` is the origin that a REST request came to, as `https://chat.example.org`."""

    user_id: int
    address: str
    session_id: str | None = None
    connection: Connection | None = None
    gone: Callable[[], bool] = never
    user_agent: str = ""
    origin: Callable[[], str] = str

    @property
    def network(self) -> str:
        """What limits by address count: see `network_of`."""
        return network_of(self.address)

    def connected(self) -> Connection:
        """The caller's connection, for commands that need a socket. Raises: `ChatError` `bad_request`."""
        if self.connection is None:
            raise ChatError("bad_request", "this needs a connection")
        return self.connection


@frozen
class Context:
    """The store, the settings and the live state. `make_context` makes the only one. `searches`: users search in
    turn."""

    policy: Policy
    store: Store
    clock: Clock
    hub: Hub
    limiter: Limiter
    login_failures: LoginFailures
    connections: Connections
    directory: Directory
    identities: Identities
    passwords: Passwords
    tokens: Tokens
    presence: PresenceTracker
    last_seen: LastSeen
    session_use: SessionUse
    typing: TypingTracker
    streams: StreamTracker
    token_expiry: TokenExpiry
    updates: ChatUpdates
    subscriptions: Subscriptions
    announcer: Announcer
    freshness: Freshness
    peers: Peers
    counts: Counts
    setup: Setup
    operator: Operator
    connection_counts: ConnectionCounts
    searches: FairSemaphore
    host: Host
    links: FileLinks
    started_at: datetime


def make_context(
    policy: Policy,
    store: Store,
    hub: Hub,
    clock: Clock,
    tokens: Tokens,
    passwords: Passwords,
    *,
    freshness: Freshness,
    peers: Peers,
    counts: Counts,
    host: Host,
    issuer: IssuerTokens | None,
) -> Context:
    """Wires the live state."""
    connections = Connections()
    links = FileLinks(tokens.key_for("links to files"), clock.unix_s)
    setup = Setup(store, clock, policy)
    directory = Directory(store, freshness)
    session_use = SessionUse(store.sessions, clock, connections)
    login = _login(issuer, store, clock, policy, setup)
    identities = Identities(store, tokens, clock, freshness, session_use.used, login)
    limiter = Limiter(policy, clock)
    last_seen = LastSeen(store.users, clock)
    streams = StreamTracker(hub, clock, peers)
    presence = PresenceTracker(
        hub, clock, directory, peers, grace_s=policy.presence_grace_s, last_seen=last_seen
    )
    return Context(
        policy=policy,
        store=store,
        clock=clock,
        hub=hub,
        limiter=limiter,
        login_failures=LoginFailures(limiter, tokens, peers),
        connections=connections,
        directory=directory,
        identities=identities,
        passwords=passwords,
        tokens=tokens,
        presence=presence,
        last_seen=last_seen,
        session_use=session_use,
        typing=TypingTracker(hub, clock, connections, peers),
        streams=streams,
        token_expiry=TokenExpiry(hub, clock, connections),
        updates=ChatUpdates(store, hub, clock, connections, directory, links),
        subscriptions=Subscriptions(store, hub, connections, directory, streams),
        announcer=Announcer(store, hub, clock, connections, directory, identities, presence),
        freshness=freshness,
        peers=peers,
        counts=counts,
        setup=setup,
        operator=Operator(store, passwords, policy, clock, setup),
        connection_counts=ConnectionCounts(connections, peers, clock),
        searches=FairSemaphore(SEARCHES_AT_ONCE, waiting_max=SEARCHES_WAITING_MAX),
        host=host,
        links=links,
        started_at=clock.now(),
    )


def _login(
    issuer: IssuerTokens | None, store: Store, clock: Clock, policy: Policy, setup: Setup
) -> IssuerLogin | None:
    if issuer is None:
        return None
    accounts = IssuerAccounts(
        store.users,
        clock,
        setup.welcome,
        create=policy.jwt_create_users,
        max_name_chars=policy.max_name_chars,
    )
    return IssuerLogin(issuer, accounts)
