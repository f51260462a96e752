"""The interface of a store. tests/storage/contract says the same as tests, and runs on every store.

Common to all methods: what is returned from a write is on disk, so it survives `kill -9`; the subscribers have
been called before the caller resumes; checks (`domain.decisions`) are made on the state that the write itself is
made on; a write that raises changed nothing. Any method may raise `Unavailable`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.acts import UNAUDITED, AccountUpdate, Act
from domain.audit import AuditEntry
from domain.changes import LaggingSubscriber, Subscriber
from domain.decisions.settings import SettingsRequest
from domain.files import Upload, UploadTotals
from domain.invites import Invite, InviteView, Use
from domain.models import (
    Actor,
    Appended,
    Ban,
    Chat,
    ChatPreview,
    ChatState,
    ChatSummary,
    ChatType,
    Draft,
    Member,
    Message,
    Page,
    PresenceChoice,
    ReadMark,
    Role,
    Session,
    User,
    Version,
)
from storage.bot_ports import Bots
from storage.counts import StoreCounts
from storage.files.ports import Files
from storage.health import StoreHealth
from storage.hook_ports import Hooks
from storage.node_ports import Nodes
from storage.promise import Promise
from storage.search import SearchRequest

REUSES_MAX = 3
"""How many times a spent refresh token may be spent again within its grace time."""

VERSIONS_MAX = 100
"""How many versions of a message are kept, the newest ones; and the first one besides."""

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
        is_admin: bool = False,
        login_key: str | None = None,
        act: Act = UNAUDITED,
    ) -> User:
        """Raises: `Duplicate("username")` for the username of another user, deleted ones too, or another form of it
        (see `domain.text.name_key`), and for one that nobody can have (`domain.decisions.accounts`);
        `Duplicate("email")` for an email address in use, without regard to case; before these, `Duplicate("login")` for
        the `login_key` of another user, deleted ones too; `Forbidden` if a user acts who does not administer the
        server. Nobody has both an email address and a `login_key`.

        On MongoDB an admin is made in two steps: a crash between them leaves a user who is no admin.
        """

    async def create_first_admin(
        self,
        *,
        setup_hash: str,
        username: str,
        display_name: str,
        email: str | None,
        password_hash: str,
        created_at: datetime,
    ) -> User:
        """Creates the first admin of the server and makes the kept hash useless. Of several calls at once, on any node
        and with any hash, one succeeds. Raises: `Forbidden` for another hash than the one that is kept, and if there is
        an admin; `Duplicate`, as `create` does."""

    async def admin(self) -> User | None:
        """An active admin of the server, the one with the lowest id; None if there is none. Once there is one, one
        stays."""

    async def keep_setup_hash(self, setup_hash: str) -> None:
        """Keeps the hash that `create_first_admin` asks for, in place of any earlier one."""

    async def setup_hash(self) -> str | None:
        """The hash that `create_first_admin` asks for."""

    async def get(self, user_id: int) -> User | None:
        """The user, also if banned or deleted; None if nobody ever had this id."""

    async def get_many(self, user_ids: Collection[int]) -> Mapping[int, User]:
        """Those of the ids that exist."""

    async def find(self, login: str) -> User | None:
        """By username, in any form of it, or email, without regard to case. Deleted users are not found, banned ones
        are. Old accounts may have names that are forms of one another: then the one whose name was given exactly but
        for case is found, else any of them."""

    async def of_login(self, login_key: str) -> User | None:
        """The user with this `login_key`, also if banned or deleted; None if there is none."""

    async def exist(self) -> bool:
        """Whether there are any users, banned and deleted ones included."""

    async def search(self, prefix: str, *, after_id: int, limit: int) -> Sequence[User]:
        """Active users, neither banned nor deleted, whose username or display name begins with `prefix` in any form
        of it (empty: everybody), with an id above `after_id`, by id, at most `limit`."""

    async def search_all(self, prefix: str, *, after_id: int, limit: int) -> Sequence[User]:
        """As `search`, but banned users are found too, and users by the beginning of their email address."""

    async def rename(self, user_id: int, display_name: str) -> User:
        """Raises: `NotFound`."""

    async def change_password(
        self, user_id: int, password_hash: str, *, keep_session: str | None, act: Act = UNAUDITED
    ) -> None:
        """Sets the hash and revokes every session of the user but `keep_session`. Raises: `NotFound`; `Forbidden` if a
        user acts who does not administer the server."""

    async def renew_hash(self, user_id: int, old_hash: str, new_hash: str) -> None:
        """Replaces the hash by another one of the same password; no session ends. Does nothing if the stored hash is
        not `old_hash` any more."""

    async def costliest_hash(self) -> str:
        """The greatest password hash by code points, which is one of the highest cost; empty if there are no users.
        Reads all users, so it is for the start of a server only."""

    async def update(
        self, user_id: int, update: AccountUpdate, act: Act = UNAUDITED, *, pass_on: bool = True
    ) -> User:
        """Changes an account by all of the update or by nothing of it; the audit says who did it (`domain.acts`).

        A ban, and the end of the account, revoke every session of the user and end their ownership, see `Chats`; an
        unban brings neither back. A second ban ends ownership where the first one could not. Without `pass_on`
        ownership stays, for a caller that removes the user from their chats next. All of it holds for the bots of the
        user too, see `Bots`; on MongoDB, bots that a node does not reach because it dies follow when the next node
        starts. The end of the account takes its
        email, its password and the right of an admin, and the display name becomes the username. The username stays
        taken; memberships and messages stay.

        Raises: `NotFound`, for a deleted user too; `Forbidden` if a user acts who does not administer the server, but
        for those who end their own account or give up a right; `LastAdmin` if no active admin would be left. That is
        exact: of acts at once, on any node, as many succeed as leave an admin.
        """

    async def set_banned(self, user_id: int, banned: bool, *, pass_on: bool = True) -> User:
        """Bans or unbans, without an entry in the audit: see `update`."""

    async def delete(self, user_id: int, act: Act = UNAUDITED) -> User:
        """Ends the account for good: see `update`. Raises: `NotFound`, the second time too."""

    async def set_presence(self, user_id: int, presence: PresenceChoice) -> User:
        """Sets what others see of the user while they are connected. Raises: `NotFound`, for a deleted user too."""

    async def set_avatar(self, user_id: int, avatar_id: str | None) -> User:
        """Gives the user the avatar whose bytes are kept under this id, or none. The file of an earlier one goes into
        the queue of `Uploads.removals`. Raises: `NotFound`, for a user who is not active too; the file of the new one
        is then nobody's."""

    async def seen(self, user_id: int, at: datetime) -> None:
        """Notes when the user was last connected; an earlier time than the noted one changes nothing. Does nothing for
        an unknown id, and for a user who has chosen the presence `offline`."""


