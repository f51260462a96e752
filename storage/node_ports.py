"""What nodes that share a store learn from each other through it.

Each open store is one *incarnation* of a node: a random word, new at each start. An incarnation has a lease, which
says that it lives, and a sequence of hints, which say what it has changed. A hint is on disk before its change is
acked, so a node that has read all hints that are there at some moment knows of everything that was acked before.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, Protocol

from domain.changes import Change, ReadMoved
from domain.frozen import frozen


@frozen
class Lease:
    """One incarnation, as the others see it.

    `url` is how other nodes reach it, "" if they cannot. `format` is the number of the newest kind of stored data
    that it understands. `key_id` is a fingerprint of its `SECRET_KEY`. `beat` is another number after each renewal: an
    incarnation whose beat stays the same for too long, by the clock of the reader, is dead. `ended`: it has said that
    it is gone.
    """

    incarnation: str
    url: str
    format: int
    key_id: str
    beat: int
    ended: bool


@frozen
class Hint:
    """What one incarnation has changed: hint 1, 2, 3…, without a hole.

    `rows` has, by chat, the first and the last number of the rows of the chat's log that this hint names: they are
    in the log already, or are being inserted, or failed to be. `users` are the accounts that changed, each with
    whether others see the change. `sessions` are those that were revoked, as (user id, session id). `marks` are read
    marks that moved. `told` are the values that live state publishes, as (topic, value).
    `settings` are the members whose own settings changed, as (chat id, user id).
    """

    number: int
    rows: Mapping[int, tuple[int, int]]
    users: Mapping[int, bool]
    sessions: Sequence[tuple[int, str]]
    marks: Sequence[ReadMoved]
    told: Sequence[tuple[str, Any]]
    settings: Sequence[tuple[int, int]] = ()


OnPublished = Callable[[Sequence[tuple[int, Change]], int], None]
"""Called with the rows of one batch that this node inserted, as (number in the log of the chat, change), and the
number of the last hint that names them."""


class Nodes(Protocol):
    """The hints and leases of a shared store. The store itself adds a hint for each of its writes; a write is not
    acked before its hint is on disk. Any method may raise `Unavailable`."""

    lowest_format: int
    """The lowest format of all incarnations that live. The reader of the leases sets it; the store writes a change of a
    kind only if the format of the kind is not above it. At first it is the lowest of all leases that have not ended."""

    @property
    def incarnation(self) -> str: ...

    @property
    def format(self) -> int:
        """The newest format of stored data that this version understands, for the lease."""

    def on_published(self, listener: OnPublished) -> None:
        """Calls the listener in the turn in which rows of this node are published: before the subscribers, and so
        before anybody who waits for the rows resumes. The rows are in the log and projected, and their hint is on
        disk."""

    def on_newer(self, listener: Callable[[str], None]) -> None:
        """Calls the listener with the name of each kind of change that a newer version wrote and this one does not
        know."""

    async def join(self, lease: Lease) -> None:
        """Writes or renews the lease of this incarnation. A store that nobody joins writes a lease of its own before
        its first hint, so that others read that hint."""

    async def leave(self) -> None:
        """Ends this incarnation, after its last hint. `Store.close` does this too."""

    async def leases(self) -> Sequence[Lease]:
        """All leases that are noted, this incarnation's too."""

    async def hints(self, after: Mapping[str, int]) -> Mapping[str, Sequence[Hint]]:
        """By incarnation, the hints above the given numbers, in order, up to the first that is not there: all those
        that were on disk when this was called."""

    async def oldest_hint(self, incarnation: str) -> int:
        """The number of the oldest hint that is kept of an incarnation; one above its last if none is kept. Hints are
        kept for `HINTS_KEPT_S`."""

    async def apply(self, hints: Sequence[Hint]) -> None:
        """Publishes to the subscribers of this store what the hints of other incarnations name, those of one look
        together, unless it is published already. Returns when accounts, sessions and marks are published, and all rows
        that were acked before the call, but for those that stand in the log of their chat after rows that this node
        is writing itself: see `published`. Marks of such a chat come after its rows. Rows that are not there yet are
        looked for again at the next calls, for `ROWS_AWAITED_S`, and so are those of writes of this node that failed
        with an unknown outcome: so a look without a hint calls this too."""

    async def published(self) -> None:
        """Returns when the rows are published that the calls of `apply` before have left to the writes of this node.
        That may take as long as a write does to a chat to which several nodes write. Raises: `Unavailable`."""

    async def compare(self, user_ids: Collection[int]) -> None:
        """For a reader that has missed hints: compares all followed chats, and these accounts and their sessions, with
        the store, and publishes what is new."""

    def received(self, chat_id: int, n: int, seq: int) -> Literal["next", "old", "ahead"]:
        """For a change of a message that another way than the log has brought ready to be handed to clients: row `n` of
        the chat, which leaves its head at `seq`. "next": the caller hands it out in this very turn, and the store does
        not publish it any more. "old": it is published already. "ahead": an earlier row is missing; `apply` with a hint
        that names row n reads the log up to there. The row has to be in the log and projected."""

    def tell(self, topic: str, value: Any) -> None:
        """Adds something to the next hint, which is written within `TELL_WITHIN_S`. The value is what JSON can hold,
        with strings as keys."""

    async def keep_record(self, topic: str, value: Any) -> None:
        """Stores the whole of what this incarnation has published on a topic, for nodes that start later, along with
        the number of its last hint."""

    async def records(self, topic: str) -> Mapping[str, tuple[int, Any]]:
        """By incarnation, the record of the topic and the number of the last hint that it covers."""

    async def bury(self, incarnation: str) -> None:
        """Removes the lease, the hints and the records of an incarnation that is dead, or has ended. If it was only
        suspended it may come back with its next hint, and `oldest_hint` says which that is."""

    async def key_id(self, mine: str) -> str:
        """The fingerprint of the key that is noted in the database; `mine` is noted if there is none. Of nodes that
        call this at once, one notes its own."""

    async def replace_key_id(self, mine: str) -> None:
        """Notes another fingerprint."""


HINTS_KEPT_S = 60.0
"""How long a hint is kept. A node that read no hints for longer has to compare."""

ROWS_AWAITED_S = 30.0
"""How long a row that a hint names is looked for: an insert that was under way when its node died is in the log, or
never will be, long before."""

TELL_WITHIN_S = 0.25
