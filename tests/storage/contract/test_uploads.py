"""Uploads: the quota, what messages take, and what is to be deleted."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.acts import AccountUpdate
from domain.changes import MessageDeleted
from domain.file_changes import FilesRemoved
from domain.files import UploadTotals
from domain.refusals import BadContent, BadReference, Forbidden, NotFound, OverQuota
from domain.search import parse
from storage.ports import Store
from storage.search import SearchRequest
from tests.storage.conftest import Place
from tests.storage.kept import clean, picture, queue, read, traces, upload
from tests.storage.world import World, at

pytestmark = pytest.mark.long_on_mongo


def freed(world: World) -> list[str]:
    """What was published as removed, and forgets it."""
    found = [one for change in world.published if isinstance(change, FilesRemoved) for one in change.file_ids]
    world.published.clear()
    return found


async def removed(store: Store, world: World, *file_ids: str) -> None:
    """These files, and no others, come into the queue; their deletion is heard of."""
    for _ in range(200):
        if set(file_ids) <= await queue(store):
            break
        await asyncio.sleep(0.05)
    assert await queue(store) == set(file_ids)
    await asyncio.sleep(0)
    assert sorted(freed(world)) == sorted(file_ids)


async def test_an_upload_is_what_was_added(place: Place) -> None:
    store = await place.open()
    anna = await World(store).user()
    one = await upload(store, anna, "one")
    two = await picture(store, anna, "two", name="a\u0301 & “b”.png", content=b"x" * 2000)
    await store.close()
    store = await place.open()
    assert await store.uploads.get("one") == one
    assert await store.uploads.get("two") == two
    assert await store.uploads.get("two.t") is None
    assert await store.uploads.get("unknown") is None
    assert await store.uploads.used_bytes(anna) == 2005
    assert await store.uploads.used_bytes(anna + 1) == 0
    assert await store.uploads.totals() == UploadTotals(2, 2005)
    assert await store.uploads.largest(10) == [two, one]
    assert await store.uploads.largest(1) == [two]
    await store.close()


async def test_nothing_is_there_at_first(store: Store) -> None:
    assert await store.uploads.totals() == UploadTotals(0, 0)
    assert await store.uploads.largest(10) == []
    assert await queue(store) == set()


@pytest.mark.parametrize("state", [AccountUpdate(banned=True), AccountUpdate(deleted=True), None])
async def test_only_active_users_upload(store: Store, world: World, state: AccountUpdate | None) -> None:
    user_id = await world.user()
    if state is None:
        user_id += 1000
    else:
        await store.users.update(user_id, state)
    with pytest.raises(NotFound):
        await upload(store, user_id, "one")
    assert await store.uploads.get("one") is None
    assert await store.uploads.totals() == UploadTotals(0, 0)
    assert await store.uploads.known(["one"]) == set()


async def test_the_quota(store: Store, world: World) -> None:
    anna, boris = await world.users(2)
    await upload(store, anna, "a", content=b"x" * 60, quota_bytes=100)
    with pytest.raises(OverQuota) as refused:
        await upload(store, anna, "b", content=b"x" * 41, quota_bytes=100)
    assert (refused.value.used_bytes, refused.value.quota_bytes) == (60, 100)
    assert await store.uploads.get("b") is None
    await upload(store, anna, "c", content=b"x" * 40, quota_bytes=100)
    with pytest.raises(OverQuota):
        await upload(store, anna, "d", content=b"x", quota_bytes=100)
    await upload(store, boris, "e", content=b"x" * 100, quota_bytes=100)
    await upload(store, anna, "f", content=b"x" * 1000, quota_bytes=0)
    assert await store.uploads.used_bytes(anna) == 1100
    await store.uploads.discard(["a", "f"])
    assert await store.uploads.used_bytes(anna) == 40
    await upload(store, anna, "g", content=b"x" * 60, quota_bytes=100)


async def test_the_quota_is_exact_under_races(store: Store, world: World) -> None:
    anna = await world.user()

    async def one(number: int) -> bool:
        try:
            await upload(store, anna, f"file{number}", content=b"x" * 10, quota_bytes=75)
        except OverQuota:
            return False
        return True

    succeeded = await asyncio.gather(*map(one, range(12)))
    assert sum(succeeded) == 7
    assert await store.uploads.used_bytes(anna) == 70
    assert (await store.uploads.totals()).count == 7


async def test_a_message_takes_uploads(place: Place) -> None:
    store = await place.open()
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    one, two = await picture(store, anna, "one"), await upload(store, anna, "two")
    sent = await world.send(chat_id, anna, "", attachments=["two", "one"])
    assert sent.attachments == (two.attachment(), one.attachment())
    assert (sent.content, sent.message_type) == ("", "file")
    assert await store.uploads.get("one") == replace(one, message_id=sent.id)
    plain = await world.send(chat_id, anna)
    assert (plain.attachments, plain.message_type) == ((), "text")
    await world.check_published(chat_id)
    await store.close()
    store = await place.open()
    assert await World(store).everything(chat_id) == [sent, plain]
    assert (await store.chats.summary(chat_id, anna)).last_message == plain
    assert await store.uploads.get("two") == replace(two, message_id=sent.id)
    assert await queue(store) == set()
    await store.close()


async def test_only_pictures_make_an_image(store: Store, world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    await picture(store, anna, "a")
    await picture(store, anna, "b", content_type="image/webp")
    sent = await world.send(chat_id, anna, "look", attachments=["a", "b"])
    assert (sent.content, sent.message_type) == ("look", "image")
    await picture(store, anna, "broken", width=None, height=None)
    assert (await world.send(chat_id, anna, attachments=["broken"])).message_type == "file"


async def test_what_cannot_be_attached(store: Store, world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await upload(store, anna, "mine")
    await upload(store, boris, "theirs")
    await upload(store, anna, "used")
    await world.send(chat_id, anna, attachments=["used"])
    many = [f"file{number}" for number in range(11)]
    for upload_id in many:
        await upload(store, anna, upload_id)
    for wrong in (["unknown"], ["theirs"], ["used"], ["mine", "mine"], ["mine", "used"], many):
        with pytest.raises(BadReference) as refused:
            await world.send(chat_id, anna, attachments=wrong)
        assert refused.value.field == "attachments"
    assert (await world.send(chat_id, anna, attachments=["mine"])).seq == 2
    assert (await world.send(chat_id, anna, attachments=many[:10])).seq == 3


async def test_a_refused_send_takes_nothing(store: Store, world: World) -> None:
    anna, boris = await world.users(2)
    channel_id = await world.chat(anna, boris, chat_type="channel")
    group_id = await world.chat(anna, boris)
    await upload(store, boris, "one")
    with pytest.raises(Forbidden):
        await world.send(channel_id, boris, attachments=["one"])
    assert (await world.send(group_id, boris, attachments=["one"])).attachments


async def test_one_of_many_sends_gets_an_upload(store: Store, world: World) -> None:
    anna = await world.user()
    chat_ids = [await world.chat(anna) for _ in range(3)]
    await upload(store, anna, "one")
    await upload(store, anna, "two")
    outcomes = await asyncio.gather(
        *(
            world.send(chat_id, anna, str(number), attachments=attachments)
            for number, attachments in enumerate((["one"], ["two", "one"], ["two"]))
            for chat_id in chat_ids
        ),
        return_exceptions=True,
    )
    taken: list[str] = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            assert isinstance(outcome, BadReference)
        else:
            taken += [attachment.id for attachment in outcome.attachments]
    assert len(taken) == len(set(taken))
    assert "one" in taken


async def test_a_repeat_is_answered_before_its_uploads_are_looked_at(store: Store, world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    await upload(store, anna, "one")
    sent = await world.send(chat_id, anna, attachments=["one"], client_id="x")
    for attachments in (["one"], ["unknown"], []):
        assert await world.send(chat_id, anna, attachments=attachments, client_id="x") == sent
    await store.messages.delete(sent.id, anna, at(1))
    with pytest.raises(NotFound):
        await world.send(chat_id, anna, attachments=["one"], client_id="x")


async def test_a_repeat_with_other_uploads_takes_none(store: Store, world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    for upload_id in ("first", "other", "third"):
        await picture(store, anna, upload_id)
    sent = await world.send(chat_id, anna, attachments=["first"], client_id="x")
    assert await world.send(chat_id, anna, attachments=["other", "third"], client_id="x") == sent
    assert (await world.send(chat_id, anna, attachments=["other"])).seq == 2
    await store.uploads.discard(["third"])
    assert await queue(store) == {"third", "third.t"}
    assert await store.uploads.used_bytes(anna) == 10


async def test_repeats_at_the_same_time(store: Store, world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    await upload(store, anna, "one")
    sends = [world.send(chat_id, anna, attachments=["one"], client_id="x") for _ in range(5)]
    sent, *repeats = await asyncio.gather(*sends)
    assert repeats == [sent] * 4
    assert sent.attachments


async def test_an_edit_keeps_attachments(store: Store, world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    await upload(store, anna, "one")
    sent = await world.send(chat_id, anna, "look", attachments=["one"])
    edited = await store.messages.edit(sent.id, anna, "", at(1), content_fault="empty")
    assert (edited.content, edited.attachments) == ("", sent.attachments)
    assert await store.messages.get(sent.id) == edited
    plain = await world.send(chat_id, anna)
    with pytest.raises(BadContent):
        await store.messages.edit(plain.id, anna, "", at(1), content_fault="empty")
    assert await queue(store) == set()
    await world.check_published(chat_id)


async def test_a_deletion_takes_files_away(store: Store, world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    await picture(store, anna, "one")
    await upload(store, anna, "two")
    await upload(store, anna, "other")
    sent = await world.send(chat_id, anna, attachments=["one", "two"])
    freed(world)
    tombstone = await store.messages.delete(sent.id, anna, at(1))
    assert tombstone.attachments == ()
    (deletion,) = [change for change in world.published if isinstance(change, MessageDeleted)]
    assert list(deletion.file_ids) == ["one", "one.t", "two"]
    await removed(store, world, "one", "one.t", "two")
    for upload_id in ("one", "two"):
        assert await store.uploads.get(upload_id) is None
    assert await store.uploads.known(["one", "one.t", "two", "other"]) == {"other"}
    assert await store.uploads.used_bytes(anna) == 5
    await store.uploads.removed(["one", "two", "unknown"])
    assert await queue(store) == {"one.t"}
    with pytest.raises(BadReference):
        await world.send(chat_id, anna, attachments=["one"])


async def test_a_deleted_chat_takes_files_away(store: Store, world: World) -> None:
    anna, boris = await world.users(2)
    chat_id, other_id = await world.chat(anna, boris), await world.chat(anna)
    await picture(store, anna, "one")
    await upload(store, boris, "two")
    await upload(store, anna, "other")
    await world.send(chat_id, anna, attachments=["one"])
    await world.send(chat_id, boris, attachments=["two"])
    kept = await world.send(other_id, anna, attachments=["other"])
    await store.chats.set_avatar(chat_id, anna, "avatar", at(1))
    freed(world)
    await store.chats.delete(chat_id, anna)
    await removed(store, world, "one", "one.t", "two", "avatar")
    assert await store.uploads.used_bytes(anna) == 5
    assert await store.uploads.used_bytes(boris) == 0
    assert await store.uploads.known(["one", "two", "other", "avatar"]) == {"other"}
    assert (await store.uploads.get("other")) == replace(
        await store.uploads.get("other"),  # type: ignore[type-var]
        message_id=kept.id,
    )


async def test_the_uploads_of_a_deleted_chat_are_gone_at_once(
    store: Store, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links do not reach them either, however long it takes to remove them."""
    anna = await world.user()
    chat_id, other_id = await world.chat(anna), await world.chat(anna)
    for upload_id in ("one", "other"):
        await upload(store, anna, upload_id)
    await world.send(chat_id, anna, attachments=["one"])
    await world.send(other_id, anna, attachments=["other"])
    monkeypatch.setattr(store._remover, "start", lambda: None)  # type: ignore[attr-defined]
    await store.chats.delete(chat_id, anna)
    assert await store.uploads.get("one") is None
    assert await store.uploads.get("other") is not None


