"""What decisions about a chat and its members ask: its replica, and what only the database holds."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from domain.decisions.view import MemberView
from domain.hooks import Hook
from domain.invites import Invite
from domain.models import Account, Actor, Ban, Chat, Member, Message, Role
from domain.refusals import NotFound
from storage.mongo import history, hook_documents, invite_documents
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.database import Database
from storage.mongo.documents import account_of, member_key, member_of
from storage.mongo.retry_budget import RetryBudget
from storage.mongo.writer import Writer

T = TypeVar("T")


class _NotLoaded(Exception):
    """A decision asked for something that has to be loaded first."""

    def __init__(self, load: Callable[[], Awaitable[None]]) -> None:
        super().__init__("not loaded")
        self.load = load


class LoadingView:
    """See `domain.decisions.view.MemberView`.

    A decision cannot wait for the database. If it asks for something that is not loaded, the decision is abandoned, the
    view loads that, and the decision runs again from the beginning: it changes nothing, so it may run any number of
    times.
    """

    def __init__(self, writer: Writer, chat_id: int | None) -> None:
        """The chat to decide about; None for one that is to be created."""
        self.replica: ChatReplica | None = None
        self._writer = writer
        self._database = writer.database
        self._chat_id = chat_id
        self._members: dict[int, Member] = {}
        self._accounts: dict[int, Account | None] = {}
        self._by_role: dict[Role, Sequence[int]] = {}
        self._newest: list[Message | None] = []
        self._invites: dict[str, Invite | None] = {}
        self._all_invites: list[Sequence[Invite]] = []
        self._hooks: list[Sequence[Hook]] = []
        self._stopped: set[int] = set()
        self._written: dict[int, bool] = {}
        self._blockers: dict[tuple[int, int], bool] = {}

    async def decide(self, decision: Callable[[MemberView], T]) -> T:
        """Runs the decision on the current state, as often as there is something to load. Raises: what the decision
        raises."""
        await self._refresh()
        while True:
            try:
                return decision(self)
            except _NotLoaded as missing:
                await missing.load()

    async def inactive_owners(self) -> Sequence[int]:
        """The owners whom the last decision saw as active, and who are not active any more."""
        roles = {} if self.replica is None else self.replica.roles
        relied = [
            user_id
            for user_id, account in self._accounts.items()
            if account is not None and account.active and user_id in roles and roles[user_id].role == "owner"
        ]
        if not relied:
            return ()
        await self._writer.replicas.flush()
        accounts = await accounts_of(self._database, relied)
        return [one for one in relied if one not in accounts or not accounts[one].active]

    def actor(self, chat_id: int, user_id: int) -> Actor:
        if self.replica is None:
            raise NotFound(f"chat {chat_id}")
        return self.replica.actor(user_id)

    def chat(self, chat_id: int) -> Chat:
        return self._known().current()

    def find_chat(self, chat_id: int) -> Chat | None:
        replica = self._known()
        return None if replica.chat is None or replica.closed else replica.current()

    def invite(self, code: str) -> Invite | None:
        if code not in self._invites:
            raise _NotLoaded(partial(self._load_invite, code))
        return self._invites[code]

    def invites(self, chat_id: int) -> Sequence[Invite]:
        if not self._all_invites:
            raise _NotLoaded(self._load_invites)
        return self._all_invites[0]

    def hooks(self, chat_id: int) -> Sequence[Hook]:
        if not self._hooks:
            raise _NotLoaded(self._load_hooks)
        return self._hooks[0]

    def is_stopped(self, hook_id: int) -> bool:
        assert self._hooks, "the hooks were not asked for"
        return hook_id in self._stopped

    def private_chat(self, user_ids: Sequence[int]) -> Chat | None:
        if self.replica is None or self.replica.closed:
            raise _NotLoaded(partial(self._find_private, user_ids))
        return None if self.replica.chat is None else self.replica.current()

    def next_chat_id(self) -> int:
        if self.replica is None:
            raise _NotLoaded(self._begin_chat)
        return self.replica.chat_id

    def member(self, chat_id: int, user_id: int) -> Member | None:
        if user_id not in self._known().roles:
            return None
        if user_id not in self._members:
            raise _NotLoaded(partial(self._load_member, user_id))
        return self._members[user_id]

    def ban(self, chat_id: int, user_id: int) -> Ban | None:
        return self._known().bans.get(user_id)

    def earlier_mute(self, chat_id: int, user_id: int) -> datetime | None:
        return self._known().earlier_mutes.get(user_id)

    def member_ids(self, chat_id: int) -> Sequence[int]:
        return sorted(self._known().roles)

    def accounts_by_role(self, chat_id: int, role: Role) -> Iterator[Account]:
        if role not in self._by_role:
            found = [
                (member.joined_at, user_id)
                for user_id, member in self._known().roles.items()
                if member.role == role
            ]
            self._by_role[role] = [user_id for _, user_id in sorted(found)]
        user_ids = self._by_role[role]
        for index, user_id in enumerate(user_ids):
            if user_id not in self._accounts:
                more = user_ids[index : index + _accounts_at_once(index)]
                raise _NotLoaded(partial(self._load_accounts, more))
            account = self._accounts[user_id]
            if account is not None:
                yield account

    def accounts(self, user_ids: Collection[int]) -> Mapping[int, Account]:
        missing = [user_id for user_id in user_ids if user_id not in self._accounts]
        if missing:
            raise _NotLoaded(partial(self._load_accounts, missing))
        return {one: account for one in user_ids if (account := self._accounts[one]) is not None}

    def newest(self, chat_id: int) -> Message | None:
        if not self._newest:
            raise _NotLoaded(self._load_newest)
        return self._newest[0]

    def has_written(self, chat_id: int, user_id: int) -> bool:
        if user_id not in self._written:
            raise _NotLoaded(partial(self._find_written, user_id))
        return self._written[user_id]

    def blockers_of(self, user_id: int, among: Collection[int]) -> Collection[int]:
        missing = [one for one in among if (one, user_id) not in self._blockers]
        if missing:
            raise _NotLoaded(partial(self._load_blockers, user_id, missing))
        return {one for one in among if self._blockers[one, user_id]}

    def _known(self) -> ChatReplica:
        assert self.replica is not None
        return self.replica

    async def _refresh(self) -> None:
        """Forgets what was loaded for the last decision. A chat that is being created keeps its replica: its first row
        may be in the log already."""
        self._members, self._accounts, self._by_role, self._newest = {}, {}, {}, []
        self._invites, self._all_invites = {}, []
        self._hooks, self._stopped = [], set()
        self._written, self._blockers = {}, {}
        if self._chat_id is not None:
            self.replica = await self._writer.replicas.get(self._chat_id)

    async def _load_member(self, user_id: int) -> None:
        """Loads what the log does not have of a member; the rest is that of the replica."""
        member, key = self._known().roles[user_id], member_key(self._known().chat_id, user_id)
        document = await self._database.get(self._database.members, key)
        if document is None or document["gone"]:
            await self._writer.replicas.flush()  # the member came with a row that is not yet projected
            document = await self._database.get(self._database.members, key)
        if document is None or document["gone"]:  # removed by another node just now
            found = Member(user_id, member.role, member.joined_at)
        else:
            found = member_of(document, role=member.role, joined_at=member.joined_at)
        self._members[user_id] = replace(
            found, muted_until=member.muted_until, blocked=member.blocked, opened=member.opened
        )

    async def _load_accounts(self, user_ids: Sequence[int]) -> None:
        found = await accounts_of(self._database, user_ids)
        for user_id in user_ids:
            self._accounts[user_id] = found.get(user_id)

    async def _load_newest(self) -> None:
        """Loads the newest message, also if it is not projected yet."""
        chat_id, replicas = self._known().chat_id, self._writer.replicas
        projected = await history.newest(self._database, chat_id)
        if projected is not None and projected.id in replicas.newest_states:
            await replicas.flush()  # it may be deleted by now
            projected = await history.newest(self._database, chat_id)
        candidates = [
            message
            for message in (projected, *replicas.newest_states.values())
            if message is not None and message.chat_id == chat_id and not message.deleted
        ]
        self._newest = [max(candidates, key=lambda message: message.seq, default=None)]

    async def _load_invite(self, code: str) -> None:
        await self._writer.replicas.flush()  # rows that are not projected may have made or ended it
        self._invites[code] = await invite_documents.find(self._database, code)

    async def _load_invites(self) -> None:
        await self._writer.replicas.flush()
        self._all_invites = [await invite_documents.of_chat(self._database, self._known().chat_id)]

    async def _load_hooks(self) -> None:
        await self._writer.replicas.flush()  # rows that are not projected may have changed them
        self._hooks = [await hook_documents.of_chat(self._database, self._known().chat_id)]
        self._stopped = await hook_documents.stopped(self._database, self._hooks[0])

    async def _find_written(self, user_id: int) -> None:
        await self._writer.replicas.flush()  # a message may not be projected yet
        chat_id = self._known().chat_id
        self._written[user_id] = await history.has_written(self._database, chat_id, user_id)

    async def _load_blockers(self, user_id: int, among: Sequence[int]) -> None:
        found = await blockers_of(self._database, user_id, among)
        for one in among:
            self._blockers[one, user_id] = one in found

    async def _begin_chat(self) -> None:
        self.replica = await self._writer.replicas.get(await self._take_chat_id())

    async def _find_private(self, user_ids: Sequence[int]) -> None:
        """Finds the private chat of two users, or the entry of one that is not created yet.

        Two users have entries in `pairs`, one for each attempt at a private chat, with the id of a chat. If the chat of
        the last attempt is deleted, a server makes the next attempt by inserting its entry, and creates the chat by
        inserting its first row. Each attempt gets an id of its own: another node may have created and deleted the
        chat of an earlier one. In databases the number of the attempt is called `generation`.

        Raises: `Unavailable`, also if other nodes delete the chat of each attempt for as long as a `RetryBudget`
        lasts.
        """
        replicas, pairs, users = self._writer.replicas, self._database.pairs, " ".join(map(str, user_ids))
        budget = RetryBudget()
        while True:
            entries = await self._database.find(pairs, {"users": users}, sort=[("generation", -1)], limit=1)
            attempt = 0
            if entries:
                replica = await replicas.get(entries[0]["chat_id"])
                await replicas.catch_up(replica)
                replica.check()
                if not replica.closed:
                    self.replica = replica
                    return
                attempt = entries[0]["generation"] + 1
            entry = {"_id": f"{users}:{attempt}", "users": users, "generation": attempt}
            await self._database.add(pairs, {**entry, "chat_id": await self._take_chat_id()})
            await budget.again()

    async def _take_chat_id(self) -> int:
        (chat_id,) = await self._writer.ids.take("chats")
        return chat_id


def _accounts_at_once(loaded: int) -> int:
    """How many accounts are loaded next, after this number of them: 10, 100, 1,000, then as many as before. The oldest
    member with a role is nearly always active; if not, each load restarts the decision, so there are to be few."""
    return min(10 + 9 * loaded, max(1000, loaded))


async def blockers_of(database: Database, user_id: int, among: Sequence[int]) -> Collection[int]:
    """Those of the users `among` who have blocked the user."""
    wanted = {"user_id": {"$in": list(among)}, "blocked_id": user_id}
    return {one["user_id"] for one in await database.find(database.user_blocks, wanted, fields=["user_id"])}


async def accounts_of(database: Database, user_ids: Collection[int]) -> Mapping[int, Account]:
    """The accounts of those users who exist."""
    found = await database.get_many(database.users, [str(user_id) for user_id in set(user_ids)])
    return {account.id: account for account in map(account_of, found)}
