"""Chats as one member sees them."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from domain.models import Actor, Chat, ChatPreview, ChatSummary, Member
from domain.private_chats import sees
from domain.refusals import NotFound
from storage import public_pages
from storage.cursor import BEYOND, Cursor
from storage.mongo import history, mentions, own_members
from storage.mongo.database import Database, Document
from storage.mongo.documents import chat_of, member_key, member_of
from storage.mongo.new_kinds import check_kinds, unknown_kind
from storage.sizes import PageBudget, summary_bytes

SUMMARIES_AT_ONCE = 50

_CHATS_AT_ONCE = 200
"""How many chats one query looks through."""


async def summary(database: Database, chat_id: int, user_id: int) -> ChatSummary:
    """See `storage.ports.Chats.summary`."""
    chat, member = await _chat_and_member(database, chat_id, user_id)
    return await _summary(database, chat, member)


async def _chat_and_member(database: Database, chat_id: int, user_id: int) -> tuple[Document, Document]:
    """Raises: `NotFound`; `Unavailable`."""
    chat = await database.get(database.chats, str(chat_id))
    member = await database.get(database.members, member_key(chat_id, user_id))
    if chat is None or chat["deleted"] or member is None or member["gone"]:
        raise NotFound(f"chat {chat_id}")
    check_kinds(chat)
    if await _unseen(database, [chat], {chat_id: member}):
        raise NotFound(f"chat {chat_id}")
    return chat, member


async def has_member(database: Database, chat_id: int, user_id: int) -> bool:
    """See `storage.ports.Chats.has_member`: a change of members is acked once it is projected."""
    member = await database.get(database.members, member_key(chat_id, user_id))
    return member is not None and not member["gone"]


async def actor(database: Database, chat_id: int, user_id: int) -> Actor:
    """See `storage.ports.Chats.actor`: a change of a chat is acked once it is projected."""
    chat, member = await _chat_and_member(database, chat_id, user_id)
    one = member_of(member)
    return Actor(
        user_id, one.role, chat["chat_type"], one.muted_until, one.blocked, chat.get("slow_mode_s", 0)
    )


async def page(
    database: Database,
    user_id: int,
    after: Cursor | None,
    limit: int,
    max_bytes: int | None,
    *,
    hidden: bool = False,
) -> tuple[Sequence[ChatSummary], str | None]:
    """See `storage.ports.Chats.list_for`. The cost grows with the number of the user's chats, not of messages. Leaves
    out chats that only newer nodes serve."""
    start = after or Cursor(BEYOND, BEYOND)
    members = {
        document["chat_id"]: document
        for document in await database.find(database.members, {"user_id": user_id, "gone": False})
    }
    chats = await database.get_many(database.chats, [str(chat_id) for chat_id in members])
    below = [
        chat
        for chat in chats
        if not chat["deleted"]
        and unknown_kind(chat) is None
        and (chat["activity"], chat["id"]) < (start.at, start.id)
    ]
    unseen = await _unseen(database, below, members)
    below = [chat for chat in below if chat["id"] not in unseen]
    below.sort(key=lambda chat: (chat["activity"], chat["id"]), reverse=True)
    wanted = await _first_of(database, below, members, limit + 1, hidden=hidden)
    summaries = await _fitting_summaries(database, wanted[:limit], members, max_bytes)
    if len(wanted) == len(summaries):
        return summaries, None
    last = wanted[len(summaries) - 1]
    return summaries, str(Cursor(last["activity"], last["id"]))


async def _unseen(
    database: Database, chats: Sequence[Document], members: Mapping[int, Document]
) -> Collection[int]:
    """Those of the chats that the member does not see yet. The messages say whether there are any: the chat's own
    document may be behind them."""
    unseen = [
        chat["id"]
        for chat in chats
        if chat["head_seq"] == 0 and not sees(chat_of(chat), member_of(members[chat["id"]]))
    ]
    return set(unseen).difference(await history.with_messages(database, unseen))


async def _first_of(
    database: Database,
    chats: Sequence[Document],
    members: Mapping[int, Document],
    limit: int,
    *,
    hidden: bool,
) -> Sequence[Document]:
    """The first of the chats that the member has hidden, or of all others."""
    found: list[Document] = []
    for start in range(0, len(chats), SUMMARIES_AT_ONCE):
        some = chats[start : start + SUMMARIES_AT_ONCE]
        are_hidden = await asyncio.gather(*(_is_hidden(database, members[chat["id"]]) for chat in some))
        found += [chat for chat, is_hidden in zip(some, are_hidden, strict=True) if is_hidden == hidden]
        if len(found) >= limit:
            break
    return found[:limit]


async def _is_hidden(database: Database, member: Document) -> bool:
    settings = member.get("settings")
    if not settings or settings["hidden_seq"] is None:
        return False
    return not await history.created_since(database, member["chat_id"], settings["hidden_seq"])


async def _fitting_summaries(
    database: Database, chats: Sequence[Document], members: Mapping[int, Document], max_bytes: int | None
) -> Sequence[ChatSummary]:
    """Summaries of the chats up to the first that does not fit, read some at a time, as each holds a message."""
    budget, found = PageBudget(max_bytes), list[ChatSummary]()
    for start in range(0, len(chats), SUMMARIES_AT_ONCE):
        some = chats[start : start + SUMMARIES_AT_ONCE]
        for summary in await asyncio.gather(
            *(_summary(database, chat, members[chat["id"]]) for chat in some)
        ):
            if not budget.takes(summary_bytes(summary)):
                return found
            found.append(summary)
    return found


async def public(
    database: Database, text: str, after_id: int, limit: int
) -> tuple[Sequence[Chat], int | None]:
    """See `storage.ports.Chats.public`. Leaves out chats that only newer nodes serve."""
    wanted = {"is_public": True, "deleted": False, "id": {"$gt": after_id}}
    looked_at = public_pages.to_look_at(text, limit)
    found = await database.find(database.chats, wanted, sort=[("id", 1)], limit=looked_at)
    served = (chat for chat in found if unknown_kind(chat) is None)
    end = public_pages.end_of([chat["id"] for chat in found], looked_at)
    return public_pages.page_of(map(chat_of, served), text, limit, end=end)


async def ids_of(database: Database, user_id: int) -> Sequence[int]:
    """See `storage.ports.Chats.ids_of`."""
    documents = await database.find(database.members, {"user_id": user_id, "gone": False})
    members = {document["chat_id"]: document for document in documents}
    empty = {"_id": {"$in": list(map(str, members))}, "chat_type": "private", "head_seq": 0}
    unseen = await _unseen(database, await database.find(database.chats, empty) if members else (), members)
    return [chat_id for chat_id in members if chat_id not in unseen]


async def preview(database: Database, chat_id: int, user_ids: Collection[int]) -> ChatPreview | None:
    """See `storage.ports.Chats.preview`."""
    keys = [member_key(chat_id, user_id) for user_id in user_ids]
    chat, members, last = await asyncio.gather(
        database.get(database.chats, str(chat_id)),
        database.get_many(database.members, keys),
        history.newest(database, chat_id),
    )
    if chat is None or chat["deleted"]:
        return None
    check_kinds(chat)
    marks = {member["user_id"]: member["read_seq"] for member in members if not member["gone"]}
    unread = await history.unread_counts(database, chat_id, marks)
    mentioned_seq = _mentioned_seq(chat)
    behind = {one: mark for one, mark in marks.items() if unread[one] and mark < mentioned_seq}
    mentioning = await mentions.all_unread_mentions(database, chat_id, behind)
    return ChatPreview(chat["head_seq"], last, unread, marks, mentioning)


def _mentioned_seq(chat: Document) -> int:
    """No message above this number mentions anybody."""
    seq: int = chat.get("mentioned_seq", 0)
    return seq


async def members(
    database: Database, chat_id: int, after: Cursor | None, limit: int
) -> tuple[Sequence[Member], str | None]:
    """See `storage.ports.Chats.members`."""
    wanted: Document = {"chat_id": chat_id, "gone": False}
    if after is not None:
        same_time = {"joined_at": after.at, "user_id": {"$gt": after.id}}
        wanted["$or"] = [{"joined_at": {"$gt": after.at}}, same_time]
    order = [("joined_at", 1), ("user_id", 1)]
    found = await database.find(database.members, wanted, sort=order, limit=limit + 1)
    page = [member_of(document) for document in found[:limit]]
    if len(found) <= limit:
        return page, None
    last = found[limit - 1]
    return page, str(Cursor(last["joined_at"], last["user_id"]))


async def sharing(
    database: Database, user_id: int, among: Collection[int], members_max: int
) -> Collection[int]:
    """See `storage.ports.Chats.sharing`."""
    chat_ids = await ids_of(database, user_id)
    found: set[int] = set()
    for start in range(0, len(chat_ids), _CHATS_AT_ONCE):
        keys = [str(chat_id) for chat_id in chat_ids[start : start + _CHATS_AT_ONCE]]
        small = {"_id": {"$in": keys}, "deleted": False, "member_count": {"$lte": members_max}}
        chats = await database.find(database.chats, small, fields=["id", "chat_type", "head_seq"])
        inside = {
            "chat_id": {"$in": await _seen_by_all(database, chats)},
            "gone": False,
            "user_id": {"$in": list(among)},
        }
        stages: list[Document] = [{"$match": inside}, {"$group": {"_id": "$user_id"}}]
        users = await database.with_retry(
            lambda stages=stages: database.members.aggregate(stages).to_list(None)  # type: ignore[misc]
        )
        found.update(one["_id"] for one in users)
    return found


async def _seen_by_all(database: Database, chats: Sequence[Document]) -> Sequence[int]:
    """The chats but for private ones that only one of the two members sees."""
    empty = [chat["id"] for chat in chats if chat["chat_type"] == "private" and chat["head_seq"] == 0]
    if empty:
        both = {"chat_id": {"$in": empty}, "opened": True}
        opened = await database.find(database.members, both, fields=["chat_id"])
        written = await history.with_messages(database, empty)
        empty = list(set(empty).difference((one["chat_id"] for one in opened), written))
    return [chat["id"] for chat in chats if chat["id"] not in empty]


async def _summary(database: Database, chat: Document, member: Document) -> ChatSummary:
    mark = chat["id"], member["user_id"], member["read_seq"]
    unread, last, own = await asyncio.gather(
        history.unread_count(database, *mark),
        history.newest(database, chat["id"]),
        own_members.of_document(database, member),
    )
    mentioned = unread and member["read_seq"] < _mentioned_seq(chat)
    mentioning = await mentions.unread_mentions(database, *mark) if mentioned else 0
    return ChatSummary(chat_of(chat), own, unread, last, mentioning)
