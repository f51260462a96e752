"""Mentions: who is mentioned, as the write finds the members, and how many mentions are unread."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress

import pytest

from domain.models import Message
from domain.refusals import Duplicate, NotFound
from storage.ports import UNREAD_LIMIT
from tests.storage.world import START, World, at


async def people(world: World) -> Sequence[int]:
    return [await world.user(name) for name in ("anna", "boris", "carl")]


async def unread(world: World, chat_id: int, *user_ids: int) -> list[int]:
    """The unread mentions of the users, which summaries, pages of them and previews say alike."""
    preview = await world.store.chats.preview(chat_id, user_ids)
    assert preview is not None
    counts = []
    for user_id in user_ids:
        summary = await world.store.chats.summary(chat_id, user_id)
        chats, _ = await world.store.chats.list_for(user_id, cursor=None, limit=100)
        (listed,) = [one for one in chats if one.chat.id == chat_id]
        assert listed == summary
        counts.append(summary.unread_mentions)
    assert preview.unread_mentions == {
        user_id: count for user_id, count in zip(user_ids, counts, strict=True) if count
    }
    return counts


async def test_a_message_says_whom_it_mentions(world: World) -> None:
    anna, boris, carl = await people(world)
    chat_id = await world.chat(anna, boris, carl)
    await world.user("stranger")
    plain = await world.send(chat_id, anna, "hello")
    named = await world.send(chat_id, anna, "@Carl, @boris. @stranger @nobody @anna")
    of_all = await world.send(chat_id, boris, "@all and @anna")
    assert (plain.mentions, plain.mentions_all) == ((), False)
    assert (named.mentions, named.mentions_all) == ((carl, boris), False)
    assert (of_all.mentions, of_all.mentions_all) == ((anna,), True)
    assert [await world.store.messages.get(one.id) for one in (plain, named, of_all)] == [
        plain,
        named,
        of_all,
    ]
    assert list(await world.everything(chat_id)) == [plain, named, of_all]
    await world.check_published(chat_id)


async def test_unread_mentions_are_counted_until_they_are_read(world: World) -> None:
    anna, boris, carl = await people(world)
    chat_id = await world.chat(anna, boris, carl)
    contents = ["hello", "@boris", "@all", "@boris @carl @all", "@carl", "bye"]
    messages = [await world.send(chat_id, anna, content) for content in contents]
    assert await unread(world, chat_id, anna, boris, carl) == [0, 3, 3]
    own = await world.send(chat_id, boris, "@all @anna")
    assert await unread(world, chat_id, anna, boris, carl) == [1, 3, 4]
    for up_to, expected in ((0, 3), (1, 2), (2, 1), (3, 0), (5, 0)):
        mark = await world.store.messages.mark_read(chat_id, boris, messages[up_to].id)
        assert mark.unread_mentions == expected
        assert await unread(world, chat_id, boris) == [expected]
    mark = await world.store.messages.mark_read(chat_id, anna, own.id)
    assert (mark.unread_count, mark.unread_mentions) == (0, 0)
    mark = await world.store.messages.mark_read(chat_id, carl, None)
    assert (mark.unread_count, mark.unread_mentions, mark.read_seq) == (0, 0, own.seq)
    assert await unread(world, chat_id, anna, boris, carl) == [0, 0, 0]


async def test_an_edit_changes_whom_a_message_mentions(world: World) -> None:
    anna, boris, carl = await people(world)
    chat_id = await world.chat(anna, boris, carl)
    message = await world.send(chat_id, anna, "hello @boris")
    assert await unread(world, chat_id, boris, carl) == [1, 0]
    message = await world.store.messages.edit(message.id, anna, "hello @carl", at(1))
    assert message.mentions == (carl,)
    assert await unread(world, chat_id, boris, carl) == [0, 1]
    message = await world.store.messages.edit(message.id, anna, "hello @all, @carl", at(2))
    assert (message.mentions, message.mentions_all) == ((carl,), True)
    assert await unread(world, chat_id, boris, carl) == [1, 1]
    message = await world.store.messages.edit(message.id, anna, "hello", at(3))
    assert (message.mentions, message.mentions_all) == ((), False)
    assert await unread(world, chat_id, boris, carl) == [0, 0]
    await world.check_published(chat_id)


async def test_what_is_read_is_not_unread_again_by_an_edit(world: World) -> None:
    anna, boris, _ = await people(world)
    chat_id = await world.chat(anna, boris)
    read, later = await world.send(chat_id, anna), await world.send(chat_id, anna)
    await world.store.messages.mark_read(chat_id, boris, read.id)
    await world.store.messages.edit(read.id, anna, "@boris", at(1))
    assert await unread(world, chat_id, boris) == [0]
    await world.store.messages.edit(later.id, anna, "@boris", at(2))
    assert await unread(world, chat_id, boris) == [1]


async def test_a_deletion_takes_the_mentions_along(world: World) -> None:
    anna, boris, carl = await people(world)
    chat_id = await world.chat(anna, boris, carl)
    messages = [await world.send(chat_id, anna, content) for content in ("@boris", "@all @carl")]
    assert await unread(world, chat_id, boris, carl) == [2, 1]
    for message, expected in zip(messages, ([1, 1], [0, 0]), strict=True):
        tombstone = await world.store.messages.delete(message.id, anna, at(1))
        assert (tombstone.mentions, tombstone.mentions_all) == ((), False)
        assert await world.store.messages.get(message.id) == tombstone
        assert await unread(world, chat_id, boris, carl) == expected
    await world.check_published(chat_id)


async def test_members_are_those_of_the_moment(world: World) -> None:
    """Those who come later are not mentioned by what was there; those who leave stay in it."""
    anna, boris, carl = await people(world)
    chat_id = await world.chat(anna, boris)
    before = await world.send(chat_id, anna, "@carl @boris @all")
    assert before.mentions == (boris,)
    await world.store.chats.add_member(chat_id, anna, carl, "member", at(1))
    assert await unread(world, chat_id, boris, carl) == [1, 0]
    after = await world.send(chat_id, anna, "@carl")
    assert after.mentions == (carl,)
    await world.store.chats.remove_member(chat_id, anna, carl, at(2))
    assert await world.store.messages.get(after.id) == after
    assert (await world.send(chat_id, anna, "@carl")).mentions == ()
    await world.store.chats.add_member(chat_id, anna, carl, "member", at(3))
    assert await unread(world, chat_id, carl) == [0]
    assert (await world.send(chat_id, anna, "@carl")).mentions == (carl,)
    assert await unread(world, chat_id, carl) == [1]


async def test_sends_and_members_in_one_batch(world: World) -> None:
    """Each write finds what those before it have left."""
    anna, boris, carl = await people(world)
    chat_id = await world.chat(anna, boris)
    *_, first = await asyncio.gather(
        world.store.chats.add_member(chat_id, anna, carl, "member", at(1)),
        world.send(chat_id, anna, "hello"),
        world.send(chat_id, anna, "@carl"),
    )
    assert first.mentions == (carl,)
    _, second = await asyncio.gather(
        world.store.chats.remove_member(chat_id, anna, carl, at(2)), world.send(chat_id, anna, "@carl")
    )
    assert second.mentions == ()
    edited, third = await asyncio.gather(
        world.store.messages.edit(first.id, anna, "@boris", at(3)), world.send(chat_id, anna, "@boris @all")
    )
    assert (edited.mentions, third.mentions, third.mentions_all) == ((boris,), (boris,), True)
    assert await unread(world, chat_id, boris) == [2]


async def test_the_size_of_a_group_counts_when_all_are_mentioned(world: World) -> None:
    owner, *others = [await world.user(f"member{number:03}") for number in range(101)]
    chat_id = await world.chat(owner, *others[:-1])
    small = await world.send(chat_id, others[0], "@all")
    await world.store.chats.add_member(chat_id, owner, others[-1], "member", at(1))
    large = await world.send(chat_id, others[0], "@all")
    by_owner = await world.send(chat_id, owner, "@all")
    assert [one.mentions_all for one in (small, large, by_owner)] == [True, False, True]
    edited = await world.store.messages.edit(small.id, others[0], "@all!", at(2))
    assert edited.mentions_all is False
    await world.store.chats.remove_member(chat_id, others[-1], others[-1], at(3))
    edited = await world.store.messages.edit(large.id, others[0], "@all!", at(4))
    assert edited.mentions_all is True
    assert await unread(world, chat_id, owner, others[0], others[5]) == [1, 1, 2]


@pytest.mark.parametrize(("chat_type", "expected"), [("channel", True), ("private", False)])
async def test_all_in_other_chats(world: World, chat_type: str, expected: bool) -> None:
    anna, boris, _ = await people(world)
    chat_id = await world.chat(anna, boris, chat_type=chat_type, name=None)  # type: ignore[arg-type]
    message = await world.send(chat_id, anna, "@all @boris")
    assert (message.mentions, message.mentions_all) == ((boris,), expected)
    assert await unread(world, chat_id, boris) == [1]


async def test_the_first_message_of_a_private_chat_mentions_the_other_one(world: World) -> None:
    anna, boris, _ = await people(world)
    chat_id = await world.chat(anna, boris, chat_type="private", name=None)
    assert (await world.send(chat_id, anna, "@boris")).mentions == (boris,)


async def test_a_repeat_mentions_whom_the_first_message_mentions(world: World) -> None:
    anna, boris, carl = await people(world)
    chat_id = await world.chat(anna, boris, carl)
    first = await world.send(chat_id, anna, "@boris", client_id="one")
    assert await world.send(chat_id, anna, "@carl @all", client_id="one") == first
    assert await unread(world, chat_id, boris, carl) == [1, 0]


async def test_fifty_mentions_are_kept(world: World) -> None:
    owner, *others = [await world.user(f"member{number:03}") for number in range(53)]
    chat_id = await world.chat(owner, *others)
    message = await world.send(chat_id, owner, " ".join(f"@member{number:03}" for number in range(53)))
    assert message.mentions == tuple(others[:50])
    assert await world.store.messages.get(message.id) == message
    assert await unread(world, chat_id, *others[48:]) == [1, 1, 0, 0]


async def test_counts_stop_at_the_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert UNREAD_LIMIT == 1000
    for module in ("sqlite.mentions", "mongo.mentions", "unread_counts"):
        monkeypatch.setattr(f"storage.{module}.UNREAD_LIMIT", 10)
    anna, boris, carl = await people(world)
    chat_id = await world.chat(anna, boris, carl)
    await asyncio.gather(*(world.send(chat_id, anna, "@boris") for _ in range(9)))
    assert await unread(world, chat_id, boris, carl) == [9, 0]
    await asyncio.gather(*(world.send(chat_id, anna, "@boris @all") for _ in range(3)))
    assert await unread(world, chat_id, anna, boris, carl) == [0, 10, 3]
    mark = await world.store.messages.mark_read(chat_id, boris, (await world.send(chat_id, anna)).id)
    assert mark.unread_mentions == 0


async def test_counts_of_many_when_the_newest_do_not_tell(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("sqlite", "mongo"):
        monkeypatch.setattr(f"storage.{module}.mentions.LOOK_BACK", 4)
    anna, boris, carl = await people(world)
    chat_id = await world.chat(anna, boris, carl)
    messages = [
        await world.send(chat_id, anna, content) for content in ("@boris", "@boris @carl", "@all", "@carl")
    ]
    for content in ("@carl @boris", "@all", "@carl", "@carl", "@all"):
        messages.append(await world.send(chat_id, anna, content))
    assert await unread(world, chat_id, anna, boris, carl) == [0, 6, 8]
    await world.store.messages.mark_read(chat_id, boris, messages[6].id)
    await world.store.messages.mark_read(chat_id, carl, messages[1].id)
    assert await unread(world, chat_id, anna, boris, carl) == [0, 1, 7]


async def test_a_deleted_chat_has_no_mentions(world: World) -> None:
    anna, boris, _ = await people(world)
    chat_id = await world.chat(anna, boris)
    await world.send(chat_id, anna, "@boris @all")
    await world.store.chats.delete(chat_id, anna)
    assert await world.store.chats.preview(chat_id, [boris]) is None
    again = await world.chat(anna, boris)
    assert await unread(world, again, boris) == [0]


async def test_the_first_admin_is_not_called_all(world: World) -> None:
    """Nor is anybody else, see `test_users.py`."""
    first = {"display_name": "Anna", "email": None, "password_hash": "x", "created_at": START}
    await world.store.users.keep_setup_hash("hash")
    with pytest.raises(Duplicate) as taken:
        await world.store.users.create_first_admin(setup_hash="hash", username="All", **first)
    assert taken.value.field == "username"
    assert await world.store.users.find("all") is None
    admin = await world.store.users.create_first_admin(setup_hash="hash", username="all.", **first)
    assert admin.is_admin


@pytest.mark.long_on_mongo
async def test_counts_are_exact_whatever_happens(world: World) -> None:
    """Sends, edits, deletions and reads in any order, several at a time."""
    rnd = random.Random(7)
    names = ["anna", "boris", "carl"]
    user_ids = await people(world)
    by_name = dict(zip(names, user_ids, strict=True))
    chat_id = await world.chat(*user_ids)
    messages: dict[int, Message] = {}
    marks = dict.fromkeys(user_ids, 0)

    async def act() -> None:
        sender = rnd.choice(user_ids)
        content = " ".join(rnd.sample([*(f"@{name}" for name in names), "@all", "hi"], rnd.randint(1, 3)))
        own = [one for one in messages.values() if one.sender_id == sender and not one.deleted]
        what = rnd.random()
        if what < 0.5 or not own:
            await world.send(chat_id, sender, content)
        elif what < 0.8:
            with suppress(NotFound):  # deleted by another act
                if what < 0.7:
                    await world.store.messages.edit(rnd.choice(own).id, sender, content, at(1))
                else:
                    await world.store.messages.delete(rnd.choice(own).id, sender, at(2))
        else:
            mark = await world.store.messages.mark_read(chat_id, sender, rnd.choice(own).id)
            marks[sender] = max(marks[sender], mark.read_seq)

    for _ in range(20):
        await asyncio.gather(*(act() for _ in range(4)))
        messages = {one.id: one for one in await world.everything(chat_id)}
        expected = [
            sum(
                one.seq > marks[user_id]
                and one.sender_id != user_id
                and (one.mentions_all or user_id in one.mentions)
                for one in messages.values()
            )
            for user_id in user_ids
        ]
        assert await unread(world, chat_id, *user_ids) == expected
    for one in messages.values():
        named = [by_name[word[1:]] for word in one.content.split() if word[1:] in by_name]
        assert one.mentions == tuple(user_id for user_id in named if user_id != one.sender_id)
        assert one.mentions_all == ("@all" in one.content)
    await world.check_published(chat_id)
