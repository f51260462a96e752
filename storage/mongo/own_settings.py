"""What members set in a chat for themselves: in their own documents, not in the log of the chat.

Two nodes that change the settings of one member in the same moment write one document each: the last one stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.decisions.settings import SettingsRequest, change_settings
from domain.models import Member
from domain.own_settings import OwnSettingsChanged
from domain.refusals import Refusal
from storage.mongo import own_members
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.writer import Writer, WriterItem
from storage.results import result_of


@dataclass(frozen=True)
class SettingsWrite(WriterItem[Member]):
    """One request of one member."""

    chat_id: int
    user_id: int
    request: SettingsRequest

    @classmethod
    async def run_all(cls, writer: Writer, items: "Sequence[SettingsWrite]", outcomes: list[Any]) -> None:
        for index, item in enumerate(items):
            outcomes[index] = await item._run(writer)

    async def _run(self, writer: Writer) -> Member | Refusal:
        replica = await writer.replicas.get(self.chat_id)
        await writer.replicas.catch_up(replica)
        replica.check()
        await writer.replicas.flush()
        member = None
        if self.user_id in replica.roles:
            member = await own_members.get(writer.database, self.chat_id, self.user_id)
        try:
            outcome = change_settings(_View(replica, member), self.chat_id, self.user_id, self.request)
        except Refusal as refusal:
            return refusal
        if not isinstance(outcome, OwnSettingsChanged):
            return outcome
        await own_members.write_settings(writer.database, self.chat_id, outcome.member)
        writer.publish(outcome)
        changed: Member = result_of(outcome)
        return changed


@dataclass(frozen=True)
class _View:
    """See `domain.decisions.view.SettingsView`."""

    replica: ChatReplica
    found: Member | None

    def member(self, chat_id: int, user_id: int) -> Member | None:
        return self.found

    def head_seq(self, chat_id: int) -> int:
        return self.replica.seq
