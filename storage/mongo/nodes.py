"""What the nodes on one database learn from each other."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import takewhile
from typing import Any, Literal

from domain.changes import (
    Change,
    ReadMoved,
    SessionsRevoked,
    UserChanged,
)
from domain.models import User
from domain.own_settings import OwnSettingsChanged
from storage.mongo import own_members, versions
from storage.mongo.database import Database
from storage.mongo.documents import user_of
from storage.mongo.foreign_rows import ForeignRows
from storage.mongo.hint_documents import hint_key, hint_of
from storage.mongo.hint_writer import HintWriter, first_kept
from storage.mongo.leases import Leases
from storage.mongo.publication import Publication
from storage.mongo.sessions import revoked_sessions
from storage.mongo.writer import Writer
from storage.node_ports import Hint, Lease, OnPublished

_HINTS_AT_ONCE = 16
_USERS_AT_ONCE = 200


class MongoNodes:
    """See `storage.node_ports.Nodes`."""

    def __init__(
        self,
        database: Database,
        incarnation: str,
        leases: Leases,
        hints: HintWriter,
        writer: Writer,
        publication: Publication,
        rows: ForeignRows,
    ) -> None:
        self.incarnation = incarnation
        self._database = database
        self._leases = leases
        self._hints = hints
        self._replicas = writer.replicas
        self._writer = writer
        self._publication = publication
        self._rows = rows
        self.on_older: Callable[[], None] = lambda: None
        """Called at each look that finds a node of an earlier version."""
        self._applying = asyncio.Lock()
        self._expected: dict[str, int] = {}
        """By incarnation, how many hints were found last."""

    @property
    def format(self) -> int:
        return versions.FORMAT

    @property
    def lowest_format(self) -> int:
        return self._writer.lowest_format

    @lowest_format.setter
    def lowest_format(self, lowest: int) -> None:
        self._writer.lowest_format = lowest
        if lowest < versions.FORMAT:
            self.on_older()

    def on_published(self, listener: OnPublished) -> None:
        self._publication.on_published = listener

    def on_newer(self, listener: Callable[[str], None]) -> None:
        self._writer.on_newer = listener

    async def join(self, lease: Lease) -> None:
        await self._leases.join(lease)

    async def leave(self) -> None:
        await self._hints.close()
        if not self._database.health.failing:  # else the others notice that the lease is not renewed
            await self._leases.leave()

    async def leases(self) -> Sequence[Lease]:
        return await self._leases.all()

    async def hints(self, after: Mapping[str, int]) -> Mapping[str, Sequence[Hint]]:
        found = await asyncio.gather(*(self._hints_of(*position) for position in after.items()))
        return dict(zip(after, found, strict=True))

    async def oldest_hint(self, incarnation: str) -> int:
        return await first_kept(self._database, incarnation)

    async def apply(self, hints: Sequence[Hint]) -> None:
        async with self._applying:
            self._rows.await_rows(hint.rows for hint in hints)
            self._publication.of_others(await self._account_changes(hints))
            await self._rows.publish()
            self._publish_marks([mark for hint in hints for mark in hint.marks])
            self._publication.of_others(await self._settings_changes(hints))

    async def published(self) -> None:
        await self._rows.written()

    async def compare(self, user_ids: Collection[int]) -> None:
        async with self._applying:
            ids = list(user_ids)
            for start in range(0, len(ids), _USERS_AT_ONCE):
                some = ids[start : start + _USERS_AT_ONCE]
                users = await self._users(some)
                sessions = await revoked_sessions(self._database, some)
                self._publication.of_others(
                    [
                        *(UserChanged(user) for user in users.values()),
                        *(SessionsRevoked(user_id, revoked) for user_id, revoked in sessions.items()),
                    ]
                )
            await self._rows.compare()

    def received(self, chat_id: int, n: int, seq: int) -> Literal["next", "old", "ahead"]:
        position = self._publication.positions.get(chat_id)
        if position is not None:
            if n <= position.n:
                return "old"
            if n > position.n + 1:
                return "ahead"
        self._publication.positions.advance(chat_id, n, seq)
        self._replicas.offered.add_message(chat_id, n, seq)
        return "next"

    def tell(self, topic: str, value: Any) -> None:
        self._hints.tell(topic, value)

    async def keep_record(self, topic: str, value: Any) -> None:
        await self._leases.join_unnamed()
        await self._leases.keep_record(topic, value, self._hints.last)

    async def records(self, topic: str) -> Mapping[str, tuple[int, Any]]:
        return await self._leases.records(topic)

    async def bury(self, incarnation: str) -> None:
        await self._leases.bury(incarnation)

    async def key_id(self, mine: str) -> str:
        return await self._leases.key_id(mine)

    async def replace_key_id(self, mine: str) -> None:
        await self._leases.replace_key_id(mine)

    async def _hints_of(self, incarnation: str, after: int) -> Sequence[Hint]:
        """The hints of one incarnation. At first as many are looked for as were found last, mostly none, and one."""
        database, found = self._database, list[Hint]()
        count = min(self._expected.pop(incarnation, 0) + 1, _HINTS_AT_ONCE)
        while True:
            start = after + len(found) + 1
            keys = [hint_key(incarnation, number) for number in range(start, start + count)]
            some = [one for one in takewhile(bool, await database.get_each(database.hints, keys)) if one]
            found += map(hint_of, some)
            if len(some) < count:
                if found:
                    self._expected[incarnation] = len(found)
                return found
            count = min(2 * count, _HINTS_AT_ONCE)

    async def _account_changes(self, hints: Sequence[Hint]) -> Sequence[Change]:
        """The changes of accounts and sessions that hints name, as the store has them now."""
        shown: dict[int, bool] = {}
        own: set[int] = set()
        revoked: dict[int, list[str]] = {}
        for hint in hints:
            for user_id, is_shown in hint.users.items():
                shown[user_id] = is_shown or shown.get(user_id, False)
            own.update(hint.own)
            for user_id, session_id in hint.sessions:
                revoked.setdefault(user_id, []).append(session_id)
        users = await self._users(list(shown))
        return [
            *(SessionsRevoked(user_id, session_ids) for user_id, session_ids in revoked.items()),
            *(UserChanged(user, shown[user_id], user_id in own) for user_id, user in users.items()),
        ]

    async def _settings_changes(self, hints: Sequence[Hint]) -> Sequence[Change]:
        """The changes of own settings that hints name, as the store has them now. Read one at a time: they are few."""
        changed = dict.fromkeys(one for hint in hints for one in hint.settings)
        members = [(chat_id, await own_members.get(self._database, chat_id, one)) for chat_id, one in changed]
        return [OwnSettingsChanged(chat_id, member) for chat_id, member in members if member is not None]

    def _publish_marks(self, marks: Sequence[ReadMoved]) -> None:
        """Publishes marks after the messages to which they point."""
        now: list[ReadMoved] = []
        for mark in marks:
            rows = self._rows.left_to_writer(mark.chat_id)
            if rows is None:
                now.append(mark)
            else:
                rows.add_done_callback(lambda _task, mark=mark: self._publication.of_others([mark]))  # type: ignore[misc]
        self._publication.of_others(now)

    async def _users(self, user_ids: Sequence[int]) -> Mapping[int, User]:
        keys = [str(user_id) for user_id in user_ids]
        found = await self._database.get_each(self._database.users, keys)
        return {document["id"]: user_of(document) for document in found if document is not None}
