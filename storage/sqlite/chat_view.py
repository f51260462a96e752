"""What decisions about chats, members and marks ask of the writer's transaction."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from domain.hooks import Hook
from domain.invites import Invite
from domain.models import Account, Actor, Ban, Chat, Member, Message, Role
from storage.sqlite import bans, history, hook_rows, invite_rows, members
from storage.sqlite.message_view import SqliteMessageView, last_id
from storage.sqlite.rows import chat_of

# CROSS JOIN: the members first, by the index that has them in the order in which they inherit.
_ACCOUNTS_BY_ROLE = """
SELECT users.id, users.is_bot, users.banned, users.deleted, users.is_hook
FROM members CROSS JOIN users ON users.id = members.user_id
WHERE members.chat_id = ? AND members.role = ? ORDER BY members.joined_at, members.user_id
"""

# By the two indexes of messages: those that are not deleted, those that have changed. Mostly the first few tell it.
_HAS_WRITTEN = """
SELECT 1 FROM messages WHERE chat_id = :chat AND deleted = 0 AND sender_id = :user
UNION ALL
SELECT 1 FROM messages WHERE chat_id = :chat AND changed_seq > seq AND sender_id = :user
LIMIT 1
"""


class SqliteChatView:
    """See `domain.decisions.view.MemberView`, `MarkView` and `SettingsView`. What it looks up it does not keep."""

    def __init__(self, messages: SqliteMessageView) -> None:
        self._db = messages.db
        self._messages = messages

    def actor(self, chat_id: int, user_id: int) -> Actor:
        return self._messages.actor(chat_id, user_id)

    def message(self, message_id: int) -> Message | None:
        return self._messages.message(message_id)

    def member(self, chat_id: int, user_id: int) -> Member | None:
        return members.get(self._db, chat_id, user_id)

    def newest(self, chat_id: int) -> Message | None:
        return history.newest(self._db, chat_id)

    def head_seq(self, chat_id: int) -> int:
        return self._messages.head(chat_id)

    def has_written(self, chat_id: int, user_id: int) -> bool:
        found = self._db.execute(_HAS_WRITTEN, {"chat": chat_id, "user": user_id})
        return found.fetchone() is not None

    def blockers_of(self, user_id: int, among: Collection[int]) -> Collection[int]:
        rows = self._db.execute(
            "SELECT blocks.user_id FROM json_each(?) AS wanted CROSS JOIN blocks"
            " ON blocks.user_id = wanted.value AND blocks.blocked_id = ?",
            (json.dumps(list(among)), user_id),
        )
        return {blocker_id for (blocker_id,) in rows}

    def chat(self, chat_id: int) -> Chat:
        chat = self.find_chat(chat_id)
        assert chat is not None
        return chat

    def find_chat(self, chat_id: int) -> Chat | None:
        row = self._db.execute("SELECT * FROM chats WHERE id = ?", (chat_id,)).fetchone()
        return chat_of(row, head_seq=self._messages.head(chat_id)) if row else None

    def invite(self, code: str) -> Invite | None:
        return invite_rows.get(self._db, code)

    def invites(self, chat_id: int) -> Sequence[Invite]:
        return invite_rows.all_of(self._db, chat_id)

    def hooks(self, chat_id: int) -> Sequence[Hook]:
        return list(map(hook_rows.hook_of, hook_rows.of_chat(self._db, chat_id)))

    def is_stopped(self, hook_id: int) -> bool:
        row = hook_rows.row_of(self._db, hook_id)
        return row is not None and hook_rows.delivery_of(row).stopped

    def private_chat(self, user_ids: Sequence[int]) -> Chat | None:
        chat_id = self.private_chat_id(user_ids)
        return None if chat_id is None else self.chat(chat_id)

    def private_chat_id(self, user_ids: Sequence[int]) -> int | None:
        """The id of the private chat of these two users, in ascending order, if there is one."""
        found = self._db.execute(
            "SELECT id FROM chats WHERE users_key = ?", (users_key(user_ids),)
        ).fetchone()
        return int(found[0]) if found else None

    def next_chat_id(self) -> int:
        return last_id(self._db, "chats") + 1

    def ban(self, chat_id: int, user_id: int) -> Ban | None:
        return bans.get_ban(self._db, chat_id, user_id)

    def earlier_mute(self, chat_id: int, user_id: int) -> datetime | None:
        return bans.earlier_mute(self._db, chat_id, user_id)

    def member_ids(self, chat_id: int) -> Sequence[int]:
        rows = self._db.execute("SELECT user_id FROM members WHERE chat_id = ? ORDER BY user_id", (chat_id,))
        return [user_id for (user_id,) in rows]

    def accounts_by_role(self, chat_id: int, role: Role) -> Iterable[Account]:
        return map(_account_of, self._db.execute(_ACCOUNTS_BY_ROLE, (chat_id, role)))

    def accounts(self, user_ids: Collection[int]) -> Mapping[int, Account]:
        rows = self._db.execute(
            "SELECT id, is_bot, banned, deleted, is_hook FROM users WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(user_ids)),),
        )
        return {row[0]: _account_of(row) for row in rows}


def users_key(user_ids: Iterable[int]) -> str:
    """The unique key of a private chat: its two user ids."""
    return " ".join(map(str, user_ids))


def _account_of(row: tuple[int, int, int, int, int]) -> Account:
    user_id, is_bot, banned, deleted, is_hook = row
    return Account(user_id, bool(is_bot), bool(banned), bool(deleted), bool(is_hook))
