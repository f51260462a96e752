"""Which accounts are named where: compared with those that are there when everything is read, in whatever order."""

from collections.abc import Collection, Iterator

from storage.check.findings import Finding, Findings


class References:
    """Remembers the first place that names an account, and the first chat of which it is a member: an account that is
    not there is one finding, however often it is named."""

    def __init__(self) -> None:
        self._named: dict[int, tuple[int | None, str]] = {}
        self._members: dict[int, int] = {}

    def name(self, user_id: int, chat_id: int | None, what: str) -> None:
        """`what` names the account."""
        if user_id not in self._named:
            self._named[user_id] = chat_id, what

    def member(self, user_id: int, chat_id: int) -> None:
        if user_id not in self._members:
            self._members[user_id] = chat_id

    def findings(self, users: Collection[int], ended: Collection[int]) -> Iterator[Finding]:
        """What is wrong, given all accounts, and those that are deleted."""
        found: dict[int | None, Findings] = {}
        for user_id, (chat_id, what) in self._named.items():
            if user_id not in users:
                where = found.setdefault(chat_id, Findings(chat_id))
                where.add("accounts that are not there", f"{what} names user {user_id}, who is not there")
        for user_id in ended:
            if (member_of := self._members.get(user_id)) is not None:
                where = found.setdefault(member_of, Findings(member_of))
                where.add("members who are deleted", f"user {user_id} is a member, and deleted")
        for where in found.values():
            yield from where
