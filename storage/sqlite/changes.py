"""What each change does to the tables."""

from collections.abc import Callable, Mapping
from typing import Any

from domain.changes import (
    AccountChange,
    Change,
    ChatCreated,
    ChatDeleted,
    ChatRenamed,
    ChatSettingsChanged,
    MemberAdded,
    MemberRemoved,
    MessageChange,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    ReadMoved,
    RoleChanged,
    check_served,
)
from domain.file_changes import ChatAvatarChanged
from domain.invites import InviteMade, InviteRemoved
from domain.models import Member
from domain.moderation import MemberMuted, UserBanned, UserUnbanned
from domain.own_settings import OwnSettingsChanged
from domain.pins import MessagePinned, MessageUnpinned
from domain.private_chats import ChatOpened, MemberBlocked
from domain.reactions import ReactionAdded, ReactionRemoved
from storage.sqlite import bans, invite_rows, members, mentions, search_segments, upload_rows, versions
from storage.sqlite.chat_view import users_key
from storage.sqlite.hook_changes import HOOK_CHANGES, end_hooks
from storage.sqlite.message_view import SqliteMessageView
from storage.sqlite.rows import extra_of
from storage.times import to_micros


def check_changes() -> None:
    """Raises: `UndeclaredChange` for a kind of which this store does not know what it does to the tables."""
    check_served(
        _APPLY,
        "the SQLite store does",
        "storage/sqlite/changes.py what it does to the tables",
        needed=lambda kind: not issubclass(kind.value, AccountChange),
    )


def apply(view: SqliteMessageView, change: Change) -> None:
    """Writes the change. It was decided on this very view."""
    _APPLY[type(change)](view, change)


def _message_created(view: SqliteMessageView, change: MessageCreated) -> None:
    view.create(change.message)
    view.insert_new()


def message_updated(view: SqliteMessageView, change: MessageChange) -> None:
    """Writes all that a change of a message can alter, except that a message is deleted."""
    message = change.message
    view.raise_head(message.chat_id, message.changed_seq)
    view.db.execute(
        "UPDATE messages SET content = ?, edited_at = ?, pinned = ?, extra = ?, changed_seq = ? WHERE id = ?",
        (
            message.content,
            None if message.edited_at is None else to_micros(message.edited_at),
            message.pinned_seq,
            extra_of(message),
            message.changed_seq,
            message.id,
        ),
    )


def _message_edited(view: SqliteMessageView, change: MessageEdited) -> None:
    if versions.keep(view.db, change.message.id):
        view.note_removal()
    search_segments.forget(view.db, [change.message.id])
    message_updated(view, change)
    search_segments.remember(view.db, change.message.id)
    mentions.rewrite(view.db, change.message)


def _message_deleted(view: SqliteMessageView, change: MessageDeleted) -> None:
    message = change.message
    view.raise_head(message.chat_id, message.changed_seq)
    search_segments.forget(view.db, [message.id])
    versions.remove(view.db, [message.id])
    view.note_removal()
    if change.file_ids:
        view.remove_uploads(upload_rows.of_messages(view.db, [message.id]))
    mentions.rewrite(view.db, message)
    view.db.execute(
        "UPDATE messages SET content = '', extra = NULL, pinned = 0, deleted = 1, changed_seq = ? WHERE id = ?",
        (message.changed_seq, message.id),
    )


def _reactions_changed(view: SqliteMessageView, change: ReactionAdded | ReactionRemoved) -> None:
    message = change.message
    view.raise_head(message.chat_id, message.changed_seq)
    view.db.execute(
        "UPDATE messages SET extra = ?, changed_seq = ? WHERE id = ?",
        (extra_of(message), message.changed_seq, message.id),
    )


def _pin_changed(view: SqliteMessageView, change: MessagePinned | MessageUnpinned) -> None:
    message = change.message
    view.raise_head(message.chat_id, message.changed_seq)
    view.db.execute(
        "UPDATE messages SET pinned = ?, changed_seq = ? WHERE id = ?",
        (message.pinned_seq, message.changed_seq, message.id),
    )


def _read_moved(view: SqliteMessageView, change: ReadMoved) -> None:
    view.db.execute(
        "UPDATE members SET read_seq = ?, last_read_message_id = ? WHERE chat_id = ? AND user_id = ?",
        (change.read_seq, change.up_to, change.chat_id, change.user_id),
    )


def _chat_created(view: SqliteMessageView, change: ChatCreated) -> None:
    chat, everybody = change.state.chat, change.state.members
    created = to_micros(chat.created_at)
    view.db.execute(
        "INSERT INTO chats (id, name, chat_type, created_at, created_by, member_count, activity, users_key, is_public)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            chat.id,
            chat.name,
            chat.chat_type,
            created,
            chat.created_by,
            chat.member_count,
            created,
            users_key(sorted(everybody)) if chat.chat_type == "private" else None,
            chat.is_public,
        ),
    )
    members.insert(view.db, chat.id, everybody.values())


def _chat_renamed(view: SqliteMessageView, change: ChatRenamed) -> None:
    view.db.execute("UPDATE chats SET name = ? WHERE id = ?", (change.chat.name, change.chat.id))


def _settings_changed(view: SqliteMessageView, change: ChatSettingsChanged) -> None:
    chat = change.chat
    view.db.execute(
        "UPDATE chats SET name = ?, is_public = ?, slow_mode_s = ? WHERE id = ?",
        (chat.name, chat.is_public, chat.slow_mode_s, chat.id),
    )
    if "slow_mode_s" in change.changed:
        view.forget_actors()
        view.forget_sends(chat.id)


def _avatar_changed(view: SqliteMessageView, change: ChatAvatarChanged) -> None:
    view.db.execute("UPDATE chats SET avatar_id = ? WHERE id = ?", (change.chat.avatar_id, change.chat.id))
    view.free_avatar(change.old_id)