class Sessions(Protocol):
    async def create(
        self,
        *,
        session_id: str,
        user_id: int,
        token_hash: str,
        expires_at: datetime,
        created_at: datetime,
        address: str = "",
        user_agent: str = "",
    ) -> Session:
        """A login: the session and its first refresh token, of which the store knows only the hash. Raises: `NotFound`
        if there is no such user, or they are deleted."""

    async def get(self, session_id: str) -> Session | None:
        """The session, also if revoked; None if there is no such session, or a sweep removed it."""

    async def of_user(self, user_id: int, *, now: datetime, limit: int) -> Sequence[Session]:
        """The sessions of the user that are not revoked and have a refresh token that expires after `now`, the newest
        first, at most `limit`."""

    async def used(self, at: Mapping[str, datetime]) -> None:
        """Notes when sessions, by id, were last used. An earlier time than the noted one changes nothing, and nor does
        an unknown session. No change is published."""

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

    async def create_default(self, *, name: str, owner_id: int, created_at: datetime) -> None:
        """Creates the default chat of the server, a public group, once and for ever: does nothing if it was created
        before, by any node and under any name, whatever became of it. Raises: `UnknownUsers`, as `create` does."""

    async def join_default(self, user_id: int, joined_at: datetime) -> None:
        """Makes the user a plain member of the default chat, public or not. Does nothing for a member, and if there is
        no such chat, or not any more. Raises: `UnknownUsers` for a user who is deleted."""

    async def default_id(self) -> int | None:
        """The id of the default chat; None if it was not created, or is deleted."""

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

    async def actor(self, chat_id: int, user_id: int) -> Actor:
        """What the user may do in the chat, by all that any server has acked before this call. Raises: `NotFound` if
        there is no such chat or the user is not in it."""

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

    async def public(self, text: str, *, after_id: int, limit: int) -> tuple[Sequence[Chat], int | None]:
        """Public chats with an id above `after_id`, by id, whose names contain the text in any form of it (empty: all),
        at most `limit`; and the `after_id` of the next page, None on the last. A page may have fewer chats than `limit`
        and not be the last: a call looks at a bounded number of chats."""

    async def change(
        self,
        chat_id: int,
        user_id: int,
        at: datetime,
        *,
        name: str | None = None,
        is_public: bool | None = None,
        slow_mode_s: int | None = None,
    ) -> Chat:
        """Changes all that is given, or nothing. Raises: `NotFound`; `Forbidden`."""

    async def set_avatar(self, chat_id: int, user_id: int, avatar_id: str | None, at: datetime) -> Chat:
        """Gives the chat the avatar whose bytes are kept under this id, or none, see `Users.set_avatar`. Raises:
        `NotFound`; `Forbidden`, in private chats too."""

    async def delete(self, chat_id: int, user_id: int) -> None:
        """Raises: `NotFound`; `Forbidden`, for a private chat in which both have written too."""

    async def delete_any(self, chat_id: int, act: Act) -> None:
        """Deletes a chat for an admin of the server, who need not be in it; the audit of the server says so. Raises:
        `NotFound`; `Forbidden` if a user acts who does not administer the server."""

    async def add_member(
        self, chat_id: int, actor_id: int, user_id: int, role: Role, joined_at: datetime
    ) -> Member:
        """A new member's mark stands at the newest message that is not deleted, at 0 if there is none.

        Raises: `NotFound`, also if the actor is not active; `Forbidden`, also if the user has blocked the actor;
        `UnknownUsers`; `Duplicate("user_id")` for a member.
        """

    async def join(self, chat_id: int, user_id: int, joined_at: datetime) -> None:
        """Makes the user a plain member of a public chat. Does nothing for a member of any chat. Raises: `NotFound` if
        the chat is not public."""

    async def set_role(self, chat_id: int, actor_id: int, user_id: int, role: Role, at: datetime) -> Member:
        """Raises: `NotFound` (also if `user_id` is no member); `Forbidden`; `LastOwner`."""

    async def remove_member(self, chat_id: int, actor_id: int, user_id: int, at: datetime) -> None:
        """Removes a member; another one may inherit, see above. If only members who never inherit would be left, the
        chat is deleted.

        Raises: `NotFound`; `Forbidden`."""


