"""The interface of a store. tests/storage/contract says the same as tests, and runs on every store.

Common to all methods: what is returned from a write is on disk, so it survives `kill -9`; the subscribers have
been called before the caller resumes; checks (`domain.decisions`) are made on the state that the write itself is
made on; a write that raises changed nothing. Any method may raise `Unavailable`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.changes import LaggingSubscriber, Subscriber
from domain.decisions.settings import SettingsRequest
from domain.models import (
    Appended,
    Chat,
    ChatPreview,
    ChatState,
    ChatSummary,
    ChatType,
    Draft,
    Member,
    Message,
    Page,
    ReadMark,
    Role,
    Session,
    User,
)
from storage.health import StoreHealth
from storage.node_ports import Nodes
from storage.promise import Promise

REUSES_MAX = 3
"""How many times a spent refresh token may be spent again within its grace time."""

UNREAD_LIMIT = 1000
"""Unread counts stop here: 1000 means 1000 or more."""


class Users(Protocol):
    async def create(
        self,
        *,
        username: str,
        display_name: str,
        email: str | None,
        password_hash: str,
        created_at: datetime,
        is_bot: bool = False,
    ) -> User:
        """Raises: `Duplicate("username")` for the username of another user, deleted ones too, or another form of it
        (see `domain.text.name_key`); `Duplicate("email")` for an email address in use, without regard to case."""

    async def get(self, user_id: int) -> User | None:
        """The user, also if banned or deleted; None if nobody ever had this id."""

    async def get_many(self, user_ids: Collection[int]) -> Mapping[int, User]:
        """Those of the ids that exist."""

    async def find(self, login: str) -> User | None:
        """By username, in any form of it, or email, without regard to case. Deleted users are not found, banned ones
        are. Old accounts may have names that are forms of one another: then the one whose name was given exactly but
        for case is found, else any of them."""

    async def exist(self) -> bool:
        """Whether there are any users, banned and deleted ones included."""

    async def search(self, prefix: str, *, after_id: int, limit: int) -> Sequence[User]:
        """Active users, neither banned nor deleted, whose username or display name begins with `prefix` in any form
        of it (empty: everybody), with an id above `after_id`, by id, at most `limit`."""

    async def rename(self, user_id: int, display_name: str) -> User:
        """Raises: `NotFound`."""

    async def change_password(self, user_id: int, password_hash: str, *, keep_session: str | None) -> None:
        """Sets the hash and revokes every session of the user but `keep_session`. Raises: `NotFound`."""

    async def renew_hash(self, user_id: int, old_hash: str, new_hash: str) -> None:
        """Replaces the hash by another one of the same password; no session ends. Does nothing if the stored hash is
        not `old_hash` any more."""

    async def costliest_hash(self) -> str:
        """The greatest password hash by code points, which is one of the highest cost; empty if there are no users.
        Reads all users, so it is for the start of a server only."""

    async def set_banned(self, user_id: int, banned: bool, *, pass_on: bool = True) -> User:
        """Bans or unbans. A ban revokes every session of the user and ends their ownership, see `Chats`; an unban
        brings neither back. A second ban ends ownership where the first one could not. Without `pass_on` ownership
        stays, for a caller that removes the user from their chats next.

        Raises: `NotFound`, for a deleted user too.
        """

    async def delete(self, user_id: int) -> User:
        """Ends the account for good: its email and password go, the display name becomes the username, every session
        is revoked, ownership ends as by a ban. The username stays taken; memberships and messages stay.

        Raises: `NotFound`, the second time too."""

    async def seen(self, user_id: int, at: datetime) -> None:
        """Notes when the user was last connected; an earlier time than the noted one changes nothing. Does nothing for
        an unknown id."""


class Sessions(Protocol):
    async def create(
        self, *, session_id: str, user_id: int, token_hash: str, expires_at: datetime, created_at: datetime
    ) -> Session:
        """A login: the session and its first refresh token, of which the store knows only the hash. Raises: `NotFound`
        if there is no such user, or they are deleted."""

    async def get(self, session_id: str) -> Session | None:
        """The session, also if revoked; None if there is no such session, or a sweep removed it."""

    async def rotate(
        self, token_hash: str, *, new_hash: str, expires_at: datetime, now: datetime, grace_s: float
    ) -> Session:
        """Spends a refresh token for a new one of the same session.

        The first use starts `grace_s`, within which the old token may be spent again at most `REUSES_MAX` times, by a
        client that did not get the answer. Raises: `TokenUnknown`; `TokenReused` for a use after that time or above
        that number, which also revokes the session.
        """

    async def revoke(self, session_id: str) -> None:
        """Ends a session. Does nothing if it is unknown or has ended."""

    async def sweep(self, *, after: str, limit: int, now: datetime, keep_s: float) -> str | None:
        """Looks at up to `limit` sessions in the order of their ids, from the first above `after` ("": the very first),
        and removes those without a valid refresh token for `keep_s`, with their tokens. For a revoked session, that
        time begins when a sweep first sees it. No change is published: no client can use such a session.

        Returns the `after` of the next call; None if there are no more.
        """


class Chats(Protocol):
    """Users who are not active (banned or deleted) do not count as owners, and they and bots never inherit. When the
    last owner goes, the oldest admin becomes owner, else the oldest member (by `joined_at`, then id); so it is when
    the account of the last owner of a group or channel is banned or deleted, and that member is a plain one then. If
    there is nobody to inherit the member stays owner, and is one that counts when the ban is lifted.
    """

    async def create(
        self,
        *,
        name: str | None,
        chat_type: ChatType,
        owner_id: int,
        member_ids: Collection[int],
        created_at: datetime,
    ) -> tuple[Chat, bool]:
        """Creates a chat of the owner and the members, and returns it with True. Two users have one private chat: if it
        exists, created by either of them and whatever became of the other, it is returned with False, and the owner
        sees it from now on. `member_ids` may contain the owner.

        Raises: `UnknownUsers`, for an owner who is banned too, and for another user who is not active if the chat is a
        new private one; `Forbidden` if somebody is to become a member who has blocked the owner.
        """

    async def begin(self, chat_id: int) -> None:
        """Says that a chat is about to be loaded. Each change from now on is published here in order, those of other
        servers too; until `follow`, so are earlier ones that become known only now."""

    async def load(self, chat_id: int) -> ChatState | None:
        """A chat and all its members; `head_seq` counts only changes already published."""

    def follow(self, chat_id: int) -> None:
        """Says that a loaded chat stays in memory, until `unfollow`: nothing from before the load is published."""

    def follows(self, chat_id: int) -> bool:
        """Whether the chat is followed, as it is if its creation was published before its other changes. A creation of
        another node that becomes known late is published after some of them, and the chat is not followed."""

    def unfollow(self, chat_id: int) -> None:
        """Says that nobody needs to know of each change of the chat any more."""

    async def summary(self, chat_id: int, user_id: int) -> ChatSummary:
        """Raises: `NotFound` if there is no such chat, the user is not in it, or does not see it yet (see
        `domain.private_chats`)."""

    async def list_for(
        self,
        user_id: int,
        *,
        cursor: str | None,
        limit: int,
        max_bytes: int | None = None,
        hidden: bool = False,
    ) -> tuple[Sequence[ChatSummary], str | None]:
        """The chats that the user sees, those that they have hidden or all others, latest activity (newest message,
        else creation) first, and the cursor of the next page, None on the last; no more than `max_bytes` as JSON, but
        one at least. A chat is hidden until a message is created in it.
        Raises: `BadReference("cursor")` for one that was not given out here."""

    async def ids_of(self, user_id: int) -> Sequence[int]:
        """All chats that the user sees, in no order."""

    async def member(self, chat_id: int, user_id: int) -> Member | None:
        """The member; None if there is no such chat or the user is not in it."""

    async def change_settings(self, chat_id: int, user_id: int, request: SettingsRequest) -> Member:
        """Changes what a member has set for themselves. Two nodes that do so for one member in the same moment keep
        the settings of one of them. Raises: `NotFound`."""

    async def has_member(self, chat_id: int, user_id: int) -> bool:
        """Whether the user is in the chat, by all that any server has acked before this call."""

    async def members(
        self, chat_id: int, *, cursor: str | None, limit: int
    ) -> tuple[Sequence[Member], str | None]:
        """The members by `joined_at`, then id, and the cursor of the next page, None on the last; nobody if there is
        no such chat. Raises: `BadReference("cursor")` for one that was not given out here."""

    async def sharing(self, user_id: int, among: Collection[int], *, members_max: int) -> Collection[int]:
        """Those of the users `among` who share a chat of at most `members_max` members with the user, who may be one of
        them. A private chat that only one of its members sees is not shared. Reads some chats at a time, so that other
        reads can go on in between."""

    async def preview(self, chat_id: int, user_ids: Collection[int]) -> ChatPreview | None:
        """The chat as those of the users see it who are in it; None if there is no such chat. One call for all of
        them costs about as much as the summary of one. `head_seq` is that of the last published change."""

    async def rename(self, chat_id: int, user_id: int, name: str) -> Chat:
        """Raises: `NotFound`; `Forbidden`."""

    async def delete(self, chat_id: int, user_id: int) -> None:
        """Raises: `NotFound`; `Forbidden`, for a private chat in which both have written too."""

    async def add_member(
        self, chat_id: int, actor_id: int, user_id: int, role: Role, joined_at: datetime
    ) -> Member:
        """A new member's mark stands at the newest message that is not deleted, at 0 if there is none.

        Raises: `NotFound`, also if the actor is not active; `Forbidden`, also if the user has blocked the actor;
        `UnknownUsers`; `Duplicate("user_id")` for a member.
        """

    async def set_role(self, chat_id: int, actor_id: int, user_id: int, role: Role) -> Member:
        """Raises: `NotFound` (also if `user_id` is no member); `Forbidden`; `LastOwner`."""

    async def remove_member(self, chat_id: int, actor_id: int, user_id: int) -> None:
        """Removes a member; another one may inherit, see above. If only members who never inherit would be left, the
        chat is deleted.

        Raises: `NotFound`; `Forbidden`."""


class Messages(Protocol):
    def append(self, draft: Draft) -> Promise[Appended]:
        """Queues a send. It has its place when this returns, so calls keep their order. The promise fails with
        `NotFound` (not a member, or the message of this `client_id` was deleted), `Forbidden`,
        `ClientIdTaken`, `BadReference("reply_to")` (a deleted message of the chat serves).

        A sender uses a `client_id` only once, for ever: a repeat in the same chat returns the first message, whatever
        the content of the repeat, and changes nothing.
        """

    def edit(self, message_id: int, user_id: int, content: str, edited_at: datetime) -> Promise[Message]:
        """Queues an edit. An edit to the same content changes nothing and takes no number. The promise fails with
        `NotFound` (no such message, deleted, or the user is not in its chat); `Forbidden`."""

    def delete(self, message_id: int, user_id: int, deleted_at: datetime) -> Promise[Message]:
        """Queues a deletion; the result is the tombstone. The promise fails as that of `edit`."""

    def mark_read(self, chat_id: int, user_id: int, up_to: int | None) -> Promise[ReadMark]:
        """Queues a move of the user's mark to the message `up_to` (a deleted one serves), None: to the newest. It
        never goes back. Whether it moves or not, the chat is no longer marked as unread. The promise fails with
        `NotFound`; `BadReference("up_to")`."""

    async def get(self, message_id: int) -> Message | None:
        """The message or its tombstone."""

    async def history(
        self,
        chat_id: int,
        *,
        limit: int,
        before_seq: int | None = None,
        after_seq: int | None = None,
        around_seq: int | None = None,
        max_bytes: int | None = None,
    ) -> Page:
        """Up to `limit` messages: the last ones before `before_seq`, the first ones after `after_seq`, those around
        `around_seq` (half of the limit below it; itself, if alive, and the rest above), else the newest. At most one
        of the three.

        With `max_bytes` the store stops reading where the messages would be more as JSON (`storage.sizes`): a page has
        one message at least, those next to where it begins, and says that there are more."""

    async def changed_since(
        self, chat_id: int, after_seq: int, *, limit: int, max_bytes: int | None = None
    ) -> Sequence[Message]:
        """The messages whose `changed_seq` is above `after_seq`, tombstones too, by `changed_seq`, at most `limit`, and
        no more than `max_bytes` as JSON, but one at least."""

    async def count_changed_since(self, chat_id: int, after_seq: int, *, limit: int) -> int:
        """How many messages `changed_since` would give without a bound in bytes; counting stops at `limit`."""


class Blocks(Protocol):
    """Whom users have blocked. A block also reaches the private chat of the two as a change, which is ordered with its
    messages; a private chat that is created later has it from the beginning."""

    async def block(self, user_id: int, blocked_id: int, at: datetime) -> None:
        """Does nothing for somebody who is blocked already.

        Raises: `NotFound` for a user who does not exist or is deleted; `TooMany` above
        `domain.decisions.blocks.BLOCKS_MAX`, which several blocks by one user at the same time may exceed on a store
        that several nodes share.
        """

    async def unblock(self, user_id: int, blocked_id: int) -> None:
        """Does nothing for somebody who is not blocked."""

    async def blocked_by(self, user_id: int, *, after_id: int, limit: int) -> Sequence[int]:
        """Whom the user has blocked: ids above `after_id`, ascending, at most `limit`."""


class Store(Protocol):
    """A store. Open one with `storage.open.open_store`."""

    @property
    def shared(self) -> bool:
        """Whether other nodes may write it too; `nodes` says how the subscribers here learn of that."""

    @property
    def health(self) -> StoreHealth:
        """Whether writes work, in numbers."""

    @property
    def id(self) -> str:
        """A random string, made with the database and kept for ever; the same for all nodes that share it."""

    @property
    def epoch(self) -> str:
        """A random word that is made once and stays with the data: positions are of one epoch."""

    @property
    def nodes(self) -> Nodes | None:
        """What the servers on this store tell each other; None for a store that only one node has open."""

    @property
    def users(self) -> Users: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def chats(self) -> Chats: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def blocks(self) -> Blocks: ...

    def subscribe(self, subscriber: Subscriber) -> None:
        """Adds a subscriber, which is called with every batch of changes committed from now on: in the turn in which
        the store learns of the commit, before any waiter resumes, after the subscribers added before it.

        For what has to be exact in every turn, such as rooms and what memory knows of chats. A subscriber that raises
        is logged; the others are called all the same.

        Changes that other nodes made come too, once this node has read of them (`Nodes.apply`) or met them in the
        log; but not those that `Nodes.received` has let through.
        """

    def subscribe_lagging(self, name: str, subscriber: LaggingSubscriber) -> None:
        """Adds a subscriber that may be slow: it gets the same batches in the same order, each once it has returned
        from the one before, in turns after those of `subscribe`. `name` is for the log.

        The store holds no more than `storage.subscribers.WAITING_CHANGES_MAX` changes for it, or one batch if that
        alone has more. What is more is dropped, and the subscriber gets an empty batch in place of what it missed; it
        misses all that is committed while no node runs, too. So a subscriber that must not miss anything keeps, in a
        place that survives a restart, the `changed_seq` of each chat up to which it is done. After a start, an empty
        batch, and a hole in the numbers of a chat it does what a client does that was cut off: it compares its
        positions with the heads of the chats, and reads what it lacks by `Messages.changed_since`. There is no second
        log.
        """

    def published_head(self, chat_id: int, head_seq: int) -> int:
        """`head_seq` as just read, lowered to the last published number if a commit is not yet published."""

    async def ping(self) -> None:
        """Returns if the store can serve: the last write worked, or a small one does now. Cheap, however often it is
        called. Raises: `Unavailable`."""

    async def close(self) -> None:
        """Finishes what is queued, then lets go. Closing twice is fine."""
