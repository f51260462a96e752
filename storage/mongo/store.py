"""The store: its parts over one database."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

import structlog

from domain.changes import LaggingSubscriber, Subscriber
from storage.counts import StoreCounts
from storage.errors import Unavailable
from storage.mongo import schema
from storage.mongo.account_acts import AccountActs
from storage.mongo.account_writes import AccountWriter
from storage.mongo.audit import MongoAudit
from storage.mongo.blocks import MongoBlocks
from storage.mongo.bots import MongoBots
from storage.mongo.chat_projection import check_projections
from storage.mongo.chat_replica import check_effects
from storage.mongo.chats import MongoChats
from storage.mongo.connection import connect
from storage.mongo.database import Database
from storage.mongo.files import MongoFiles
from storage.mongo.follower import Follower
from storage.mongo.foreign_rows import ForeignRows
from storage.mongo.hint_writer import HintWriter
from storage.mongo.hooks import MongoHooks
from storage.mongo.ids import Ids
from storage.mongo.invites import MongoInvites
from storage.mongo.leases import Leases
from storage.mongo.messages import MongoMessages
from storage.mongo.moderation import MongoModeration
from storage.mongo.nodes import MongoNodes
from storage.mongo.positions import Positions
from storage.mongo.publication import Publication
from storage.mongo.removal import Remover
from storage.mongo.row_codecs import check_codecs
from storage.mongo.search import MongoSearch
from storage.mongo.search_fill import SearchFill
from storage.mongo.sessions import MongoSessions
from storage.mongo.uploads import MongoUploads
from storage.mongo.user_queries import NO_HOOK
from storage.mongo.users import MongoUsers
from storage.mongo.writer import Writer
from storage.results import check_results
from storage.subscribers import Subscribers

log = structlog.get_logger("vestnik")


class MongoStore:
    """See `storage.ports.Store`. Several nodes may have the same database open.

    `Unavailable` may come a few seconds after the connection broke, and then it is not known whether a write happened.
    If it did, its change is published by the next `Nodes.apply`, or with the next change of its chat, and a repeated
    send with the same `client_id` returns the first message.
    """

    shared = True

    def __init__(self, database: Database, store_id: str, epoch: str) -> None:
        check_codecs()
        check_effects()
        check_projections()
        check_results()
        self.id = store_id
        self._database = database
        self.epoch = epoch
        self.health = database.health
        self._subscribers = Subscribers()
        self.uploads = MongoUploads(database, self._subscribers.publish)
        self.files = MongoFiles(database)
        self._remover = Remover(database, self.uploads)
        self._subscribers.add(self._remover.published)
        self._subscribers.add(self.uploads.published)
        ids, incarnation = Ids(database), uuid4().hex
        self._leases = leases = Leases(database, incarnation)
        hints = HintWriter(database, incarnation, leases.is_joined, leases.join_unnamed)
        publication = Publication(self._subscribers.publish, Positions())
        self._accounts = AccountWriter(self._subscribers.publish, database.health, hints)
        self._writer = Writer(database, ids, hints, publication)
        self._follower = Follower(self._writer, publication.positions)
        rows = ForeignRows(database, publication, self._writer, self._follower)
        self.nodes = MongoNodes(database, incarnation, leases, hints, self._writer, publication, rows)
        self._closing = asyncio.Lock()
        self._closed = False
        acts = AccountActs(database, self.uploads)
        self.users = MongoUsers(database, ids, self._accounts, self._writer, acts)
        self.sessions = MongoSessions(database, self._accounts)
        self.chats = MongoChats(database, self._writer, self._follower)
        self.moderation = MongoModeration(database, self._writer)
        self.invites = MongoInvites(database, self._writer)
        self.messages = MongoMessages(database, self._writer, self._follower)
        self._fill = SearchFill(database, lambda: self._writer.lowest_format)
        self.nodes.on_older = self._fill.older_node
        self.search = MongoSearch(database, self._fill)
        self.audit = MongoAudit(database)
        self.blocks = MongoBlocks(database, self._writer)
        self.bots = MongoBots(database, ids, self._accounts, acts)
        self.hooks = MongoHooks(database, ids, self._writer, self._accounts, incarnation)
        self._remover.start()
        self._mending: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str, *, connect_timeout_s: float = 30) -> "MongoStore":
        """Waits for the server as long as that. Raises: `StorageError`, without anything of the URL but hosts."""
        database = await connect(url, connect_timeout_s)
        try:
            store = cls(database, await schema.store_id(database), await schema.epoch_of(database))
            store.nodes.lowest_format = await store._leases.lowest_format()
            store._fill.start()
            store._mending = asyncio.create_task(store._mend())
            return store
        except BaseException:
            database.close()
            raise

    async def _mend(self) -> None:
        """Mends what nodes have left that died; what cannot be mended now is mended at the next start."""
        try:
            await self.users.follow_owners(datetime.now(UTC))
        except Unavailable:
            return
        except Exception:
            log.exception("what a node left that died could not be mended")

    def subscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.add(subscriber)

    def subscribe_lagging(self, name: str, subscriber: LaggingSubscriber) -> None:
        self._subscribers.add_lagging(name, subscriber)

    def published_head(self, chat_id: int, head_seq: int) -> int:
        published = self._follower.head(chat_id)
        return head_seq if published is None else min(head_seq, published)

    async def counts(self) -> StoreCounts:
        database, there = self._database, {"deleted": False}
        people = {**there, **NO_HOOK}
        users, chats, messages, size = await asyncio.gather(
            database.count(database.users, people),
            database.count(database.chats, there),
            database.count(database.messages, there),
            database.bytes_on_disk(),
        )
        return StoreCounts(users, chats, messages, size)

    async def ping(self) -> None:
        """Raises: `Unavailable`."""
        await self.health.check()

    async def close(self) -> None:
        async with self._closing:
            if self._closed:
                return
            self._closed = True
            if self._mending is not None:
                self._mending.cancel()
                await asyncio.wait((self._mending,))
            await asyncio.gather(self._writer.close(), self._accounts.close())
            await self._subscribers.close()
            with suppress(Unavailable):
                await self.nodes.leave()
            await self.health.close()
            await self._remover.close()
            await self._fill.close()
            with suppress(Unavailable):  # then the next server projects a little more than it need
                await self._writer.replicas.save()
            self._database.close()
