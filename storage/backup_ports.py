"""The interface by which a whole store is read, and an empty one is filled: for backup and restore, between stores too,
for exports and for checks.

A store is a sequence of records, in batches. A record is an object of JSON: `storage.backup_records` has their types,
and `storage.backup.records` makes them from the values of the domain, `storage.backup.values` the values from them, for
every store, so that the same state gives the same records whatever store it is in. Times are ISO 8601 in UTC with six
digits of a second (`storage.backup.times`). A key whose value is the default that its type names is left out.

What is derived is in no record: counts of members, unread counts, the time of a chat's last activity, rows for
mentions, the words of search, bytes used of a quota. Who fills a store makes it anew. Not in it either: sessions and
refresh tokens, failed logins, leases, hints, claims, when members sent last in slow mode, chats that are deleted.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from domain.frozen import frozen

ServerKind = Literal["server", "user", "block", "bot_token", "invite", "upload", "audit"]
ChatKind = Literal["chat", "member", "mute", "ban", "invite", "hook", "message", "audit"]
Kind = ServerKind | ChatKind

SERVER_KINDS: Sequence[ServerKind] = ("server", "user", "block", "bot_token", "invite", "upload", "audit")
"""The records that belong to no chat, in their order: that of the server (one), users by id, blocks by user and blocked
user, bot tokens by user, invites of the server by code, uploads that no message has by id, the audit of the server, the
oldest entry first."""

CHAT_KINDS: Sequence[ChatKind] = ("chat", "member", "mute", "ban", "invite", "hook", "message", "audit")
"""The records of a chat, in their order: the chat (one), members, mutes and bans by user, invites by code, hooks by id,
messages by `seq`, the audit of the chat, the oldest entry first."""

BATCH_RECORDS = 1000
"""How many records a batch has at most."""

BATCH_BYTES = 4 * 1024 * 1024
"""How much text the records of a batch have at most, about: what is longer than that by itself stands alone."""

Record = Mapping[str, Any]
"""One of the records of `storage.backup_records`."""


@frozen
class Batch:
    """Records of one kind that follow each other, at least one. `chat_id` is the chat to which all of them belong, None
    for those of the server: of these, invites, uploads and audit entries have the same kind as those of chats."""

    kind: Kind
    chat_id: int | None
    records: Sequence[Record]


class Snapshot(Protocol):
    """What a store held when this was opened: everything that was acked by then, and nothing half. A store that several
    servers write may show parts that are a little newer where they do not depend on each other; a chat is always as it
    was at one moment, and whoever and whatever its records name is there.

    Reading it changes nothing in the store and keeps no server from writing. Each iterator may be used once, one at a
    time. Every method may raise `Unavailable`.
    """

    def server(self) -> AsyncIterator[Batch]:
        """The records that belong to no chat, by `SERVER_KINDS`."""

    def chats(self, chat_ids: Sequence[int] | None = None) -> AsyncIterator[Batch]:
        """The records of all chats that are not deleted, by chat id, those of each chat by `CHAT_KINDS`; with
        `chat_ids` those of these chats alone, without those that do not exist."""

    async def file_size(self, file_id: str) -> int | None:
        """How many bytes the file has; None if there is none. Files are those that records name: see
        `storage.backup.records.files_of`."""

    def file(self, file_id: str) -> AsyncIterator[bytes]:
        """The bytes of a file, in pieces. It may have been deleted since the snapshot was opened. Raises: `NotFound`,
        perhaps in the middle."""

    async def progress_total(self) -> int:
        """About how many messages there are, deleted ones too: for a progress bar."""

    async def close(self) -> None:
        """Lets go. Closing twice is fine."""


class Restoration(Protocol):
    """An empty place that is being filled, in the order in which a `Snapshot` gives its batches, and files at any time
    in between.

    Nothing is written before the first `put`. Until `finish` has returned, there is no store in that place: no server
    can open it, and a restoration that is begun again removes what this one left, also after `kill -9`. The new store
    has an `epoch` and an id of its own. Every method may raise `Unavailable`, and `StorageError` for records that
    contradict each other, such as two with one id.
    """

    async def put(self, batch: Batch) -> None:
        """Takes a batch. Its records are valid each by itself: `storage.backup.checks` has looked at them."""

    async def put_file(self, file_id: str, pieces: AsyncIterator[bytes]) -> None:
        """Keeps a file, which is on disk when `finish` returns."""

    async def drop_file(self, file_id: str) -> None:
        """Removes a file that was put: it turned out that the backup has not all of it."""

    async def written(self) -> Snapshot:
        """Ends the filling, makes what is derived, and reads what is there now, from the store itself. To be closed by
        the caller, before `finish`."""

    async def finish(self) -> None:
        """Makes it a store. When this returns, all of it is on disk."""

    async def close(self) -> None:
        """Lets go; without `finish`, removes everything that was filled in. Closing twice is fine."""