def _invite_made(view: SqliteMessageView, change: InviteMade) -> None:
    invite_rows.insert(view.db, change.invite)


def _invite_removed(view: SqliteMessageView, change: InviteRemoved) -> None:
    invite_rows.delete(view.db, change.code)


def _chat_deleted(view: SqliteMessageView, change: ChatDeleted) -> None:
    """The messages are removed later, see `removal`: without the chat's row there is no way to them."""
    chat_id = change.chat_id
    view.db.execute("DELETE FROM members WHERE chat_id = ?", (chat_id,))
    bans.forget_chat(view.db, chat_id)
    view.forget_sends(chat_id)
    view.db.execute("DELETE FROM invites WHERE chat_id = ?", (chat_id,))
    end_hooks(view, chat_id)
    (avatar_id,) = view.db.execute("SELECT avatar_id FROM chats WHERE id = ?", (chat_id,)).fetchone()
    view.free_avatar(avatar_id)
    view.db.execute("DELETE FROM chats WHERE id = ?", (chat_id,))
    view.db.execute("INSERT INTO removals (chat_id) VALUES (?)", (chat_id,))
    view.forget_chat(chat_id)


def _member_added(view: SqliteMessageView, change: MemberAdded) -> None:
    members.insert(view.db, change.chat_id, [change.member])
    bans.forget_mute(view.db, change.chat_id, change.member.user_id)
    view.db.execute("UPDATE chats SET member_count = member_count + 1 WHERE id = ?", (change.chat_id,))


def _member_removed(view: SqliteMessageView, change: MemberRemoved) -> None:
    _leave(view, change.chat_id, change.user_id)
    if change.heir is not None:
        _set_role(view, change.chat_id, change.heir)


def _leave(view: SqliteMessageView, chat_id: int, user_id: int) -> None:
    """A mute of the member goes on while they are gone."""
    bans.keep_mute(view.db, chat_id, user_id)
    view.db.execute("DELETE FROM members WHERE chat_id = ? AND user_id = ?", (chat_id, user_id))
    view.db.execute("UPDATE chats SET member_count = member_count - 1 WHERE id = ?", (chat_id,))
    invite_rows.delete_of(view.db, chat_id, user_id)
    view.forget_member(chat_id, user_id)


def _member_muted(view: SqliteMessageView, change: MemberMuted) -> None:
    bans.mute(view.db, change.chat_id, change.member)
    view.forget_member(change.chat_id, change.member.user_id)


def _user_banned(view: SqliteMessageView, change: UserBanned) -> None:
    if change.was_member:
        _leave(view, change.chat_id, change.user_id)
    bans.insert_ban(view.db, change.chat_id, change.ban)


def _user_unbanned(view: SqliteMessageView, change: UserUnbanned) -> None:
    bans.delete_ban(view.db, change.chat_id, change.user_id)


def _role_changed(view: SqliteMessageView, change: RoleChanged) -> None:
    _set_role(view, change.chat_id, change.member)
    if change.heir is not None:
        _set_role(view, change.chat_id, change.heir)


def _chat_opened(view: SqliteMessageView, change: ChatOpened) -> None:
    view.db.execute(
        "UPDATE members SET opened = 1 WHERE chat_id = ? AND user_id = ?", (change.chat_id, change.user_id)
    )


def _member_blocked(view: SqliteMessageView, change: MemberBlocked) -> None:
    view.db.execute(
        "UPDATE members SET blocked = ? WHERE chat_id = ? AND user_id = ?",
        (change.blocked, change.chat_id, change.user_id),
    )
    view.forget_member(change.chat_id, change.user_id)


def _own_settings_changed(view: SqliteMessageView, change: OwnSettingsChanged) -> None:
    member, settings = change.member, change.member.settings
    view.db.execute(
        "UPDATE members SET notifications = ?, favorite = ?, hidden_seq = ?, marked_unread = ?"
        " WHERE chat_id = ? AND user_id = ?",
        (
            settings.notifications,
            settings.favorite,
            settings.hidden_seq,
            settings.marked_unread,
            change.chat_id,
            member.user_id,
        ),
    )


def _set_role(view: SqliteMessageView, chat_id: int, member: Member) -> None:
    view.db.execute(
        "UPDATE members SET role = ? WHERE chat_id = ? AND user_id = ?",
        (member.role, chat_id, member.user_id),
    )
    if member.role == "member":
        invite_rows.delete_of(view.db, chat_id, member.user_id)
    view.forget_member(chat_id, member.user_id)


_APPLY: Mapping[type[Change], Callable[[SqliteMessageView, Any], None]] = {
    MessageCreated: _message_created,
    MessageEdited: _message_edited,
    MessageDeleted: _message_deleted,
    ReactionAdded: _reactions_changed,
    ReactionRemoved: _reactions_changed,
    MessagePinned: _pin_changed,
    MessageUnpinned: _pin_changed,
    ReadMoved: _read_moved,
    ChatCreated: _chat_created,
    ChatRenamed: _chat_renamed,
    ChatSettingsChanged: _settings_changed,
    ChatAvatarChanged: _avatar_changed,
    ChatDeleted: _chat_deleted,
    MemberAdded: _member_added,
    MemberRemoved: _member_removed,
    RoleChanged: _role_changed,
    MemberMuted: _member_muted,
    UserBanned: _user_banned,
    UserUnbanned: _user_unbanned,
    InviteMade: _invite_made,
    InviteRemoved: _invite_removed,
    ChatOpened: _chat_opened,
    MemberBlocked: _member_blocked,
    OwnSettingsChanged: _own_settings_changed,
    **HOOK_CHANGES,
}
