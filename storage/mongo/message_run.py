"""Runs of sends and of other changes of messages: the hot path. What stands next to each other goes into the log
together.

They are planned on the state in memory, without checking first that it is the newest: if it is not, the insert fails
(`log.py`). A refusal inserts nothing, so before one is final, the log is asked for newer rows.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.changes import MessageChange
from domain.decisions.view import MessageView
from domain.hooks import Hook
from domain.mentions import usernames_in
from domain.models import Appended, Draft, Message
from domain.refusals import Refusal
from storage.mongo import hook_documents, upload_documents
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.chat_replicas import Applied
from storage.mongo.database import UnknownOutcome
from storage.mongo.documents import message_of
from storage.mongo.log import Row
from storage.mongo.message_plan import Plan
from storage.mongo.pins import pinned_ids
from storage.mongo.retry_budget import RetryBudget
from storage.mongo.row_codecs import UnknownKind
from storage.mongo.writer import UNSETTLED, Writer, WriterItem
from storage.results import result_of
from storage.runs import outcome_of
from storage.times import to_micros


@dataclass(slots=True)
class MessageWrite(WriterItem[Any]):
    """A decision about a message, and the change that it makes. It may run several times; its row has the same mark
    each time. `message_id` is the message whose state it needs; `draft` is what is to be sent, None if it is no
    send. `content` is that of a send or an edit. `counts_pins`: it asks how many messages of the chat are pinned.
    `hook_id` is the hook that sends; None for other sends."""

    decision: Callable[[MessageView], object]
    mark: str
    message_id: int | None = None
    draft: Draft | None = None
    content: str = ""
    weight: int = 0
    counts_pins: bool = False
    hook_id: int | None = None

    @classmethod
    async def run_all(cls, writer: Writer, items: "Sequence[MessageWrite]", outcomes: list[Any]) -> None:
        await MessageRun(writer, items, outcomes).run()

    def chat_id(self, messages: Mapping[int, Message]) -> int | None:
        """Its chat; None if there is none."""
        if self.draft is not None:
            return self.draft.chat_id
        message = None if self.message_id is None else messages.get(self.message_id)
        return None if message is None else message.chat_id


class MessageRun:
    def __init__(self, writer: Writer, items: Sequence[MessageWrite], outcomes: list[Any]) -> None:
        self._writer = writer
        self._replicas = writer.replicas
        self._items = items
        self._outcomes = outcomes
        self._by_mark = {item.mark: index for index, item in enumerate(items)}
        self._ask_client_ids = False
        self._behind: set[int] = set()
        self._named: set[int] = set()
        self._ids: deque[int] = deque()
        self._taken: set[str] = set()
        """Uploads that other messages have claimed, or that have ended."""
        self._claims: dict[int, Sequence[str]] = {}
        """The uploads that items have claimed, by place."""

    async def run(self) -> None:
        budget = RetryBudget()
        while pending := [index for index, outcome in enumerate(self._outcomes) if outcome is UNSETTLED]:
            try:
                await self._round(pending)
            except UnknownOutcome as unknown:
                # Some rows may be in, and some may still get in: the log has to be read.
                await budget.again(unknown)
                self._behind |= self._named
            except UnknownKind as unknown:
                await self._fail(unknown, pending)
            else:
                await budget.again()
        if self._claims:
            await self._give_back()

    async def _round(self, pending: Sequence[int]) -> None:
        """Plans the pending items, inserts their rows, and settles the items whose outcome is certain."""
        for chat_id in list(self._behind):
            if not await self._catch_up(await self._replicas.get(chat_id)):
                self._ask_client_ids = True  # if no number was taken, a client_id was
            self._behind.discard(chat_id)
        pending = [index for index in pending if self._outcomes[index] is UNSETTLED]
        plan = await self._prepare([self._items[index] for index in pending])
        planned = [self._planned(self._items[index], plan) for index in pending]
        if not self._ask_client_ids and self._refused_with_client_id(pending, planned):
            # A repeat is answered whatever would refuse it, so first find out whether it is one.
            self._ask_client_ids = True
            return
        for chat_id in self._refused_in(pending, planned, plan) - {row.chat_id for row in plan.rows}:
            if await self._replicas.log.has(chat_id, plan.replicas[chat_id].n + 1):
                self._behind.add(chat_id)
        if self._behind or (plan.uploads_by_id and not await self._claim(pending, planned)):
            return
        done = await self._replicas.write(plan.rows, plan.replicas)
        if len(done) < len(plan.rows):
            self._behind.add(plan.rows[len(done)].chat_id)
        self._settle(pending, planned, plan, done)

    async def _claim(self, pending: Sequence[int], planned: Sequence[object]) -> bool:
        """Claims the uploads of the sends that are planned. Returns False if others have claimed one: what is planned
        has to be planned again."""
        database, taken = self._writer.database, len(self._taken)
        for index, outcome in zip(pending, planned, strict=True):
            item = self._items[index]
            if item.draft is None or not item.draft.attachments or not isinstance(outcome, Row):
                continue
            self._claims[index] = item.draft.attachments
            name, at = upload_documents.name_of(item.draft, item.mark), to_micros(item.draft.created_at)
            claims = (upload_documents.claim(database, one, name, at) for one in item.draft.attachments)
            claimed = zip(item.draft.attachments, await asyncio.gather(*claims), strict=True)
            ours = {upload_id for upload_id, is_ours in claimed if is_ours}
            ended = ours.difference(await upload_documents.named(database, ours))
            for upload_id in ended:  # whose claim was removed with it: this one is new, and of no use
                await upload_documents.give_back(database, upload_id)
            self._taken.update(ended, set(item.draft.attachments) - ours)
        return len(self._taken) == taken

    async def _give_back(self) -> None:
        """Gives back the claims of sends that were refused after all, and those that a repeat has made and its first
        message does not have. A refused send with a `client_id` keeps them: the same send may be under way at another
        node, and then has the claims too."""
        for index, upload_ids in self._claims.items():
            outcome, draft = self._outcomes[index], self._items[index].draft
            free = set(upload_ids) - self._taken
            if isinstance(outcome, Appended):
                free -= {attachment.id for attachment in outcome.message.attachments}
            elif not isinstance(outcome, Refusal) or draft is None or draft.client_id is not None:
                continue
            for upload_id in free:
                await upload_documents.give_back(self._writer.database, upload_id)

    async def _fail(self, unknown: UnknownKind, pending: Sequence[int]) -> None:
        """Settles the items of a chat that this version cannot serve. The next round goes on with the others."""
        self._behind.discard(unknown.chat_id)
        messages = await self._messages(self._message_ids(self._items[index] for index in pending))
        for index in pending:
            if self._outcomes[index] is UNSETTLED and self._items[index].chat_id(messages) == unknown.chat_id:
                self._outcomes[index] = self._writer.unavailable(unknown)

    def _settle(
        self, pending: Sequence[int], planned: Sequence[object], plan: Plan, done: Sequence[Applied]
    ) -> None:
        """Settles the items up to the first whose row is not in. A refusal is final only where it is certain that the
        replica was not behind: a row of the chat got in, or none was planned and the log was asked."""
        certain = {applied.row.chat_id for applied in done}
        uncertain = {row.chat_id for row in plan.rows} - certain
        in_log = iter(done)
        for index, outcome in zip(pending, planned, strict=True):
            if isinstance(outcome, Row):
                applied = next(in_log, None)
                if applied is None:
                    return
                self._outcomes[index] = result_of(applied.change)
            elif self._items[index].chat_id(plan.messages) not in uncertain:
                self._outcomes[index] = outcome

    def _planned(self, item: MessageWrite, plan: Plan) -> object:
        """The row, the result if there is nothing to change, or the refusal."""
        outcome = outcome_of(item.decision, plan)
        if not isinstance(outcome, MessageChange):
            return outcome
        return self._writer.too_new(outcome) or plan.add(outcome, item.mark)

    def _refused_in(self, pending: Sequence[int], planned: Sequence[object], plan: Plan) -> set[int]:
        """The chats of items that were refused or had nothing to change."""
        without_row = (
            self._items[index].chat_id(plan.messages)
            for index, outcome in zip(pending, planned, strict=True)
            if not isinstance(outcome, Row)
        )
        return {chat_id for chat_id in without_row if chat_id is not None}

    def _refused_with_client_id(self, pending: Sequence[int], planned: Sequence[object]) -> bool:
        for index, outcome in zip(pending, planned, strict=True):
            draft = self._items[index].draft
            if draft is not None and draft.client_id is not None and isinstance(outcome, Exception):
                return True
        return False

    async def _catch_up(self, replica: ChatReplica) -> bool:
        """Applies new rows, and settles the items whose rows are among them. False if there were none."""
        new = await self._replicas.catch_up(replica)
        for applied in new:
            index = self._by_mark.get(applied.row.mark)
            if index is not None and self._outcomes[index] is UNSETTLED:
                self._outcomes[index] = result_of(applied.change)
        return bool(new)

    async def _prepare(self, items: Sequence[MessageWrite]) -> Plan:
        drafts = [item.draft for item in items]
        message_ids = self._message_ids(items)
        first_uses: dict[tuple[int, str], Message] = {}
        if self._ask_client_ids:
            keys = [
                (draft.sender_id, draft.client_id)
                for draft in drafts
                if draft is not None and draft.client_id is not None
            ]
            for row in await self._replicas.log.first_uses(keys):
                assert row.message is not None
                assert row.message.client_id is not None
                first_uses[row.message.sender_id, row.message.client_id] = row.message
                self._hint_repeated(row)
                message_ids.add(row.message.id)
        # The replicas before the messages, which are then at least as new; if they are newer, the insert fails.
        chat_ids = {draft.chat_id for draft in drafts if draft is not None}
        replicas = {chat_id: await self._replicas.get(chat_id) for chat_id in chat_ids}
        messages = await self._messages(message_ids)
        item_chats = {item.chat_id(messages) for item in items}
        changed = {chat_id for chat_id in item_chats if chat_id is not None} - replicas.keys()
        if changed:
            replicas |= {chat_id: await self._replicas.get(chat_id) for chat_id in changed}
            messages = await self._messages(message_ids)
        self._named = set(replicas)
        # An id that was in a plan is used up: the plan may have been carried out though its outcome is unknown.
        missing = sum(draft is not None for draft in drafts) - len(self._ids)
        if missing > 0:
            self._ids += await self._writer.ids.take("messages", missing)
        pinned_in = {item.chat_id(messages) for item in items if item.counts_pins}
        pins = {
            chat_id: await pinned_ids(self._writer.database, chat_id, self._replicas.newest_states)
            for chat_id in pinned_in
            if chat_id is not None
        }
        # After the replicas: the username of each of their members is in the database by then.
        contents = [item.content for item in items if "@" in item.content]
        usernames = await self._writer.usernames.find(usernames_in(contents)) if contents else {}
        upload_ids = {one for draft in drafts if draft is not None for one in draft.attachments}
        upload_ids -= self._taken
        uploads = await upload_documents.named(self._writer.database, upload_ids) if upload_ids else {}
        hook_ids = {item.hook_id for item in items if item.hook_id is not None}
        hooks = await self._hooks(hook_ids) if hook_ids else {}
        return Plan(replicas, messages, first_uses, self._ids, pins, usernames, uploads, hooks)

    async def _hooks(self, hook_ids: set[int]) -> Mapping[int, Hook]:
        """Those of the hooks that are there, at least as new as the replicas; if they are newer, the insert fails."""
        await self._replicas.flush()  # rows that are not projected may have changed them
        found = [await hook_documents.get(self._writer.database, hook_id) for hook_id in hook_ids]
        return {hook.id: hook for hook in found if hook is not None}

    def _hint_repeated(self, row: Row) -> None:
        """Names the row of a send that is repeated in a hint, unless its hint is certainly on disk: the node that
        inserted the row may have died before that, and this node is going to ack the row."""
        replica = self._replicas.peek(row.chat_id)
        if replica is None or row.n > replica.saved_n:
            self._replicas.hint([row])

    def _message_ids(self, items: Iterable[MessageWrite]) -> set[int]:
        return {one for item in items if (one := item.message_id) is not None}

    async def _messages(self, message_ids: set[int]) -> dict[int, Message]:
        """Those of the messages that exist, in their newest states: an applied row may not be projected yet, and a row
        that another node projected may not be applied yet."""
        database, applied = self._writer.database, self._replicas.newest_states
        found = await database.get_many(database.messages, [str(one) for one in message_ids])
        messages = {message.id: message for message in map(message_of, found)}
        for message_id in message_ids & applied.keys():
            state = applied[message_id]
            if message_id not in messages or messages[message_id].changed_seq < state.changed_seq:
                messages[message_id] = state
        return messages