async def test_the_end_of_an_account_leaves_what_was_sent(store: Store, world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await upload(store, boris, "sent")
    await picture(store, boris, "waiting")
    await upload(store, anna, "other")
    await world.send(chat_id, boris, attachments=["sent"])
    await store.users.set_avatar(boris, "avatar")
    freed(world)
    await store.users.set_banned(boris, True)
    assert await queue(store) == set()
    await store.users.delete(boris)
    await removed(store, world, "waiting", "waiting.t", "avatar")
    assert await store.uploads.used_bytes(boris) == 5
    ended = await store.users.get(boris)
    assert ended is not None
    assert ended.avatar_id is None
    assert await store.uploads.known(["sent", "waiting", "avatar", "other"]) == {"sent", "other"}


async def test_what_no_message_has_expires(store: Store, world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    for number in range(5):
        await picture(store, anna, f"file{number}", created_at=at(number))
    await world.send(chat_id, anna, attachments=["file1"])
    assert await store.uploads.expire(at(0), 10) == 0
    assert await store.uploads.expire(at(3.5), 2) == 2
    assert await store.uploads.expire(at(3.5), 2) == 1
    assert await store.uploads.expire(at(3.5), 2) == 0
    gone = [f"file{number}{end}" for number in (0, 2, 3) for end in ("", ".t")]
    await removed(store, world, *gone)
    assert await store.uploads.used_bytes(anna) == 10
    for upload_id in ("file0", "file3"):
        with pytest.raises(BadReference):
            await world.send(chat_id, anna, attachments=[upload_id])
    assert (await world.send(chat_id, anna, attachments=["file4"])).seq == 2


async def test_discarding(store: Store, world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    await picture(store, anna, "one")
    await upload(store, anna, "two")
    await upload(store, anna, "sent")
    await world.send(chat_id, anna, attachments=["sent"])
    await store.uploads.discard([])
    await store.uploads.discard(["one", "sent", "unknown"])
    await removed(store, world, "one", "one.t")
    assert (await store.uploads.totals()).count == 2
    with pytest.raises(BadReference):
        await world.send(chat_id, anna, attachments=["one"])


async def test_cleaning_leaves_what_somebody_has(store: Store, world: World) -> None:
    """Whatever is left over goes; what messages and people have stays."""
    anna = await world.user()
    chat_id = await world.chat(anna)
    await picture(store, anna, "sent")
    await picture(store, anna, "deleted")
    await picture(store, anna, "waiting")
    for file_id in ("avatar", "logo", "lost", "lost.t"):
        writing = await store.files.begin()
        await writing.write(b"bytes")
        await writing.keep(file_id)
    await store.users.set_avatar(anna, "avatar")
    await store.chats.set_avatar(chat_id, anna, "logo", at(1))
    sent = await world.send(chat_id, anna, attachments=["sent"])
    deleted = await world.send(chat_id, anna, attachments=["deleted"])
    await store.messages.delete(deleted.id, anna, at(1))
    await clean(store)
    for file_id in ("sent", "sent.t", "avatar", "logo"):
        assert await read(store.files, file_id)
    kept = await traces(store)
    await store.messages.delete(sent.id, anna, at(2))
    await store.users.set_avatar(anna, None)
    await store.chats.set_avatar(chat_id, anna, None, at(2))
    await clean(store)
    assert kept >= 4
    assert await traces(store) == 0
    assert await store.uploads.used_bytes(anna) == 0
    assert await store.uploads.totals() == UploadTotals(0, 0)


async def test_file_names_are_searched_until_they_are_deleted(store: Store, world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    await upload(store, anna, "one", name="Quarterly figures.ods")
    sent = await world.send(chat_id, anna, "", attachments=["one"])
    plain = await world.send(chat_id, anna, "figures of speech")

    async def find(text: str, **more: str) -> Sequence[int]:
        found, _ = await store.search.messages(anna, SearchRequest(parse(text, **more), 10))  # type: ignore[arg-type]
        return [message.id for message in found]

    assert await find("quarterly") == [sent.id]
    assert await find("figures") == [plain.id, sent.id]
    assert await find("", has="file") == [sent.id]
    await store.messages.delete(sent.id, anna, at(1))
    assert await find("quarterly") == []
    assert await find("", has="file") == []
