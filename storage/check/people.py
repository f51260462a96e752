"""Who the records of chats name. The accounts are read after the chats: so nobody is missing who came meanwhile."""

from collections.abc import Collection, Iterator

from storage.check.findings import SAME_MAX, Finding


class People:
    """Remembers of each user where they are named first, and in which chat they are a member first."""

    def __init__(self) -> None:
        self._named: dict[int, Finding] = {}
        self._members: dict[int, int] = {}

    def name(self, user_id: int, chat_id: int, what: str) -> None:
        """`what` names the user, in a chat."""
        if user_id not in self._named:
            self._named[user_id] = Finding(chat_id, f"{what}, who is not there")

    def member(self, user_id: int, chat_id: int) -> None:
        """The user is a member of a chat."""
        self._members.setdefault(user_id, chat_id)

    def findings(self, users: Collection[int], ended: Collection[int]) -> Iterator[Finding]:
        """`users` are the ids of all accounts, `ended` those that are deleted."""
        strangers = [finding for user_id, finding in self._named.items() if user_id not in users]
        yield from strangers[:SAME_MAX]
        if len(strangers) > SAME_MAX:
            yield Finding(None, f"{len(strangers) - SAME_MAX:,} more: users who are not there")
        left = [
            Finding(chat_id, f"user {user_id} is a member, and deleted")
            for user_id, chat_id in self._members.items()
            if user_id in ended
        ]
        yield from left[:SAME_MAX]
        if len(left) > SAME_MAX:
            yield Finding(None, f"{len(left) - SAME_MAX:,} more: members who are deleted")
