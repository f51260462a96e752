"""What decisions about chats, members and marks ask of the writer's transaction."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from domain.invites import Invite
from domain.models import Account, Actor, Chat, Member, Message, Role
from storage.sqlite import history, invite_rows, members
from storage.sqlite.message_view import SqliteMessageView, last_id
from storage.sqlite.rows import chat_of

# CROSS JOIN: the members first, by the index that has them in the order in which they inherit.
_ACCOUNTS_BY_ROLE = """
SELECT users.id, users.is_bot, users.banned, users.deleted
FROM members CROSS JOIN users ON users.id = members.user_id
WHERE members.chat_id = ? AND members.role = ? ORDER BY members.joined_at, members.user_id
"""


class SqliteChatView:
    """See `domain.decisions.view.MemberView` and `MarkView`. What it looks up it does not keep."""

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

    def private_chat(self, user_ids: Sequence[int]) -> Chat | None:
        found = self._db.execute(
            "SELECT id FROM chats WHERE users_key = ?", (users_key(user_ids),)
        ).fetchone()
        return self.chat(found[0]) if found else None

    def next_chat_id(self) -> int:
        return last_id(self._db, "chats") + 1

    def member_ids(self, chat_id: int) -> Sequence[int]:
        rows = self._db.execute("SELECT user_id FROM members WHERE chat_id = ? ORDER BY user_id", (chat_id,))
        return [user_id for (user_id,) in rows]

    def accounts_by_role(self, chat_id: int, role: Role) -> Iterable[Account]:
        return map(_account_of, self._db.execute(_ACCOUNTS_BY_ROLE, (chat_id, role)))

    def accounts(self, user_ids: Collection[int]) -> Mapping[int, Account]:
        rows = self._db.execute(
            "SELECT id, is_bot, banned, deleted FROM users WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(user_ids)),),
        )
        return {row[0]: _account_of(row) for row in rows}


def users_key(user_ids: Iterable[int]) -> str:
    """The unique key of a private chat: its two user ids."""
    return " ".join(map(str, user_ids))


def _account_of(row: tuple[int, int, int, int]) -> Account:
    user_id, is_bot, banned, deleted = row
    return Account(user_id, bool(is_bot), bool(banned), bool(deleted))