class Moderation(Protocol):
    """What admins and owners of groups and channels do to users there, see `domain.decisions.mutes` and `bans`."""

    async def mute(
        self, chat_id: int, actor_id: int, user_id: int, until: datetime | None, at: datetime
    ) -> Member:
        """Mutes a member until a time; no longer, if that is None or over. The mute stays while they are gone. Raises:
        `NotFound` (also if `user_id` is no member); `Forbidden`."""

    async def ban(
        self, chat_id: int, actor_id: int, user_id: int, reason: str | None, at: datetime
    ) -> tuple[Ban, bool]:
        """Keeps a user out of the chat, and removes them if they are a member. Returns the ban with True; with False
        the ban that was there already. Raises: `NotFound`; `Forbidden`; `UnknownUsers`; `LastOwner`."""

    async def unban(self, chat_id: int, actor_id: int, user_id: int, at: datetime) -> None:
        """Lets the user come in again. Does nothing if they are not banned. Raises: `NotFound`; `Forbidden`."""

    async def bans(self, chat_id: int, *, cursor: str | None, limit: int) -> tuple[Sequence[Ban], str | None]:
        """The bans of the chat by user id, and the cursor of the next page, None on the last. Raises:
        `BadReference("cursor")` for one that was not given out here."""


class Invites(Protocol):
    """Invites work as `domain.decisions.invites` says. One whose maker leaves the chat, is removed from it or becomes a
    plain member ends for good; while the account of the maker is not active, it does not work. Those of the server work
    while their maker is an active server admin.
    """

    async def create(self, invite: Invite) -> Invite:
        """Raises: `NotFound` if the maker is not in the chat, or not active; `Forbidden`; `TooMany`. For an invite
        without a chat none of that is checked."""

    async def of_chat(self, chat_id: int, user_id: int, at: datetime) -> Sequence[Invite]:
        """Those of the chat that work at this time, by `created_at`, then code, for one of its members. Raises:
        `NotFound`; `Forbidden`."""

    async def of_server(self, at: datetime) -> Sequence[Invite]:
        """Those without a chat that work at this time, by `created_at`, then code."""

    async def find(self, code: str, at: datetime) -> InviteView | None:
        """The invite of this code, with its chat and its maker, if it works at this time."""

    async def remove(self, code: str, user_id: int, at: datetime, *, is_server_admin: bool = False) -> None:
        """Ends an invite. Raises: `NotFound` if there is none, if it has ended, or if it is of a chat of which the user
        is no member; `Forbidden`. A server admin may end any."""

    async def accept(self, code: str, user_id: int, at: datetime) -> int | None:
        """Makes the user a member of the invite's chat, and returns its id; None for a working invite without a chat.
        A use counts for a user who becomes a member, and only then. Never are there more than `max_uses`.

        Raises: `NotFound` if the invite does not work.
        """

    async def take(self, code: str, at: datetime) -> Use:
        """Counts a use, for somebody who is registering. Raises: `NotFound` if the invite does not work."""

    async def give_back(self, use: Use) -> None:
        """Takes the use back: the registration failed, or its user did not come into the chat."""

    async def enter(self, use: Use, user_id: int, at: datetime) -> None:
        """Makes the user a member of the chat of the invite, whose use is counted already. Raises: `NotFound` if the
        invite has ended meanwhile."""


