"""A database in use, and everything of it that users see."""

from dataclasses import replace
from typing import Any

import pytest

from domain.models import Message, Version
from domain.refusals import OverQuota
from storage.ports import Store
from tests.storage.kept import picture, queue, upload
from tests.storage.world import World, at

LIMIT = 100


async def fill(store: Store) -> None:
    """Users of each kind, sessions, private chats, groups and channels, messages in each state, and read marks."""
    world = World(store)
    anna, boris, carl = await world.users(3)
    await world.user("bot", is_bot=True)
    banned, gone = await world.user("banned"), await world.user("gone", email="gone@x.y")
    await store.users.seen(boris, at(5))
    for number, session_id in enumerate(("open", "ended"), 1):
        await store.sessions.create(
            session_id=session_id,
            user_id=anna,
            token_hash=f"t{number}",
            expires_at=at(1000),
            created_at=at(1),
        )
    await store.sessions.revoke("ended")
    await store.sessions.rotate("t1", new_hash="t3", expires_at=at(2000), now=at(2), grace_s=30)
    talk = await world.chat(anna, boris, chat_type="private", name=None)
    await world.send(talk, anna, "hello")
    lobby = await world.chat(anna, boris, banned, gone, name="Lobby")
    channel = await world.chat(carl, anna, chat_type="channel", name="News")
    await world.chat(anna, carl, chat_type="private", name=None)  # an empty one
    await world.chat(boris, name="Empty")
    sent = [
        await world.send(lobby, one, f"m{one}", client_id=f"c{one}") for one in (anna, boris, banned, gone)
    ]
    await world.send(lobby, anna, "answer", reply_to=sent[0].id)
    await world.send(channel, carl, "news")
    await store.messages.edit(sent[0].id, anna, "edited", at(3))
    await store.messages.edit(sent[0].id, anna, "edited twice", at(4))
    await store.messages.delete(sent[1].id, boris, at(5))
    await store.messages.mark_read(lobby, boris, sent[0].id)
    await store.messages.mark_read(talk, boris, None)
    await store.chats.add_member(lobby, anna, carl, "admin", at(6))
    await store.users.set_banned(banned, True)
    await store.users.delete(gone)


async def everything(store: Store) -> dict[str, Any]:
    """What users see: accounts, sessions, lists of chats with unread counts, members with marks, messages."""
    users = await store.users.get_many(range(1, LIMIT))
    chat_ids = sorted({chat_id for user_id in users for chat_id in await store.chats.ids_of(user_id)})
    return {
        "users": sorted(users.values(), key=lambda user: user.id),
        "sessions": [await store.sessions.get(one) for one in ("open", "ended")],
        "lists": {one: await store.chats.list_for(one, cursor=None, limit=LIMIT) for one in users},
        "chats": [await store.chats.load(chat_id) for chat_id in chat_ids],
        "members": [await store.chats.members(one, cursor=None, limit=LIMIT) for one in chat_ids],
        "changed": [await store.messages.changed_since(one, 0, limit=LIMIT) for one in chat_ids],
        "history": [await store.messages.history(one, limit=LIMIT) for one in chat_ids],
        "versions": [await store.messages.versions(one) for one in range(1, LIMIT)],
    }


async def check_goes_on(store: Store) -> None:
    """Tokens and members of before can go on: a refresh, a message, a repeated one, a new member, edits and mentions of
    old messages, a reaction, a pin."""
    world = World(store)
    session = await store.sessions.rotate("t3", new_hash="t4", expires_at=at(3000), now=at(9), grace_s=30)
    anna = session.user_id
    for chat_id in await store.chats.ids_of(anna):
        summary = await store.chats.summary(chat_id, anna)
        if summary.chat.chat_type != "group":
            continue
        sent: Message = await world.send(chat_id, anna, "goes on")
        assert sent.seq == summary.chat.head_seq + 1
        again = await world.send(chat_id, anna, f"m{anna}", client_id=f"c{anna}")
        assert again.seq == 1
        await store.chats.add_member(chat_id, anna, await world.user("new"), "member", at(10))
        before = await store.messages.versions(again.id)
        assert before is not None
        edited = await store.messages.edit(again.id, anna, "@user3 @NEW", at(11))
        (carl,) = await store.users.search("user3", after_id=0, limit=2)
        assert await store.messages.versions(again.id) == [*before, Version("@user3 @NEW", at(11))]
        assert edited.mentions[0] == carl.id
        assert len(edited.mentions) == 2
        await world.send(chat_id, anna, "@user3")
        assert (await store.chats.summary(chat_id, carl.id)).unread_mentions == 1
        await _mark_all(world, chat_id, anna)
        await _send_files(world, chat_id, anna)


async def _send_files(world: World, chat_id: int, user_id: int) -> None:
    """Users of before send files, and have avatars, as chats do."""
    store = world.store
    one = await picture(store, user_id, "one", quota_bytes=10)
    sent = await world.send(chat_id, user_id, "", attachments=["one"])
    assert sent.attachments == (one.attachment(),)
    assert await store.messages.get(sent.id) == sent
    assert await store.uploads.used_bytes(user_id) == 5
    with pytest.raises(OverQuota):
        await upload(store, user_id, "two", quota_bytes=9)
    assert (await store.users.set_avatar(user_id, "me")).avatar_id == "me"
    assert (await store.chats.set_avatar(chat_id, user_id, "us", at(13))).avatar_id == "us"
    await store.messages.delete(sent.id, user_id, at(14))
    assert await queue(store) == {"one", "one.t"}


async def _mark_all(world: World, chat_id: int, user_id: int) -> None:
    """Every message of before can be reacted to and pinned; nothing was so before."""
    messages = world.store.messages
    old = (await messages.history(chat_id, limit=LIMIT)).messages
    assert await messages.pins(chat_id, limit=LIMIT) == ([], False)
    for message in old:
        assert (message.reactions, message.pinned) == (None, False)
        await messages.add_reaction(message.id, user_id, "👍", at(11))
        await messages.pin(message.id, user_id, at(12))
    pins, _ = await messages.pins(chat_id, limit=LIMIT)
    assert [(one.id, one.reactions) for one in pins] == [(one.id, {"👍": [user_id]}) for one in reversed(old)]
    assert [replace(one, reactions=None, pinned_seq=0, changed_seq=0) for one in pins[::-1]] == [
        replace(one, changed_seq=0) for one in old
    ]
