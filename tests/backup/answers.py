"""What a store answers to those who use it: two stores with the same answers hold the same."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import Any

from domain.models import Message
from domain.refusals import Refusal
from domain.search import parse
from storage.ports import Store
from storage.search import SearchRequest
from tests.storage.old_chats import LIMIT, everything
from tests.storage.world import at

NOW = at(10_000)

WORDS = ("message", "twice", "second", "lie", "just", "photo", "Hall", "deleted", "m1", "edited", "news")


async def answers(store: Store) -> dict[str, Any]:
    """All that a store which has few accounts and chats says of them, but for sessions of people."""
    found = await everything(store)
    del found["sessions"]
    found["users"] = [replace(user, presence_n=0) for user in found["users"]]  # which only nodes compare
    users = [user.id for user in found["users"]]
    chats = [state.chat.id for state in found["chats"]]
    found |= await _of_users(store, users) | await _of_chats(store, chats, users) | await _of_server(store)
    found["uploads"] = [await store.uploads.get(one) for one in sorted(_upload_ids(found["changed"]))]
    found["files"] = {one: await _bytes(store, one) for one in sorted(_file_ids(found))}
    return found


async def _of_users(store: Store, users: Sequence[int]) -> dict[str, Any]:
    return {
        "hidden": {
            one: await store.chats.list_for(one, cursor=None, limit=LIMIT, hidden=True) for one in users
        },
        "bots": {one: await store.bots.of_owner(one) for one in users},
        "bot tokens": {
            bot.id: await store.sessions.of_user(bot.id, now=NOW, limit=LIMIT)
            for bot in await store.bots.page(after_id=0, limit=LIMIT)
        },
        "used": {one: await store.uploads.used_bytes(one) for one in users},
        "blocked": {one: await store.blocks.blocked_by(one, after_id=0, limit=LIMIT) for one in users},
        "found": {
            (one, word): (await store.search.messages(one, SearchRequest(parse(word), LIMIT)))[0]
            for one in users
            for word in WORDS
        },
    }


async def _of_chats(store: Store, chats: Sequence[int], users: Sequence[int]) -> dict[str, Any]:
    heads = {chat_id: (await _head(store, chat_id)) for chat_id in chats}
    return {
        "replays": {
            (chat_id, seq): await store.messages.changed_since(chat_id, seq, limit=LIMIT)
            for chat_id, head in heads.items()
            for seq in range(head + 1)
        },
        "around": {
            (chat_id, seq): await store.messages.history(chat_id, limit=3, around_seq=seq)
            for chat_id, head in heads.items()
            for seq in range(1, head + 1)
        },
        "pins": {one: await store.messages.pins(one, limit=LIMIT) for one in chats},
        "bans": {one: await store.moderation.bans(one, cursor=None, limit=LIMIT) for one in chats},
        "audit": {one: await _audit(store, one) for one in chats},
        "preview": {one: await store.chats.preview(one, users) for one in chats},
        "invites": {
            (one, user): await _or_refusal(store.invites.of_chat(one, user, NOW))
            for one in chats
            for user in users
        },
        "hooks": {
            (one, user): await _or_refusal(store.hooks.of_chat(one, user)) for one in chats for user in users
        },
        "settings": {(one, user): await store.chats.member(one, user) for one in chats for user in users},
        "actors": {
            (one, user): await _or_refusal(store.chats.actor(one, user)) for one in chats for user in users
        },
    }


async def _of_server(store: Store) -> dict[str, Any]:
    admin = await store.users.admin()
    counts = await store.counts()
    return {
        "admin": admin and admin.id,
        "audit of the server": await _audit(store, None),
        "invites of the server": await store.invites.of_server(NOW),
        "outgoing": await store.hooks.outgoing(limit=LIMIT),
        "public": await store.chats.public("", after_id=0, limit=LIMIT),
        "default": await store.chats.default_id(),
        "people": [user.id for user in await store.users.search_all("", after_id=0, limit=LIMIT)],
        "all bots": await store.bots.page(after_id=0, limit=LIMIT),
        "totals": await store.uploads.totals(),
        "largest": {upload.id for upload in await store.uploads.largest(LIMIT)},
        "counts": (counts.users, counts.chats, counts.messages),
    }


async def _head(store: Store, chat_id: int) -> int:
    state = await store.chats.load(chat_id)
    assert state is not None
    return state.chat.head_seq


async def _audit(store: Store, chat_id: int | None) -> Sequence[Any]:
    """Without ids: stores number entries in their own way."""
    entries, following = await store.audit.page(chat_id, cursor=None, limit=LIMIT)
    assert following is None
    return [replace(entry, id=0) for entry in entries]


def _upload_ids(changed: Sequence[Sequence[Message]]) -> set[str]:
    return {one.id for messages in changed for message in messages for one in message.attachments}


def _file_ids(found: dict[str, Any]) -> set[str]:
    ids = {user.avatar_id for user in found["users"]} | {state.chat.avatar_id for state in found["chats"]}
    for messages in found["changed"]:
        for message in messages:
            for one in message.attachments:
                ids |= {one.id, f"{one.id}.t"} if one.has_thumbnail else {one.id}
    return ids - {None} | found["largest"]


async def _bytes(store: Store, file_id: str) -> bytes:
    return b"".join([piece async for piece in store.files.read(file_id)])


async def _or_refusal(asked: Awaitable[Any]) -> Any:
    try:
        return await asked
    except Refusal as refusal:
        return type(refusal).__name__