class Messages(Protocol):
    def append(self, draft: Draft) -> Promise[Appended]:
        """Queues a send. It has its place when this returns, so calls keep their order. The promise fails with
        `NotFound` (not a member, or the message of this `client_id` was deleted), `Forbidden`,
        `ClientIdTaken`, `BadReference("reply_to")` (a deleted message of the chat serves),
        `BadReference("attachments")` for uploads that are not the sender's, that a message has already, or that are
        given twice: of sends at once, on any node, one gets an upload.

        A sender uses a `client_id` only once, for ever: a repeat in the same chat returns the first message, whatever
        the content of the repeat, and changes nothing.
        """

    def edit(
        self,
        message_id: int,
        user_id: int,
        content: str,
        edited_at: datetime,
        *,
        content_fault: str | None = None,
    ) -> Promise[Message]:
        """Queues an edit; the attachments stay. An edit to the same content changes nothing and takes no number.
        `content_fault` says what is wrong with the content of a message without attachments, None if nothing.

        The promise fails with `NotFound` (no such message, deleted, or the user is not in its chat); `Forbidden`;
        `BadContent`."""

    def delete(self, message_id: int, user_id: int, deleted_at: datetime) -> Promise[Message]:
        """Queues a deletion; the result is the tombstone. Its files go into the queue of `Uploads.removals`. The
        promise fails with `NotFound`, `Forbidden`."""

    def add_reaction(self, message_id: int, user_id: int, emoji: str, at: datetime) -> Promise[Message]:
        """Queues a reaction with a normalised emoji (`domain.emoji`). One that is there already changes nothing and
        takes no number. The promise fails with `NotFound` (see `edit`); `Forbidden`; `TooMany`
        (`domain.decisions.reactions`), which is exact: of reactions at once, on any node, as many succeed as there is
        room for."""

    def remove_reaction(self, message_id: int, user_id: int, emoji: str, at: datetime) -> Promise[Message]:
        """Queues the end of the user's own reaction. One that is not there changes nothing and takes no number. The
        promise fails with `NotFound`, `Forbidden`."""

    def pin(self, message_id: int, user_id: int, at: datetime) -> Promise[Message]:
        """Queues a pin. A message that is pinned already stays where it is and takes no number. A deleted message is
        not pinned any more. The promise fails with `NotFound`; `Forbidden`; `TooMany` (`domain.decisions.pins`), which
        is exact as that of `add_reaction`."""

    def unpin(self, message_id: int, user_id: int, at: datetime) -> Promise[Message]:
        """Queues the end of a pin. A message that is not pinned takes no number. The promise fails with `NotFound`,
        `Forbidden`."""

    def mark_read(self, chat_id: int, user_id: int, up_to: int | None) -> Promise[ReadMark]:
        """Queues a move of the user's mark to the message `up_to` (a deleted one serves), None: to the newest. It
        never goes back. Whether it moves or not, the chat is no longer marked as unread. The promise fails with
        `NotFound`; `BadReference("up_to")`."""

    async def get(self, message_id: int) -> Message | None:
        """The message or its tombstone."""

    async def versions(self, message_id: int) -> Sequence[Version] | None:
        """What the message said, oldest first, the present version last: the first version and the newest
        `VERSIONS_MAX`. None if there is no such message, or it is deleted: then none of its versions is kept."""

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

    async def pins(
        self, chat_id: int, *, before_seq: int | None = None, limit: int, max_bytes: int | None = None
    ) -> tuple[Sequence[Message], bool]:
        """The pinned messages of the chat, the last pinned first, those with a `pinned_seq` below `before_seq` (None:
        all), at most `limit`, and no more than `max_bytes` as JSON, but one at least; and whether there are more."""

    async def changed_since(
        self, chat_id: int, after_seq: int, *, limit: int, max_bytes: int | None = None
    ) -> Sequence[Message]:
        """The messages whose `changed_seq` is above `after_seq`, tombstones too, by `changed_seq`, at most `limit`, and
        no more than `max_bytes` as JSON, but one at least."""

    async def count_changed_since(self, chat_id: int, after_seq: int, *, limit: int) -> int:
        """How many messages `changed_since` would give without a bound in bytes; counting stops at `limit`."""


class Uploads(Protocol):
    """What files there are. Their bytes are elsewhere (`Store.files`): they are kept before a call here names them, and
    deleted after a call here has taken them out.

    Files that nothing refers to any more stand in a queue. The write that takes the last reference away puts them
    there: the end of a message, a chat or an account, another avatar, `discard` and `expire`. On MongoDB, a node that
    dies in the middle of such a write may leave an avatar, which `known` tells, or an upload that no message has, which
    `expire` finds. The store publishes `domain.file_changes.FilesRemoved` when this node has put files into the queue;
    those of a deleted chat follow some time after the deletion.
    """

    async def create(self, upload: Upload, *, quota_bytes: int) -> None:
        """Adds an upload, whose bytes are kept and whose id nobody ever had. Raises: `OverQuota` if its user would
        have more than `quota_bytes` (0: no bound) then, which is exact: of uploads at once, on any node, as many
        succeed as fit; `NotFound` if the user is not active. Its bytes are then nobody's."""

    async def get(self, upload_id: str) -> Upload | None:
        """The upload; None if there is none, or it is gone with its message or chat, from the moment of that."""

    async def used_bytes(self, user_id: int) -> int:
        """How many bytes the uploads of the user take, those that no message has yet too."""

    async def totals(self) -> UploadTotals:
        """What all uploads take, counted now."""

    async def largest(self, limit: int) -> Sequence[Upload]:
        """The largest uploads, the largest first, at most `limit`."""

    async def discard(self, upload_ids: Collection[str]) -> None:
        """Takes away those of the uploads that no message has and that no send has claimed: the send that they were for
        has failed. One that is still in the queue does not get them."""

    async def expire(self, before: datetime, limit: int) -> int:
        """Takes away uploads that were created before that time and that no message has, at most `limit`. Returns how
        many it took; fewer than `limit` if there are no more."""

    async def removals(self, limit: int) -> Sequence[str]:
        """The ids of files whose bytes are to be deleted, at most `limit`, in no order: what stays in the queue is
        returned again."""

    async def removed(self, file_ids: Collection[str]) -> None:
        """Takes files out of the queue, once their bytes are deleted."""

    async def known(self, file_ids: Collection[str]) -> Collection[str]:
        """Those of the files that belong to an upload, a user or a chat. Bytes that belong to none may be deleted an
        hour after they were kept: a node that keeps bytes names them within seconds. At the start of a store that is
        not `shared`, they may be deleted at once."""


class Search(Protocol):
    async def messages(self, user_id: int, request: SearchRequest) -> tuple[Sequence[Message], str | None]:
        """The messages that match (see `domain.search`), in the chats that the user is in and sees, as they are at the
        moment of the read: newest first (`storage.search.Place`), without deleted ones; and the cursor of the next
        page, None on the last. A page may have fewer messages than the limit and not be the last.

        Raises: `BadReference("cursor")` for one that was not given out here; `NotIndexed`.
        """


class Audit(Protocol):
    """What was done to chats, which is written with each change (`domain.audit`), and to accounts."""

    async def page(
        self, chat_id: int | None, *, cursor: str | None, limit: int
    ) -> tuple[Sequence[AuditEntry], str | None]:
        """The entries of a chat, or of the server (None), newest first, and the cursor of the next page, None on the
        last. Whoever was told of a change finds its entry. Raises: `BadReference("cursor")` for one that was not given
        out here."""

    async def add(self, entry: AuditEntry) -> None:
        """Adds an entry of the server, which the store numbers, for an act that is no change of an account."""


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
    def moderation(self) -> Moderation: ...
    @property
    def invites(self) -> Invites: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def uploads(self) -> Uploads: ...
    @property
    def files(self) -> Files:
        """The bytes of files. They are closed with the store."""

    @property
    def search(self) -> Search: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def blocks(self) -> Blocks: ...
    @property
    def bots(self) -> Bots: ...
    @property
    def hooks(self) -> Hooks: ...

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

    async def counts(self) -> StoreCounts:
        """How much there is, counted now: with millions of messages that takes a second."""

    async def ping(self) -> None:
        """Returns if the store can serve: the last write worked, or a small one does now. Cheap, however often it is
        called. Raises: `Unavailable`."""

    async def close(self) -> None:
        """Finishes what is queued, then lets go. Closing twice is fine."""
