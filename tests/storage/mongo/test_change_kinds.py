"""A kind of change that only its class and its event declare goes all the way: into the log and back, to the room in
order, and into replays. A kind that is not declared stops its chat, and no other."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from domain.changes import (
    Change,
    ChatRenamed,
    MessageChange,
    MessageDeleted,
    MessageEdited,
    UndeclaredChange,
)
from domain.models import Chat, Member, Message
from domain.refusals import BadReference, ClientIdTaken
from handlers.chat_app import ChatApp
from handlers.context import Caller
from handlers.live.passwords import Passwords
from handlers.live.tokens import Tokens
from handlers.policy import Policy
from handlers.wire.errors import ChatError
from handlers.wire.events import Event, room_event
from handlers.wire.file_links import FileLinks
from storage.errors import Unavailable
from storage.mongo import MongoStore
from storage.mongo.chat_projection import _PROJECTIONS, no_projection
from storage.mongo.chat_replica import _EFFECTS, no_effect
from storage.mongo.chat_writes import ChatWrite
from storage.mongo.database import Document
from storage.mongo.log import Row
from storage.mongo.row_codecs import UnknownKind, change_of, check_codecs, row_of
from storage.results import _RESULTS
from storage.times import to_micros
from tests.clients.clock import ManualClock
from tests.handlers.scene import RecordingHub
from tests.kinds import declared_kinds
from tests.storage.conftest import MongoPlace
from tests.storage.mongo.throwaway import declare_reacted, react
from tests.storage.world import START, World, at, draft

MESSAGE = Message(1, 2, 3, 4, "text", 5, START)
CHAT = Chat(2, "Room", "group", START, 5, 4, 1)


@pytest.fixture
def reacted() -> Iterator[type[MessageChange]]:
    """The throw-away kind: a class, and an event."""
    with declared_kinds() as declare:
        kind = declare_reacted(declare)

        @room_event(kind)
        def throwaway_reacted(change: Any, _at: datetime, _links: FileLinks) -> Event:
            return cast(Event, ("throwaway_reacted", _payload(change)))

        yield kind


def _payload(change: Any) -> dict[str, Any]:
    message = change.message
    return {"chat_id": message.chat_id, "message_id": message.id, "seq": message.changed_seq}


def current() -> Chat:
    return CHAT


def test_the_row_of_a_kind_is_made_of_its_fields(reacted: Any) -> None:
    change = reacted(MESSAGE, 7, "+1")
    row = row_of(change, 2, 9, 4, "mark")
    assert row == Row(
        2, 9, 4, "throwaway_reacted", "mark", MESSAGE, {"fields": {"user_id": 7, "emoji": "+1"}}
    )
    assert change_of(row, current) == change
    older = replace(row, data={"fields": {"user_id": 7}})
    assert change_of(older, current) == reacted(MESSAGE, 7)


def test_the_rows_of_messages_have_no_other_data() -> None:
    for kind in ("sent", "edited"):
        change = change_of(Row(2, 9, 4, kind, "mark", MESSAGE), current)
        assert row_of(change, 2, 9, 4, "mark") == Row(2, 9, 4, kind, "mark", MESSAGE)


def test_the_row_of_a_deletion_says_who_deleted_the_message_and_when() -> None:
    change = MessageDeleted(MESSAGE, 7, START)
    row = row_of(change, 2, 9, 4, "mark")
    assert row.data == {"fields": {"actor_id": 7, "at": to_micros(START), "file_ids": ()}}
    for stored, who_and_when in (
        (row, (7, START)),
        (replace(row, data=None), (None, None)),  # of a version that did not say it
        (replace(row, data={}), (None, None)),  # scrubbed
    ):
        read = change_of(stored, current)
        assert isinstance(read, MessageDeleted)
        assert (read.actor_id, read.at) == who_and_when


UNKNOWN = ["throwaway_reacted", "read", "user_changed", "sessions_revoked"]
"""A kind that is not declared, and those of which this version writes no rows."""


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_row_of_an_unknown_kind_is_no_change(name: str) -> None:
    with pytest.raises(UnknownKind, match=f"'{name}'"):
        change_of(Row(2, 9, 4, name, "mark", MESSAGE), current)


def test_a_kind_that_rows_cannot_hold_fails_at_start() -> None:
    check_codecs()
    with declared_kinds() as declare:

        @declare("throwaway_tagged")
        class MessageTagged(MessageChange):
            by: Member

        with pytest.raises(UndeclaredChange, match=r"'throwaway_tagged' \(MessageTagged\) has a field 'by'"):
            check_codecs()
    check_codecs()


async def test_a_kind_goes_through_the_log_and_back(mongo_place: MongoPlace, reacted: Any) -> None:
    store = await mongo_place.open()
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    message, *_ = await asyncio.gather(*(world.send(chat_id, anna) for _ in range(3)))
    assert await react(store, reacted, message.id, anna) == replace(
        message, reactions={"+1": [anna]}, changed_seq=4
    )
    await world.check_published(chat_id)
    change = world.published[-1]
    assert isinstance(change, reacted)
    document = await store._database.changes.find_one({"chat_id": chat_id, "kind": "throwaway_reacted"})
    assert document is not None
    assert document["data"] == {"fields": {"user_id": anna, "emoji": "+1"}}
    await store.close()

    # A server that died had the row in the log and nowhere else.
    store = await mongo_place.open()
    await store._database.chats.update_one({"_id": str(chat_id)}, {"$set": {"n": 4}})
    await store._database.messages.update_one(
        {"_id": str(message.id)}, {"$set": {"changed_seq": 1, "extra": {}}}
    )
    again = World(store)
    assert await again.head(chat_id) == 4
    assert again.published == [change]
    stored = await store.messages.get(message.id)
    assert stored is not None
    assert (stored.changed_seq, stored.reactions) == (4, {"+1": [anna]})
    await store.close()


async def test_the_room_hears_of_it_in_order_and_it_is_replayed(
    mongo_store: MongoStore, reacted: Any
) -> None:
    hub = RecordingHub()
    app = _app(mongo_store, hub)
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    caller = await _connected(app, anna, "live")
    await app.run(caller, "join_chat", {"chat_id": chat_id})
    first = await world.send(chat_id, anna, "first")
    await asyncio.gather(
        mongo_store.messages.append(draft(chat_id, anna, "second")),
        react(mongo_store, reacted, first.id, anna),
        mongo_store.messages.append(draft(chat_id, anna, "third")),
    )
    live = [(name, payload["seq"]) for name, payload in hub.events["live"] if "seq" in payload]
    assert live == [("new_message", 1), ("new_message", 2), ("throwaway_reacted", 3), ("new_message", 4)]

    late = await _connected(app, anna, "late")
    joined = await app.run(late, "join_chat", {"chat_id": chat_id, "after_seq": 1})
    replayed = [(name, payload) for name, payload in hub.events["late"] if "seq" in payload]
    assert [(name, payload["seq"]) for name, payload in replayed] == [
        ("new_message", 2),
        ("message_updated", 3),
        ("new_message", 4),
    ]
    assert replayed[1][1]["message"]["reactions"] == {"+1": [anna]}
    assert (joined["head_seq"], joined["replayed"], joined["gap"]) == (4, 3, False)
    await app.close()


def _app(store: MongoStore, hub: RecordingHub) -> ChatApp:
    clock = ManualClock()
    tokens = Tokens("x" * 32, "HS256", clock, issuer=store.id, access_ttl_s=900)
    return ChatApp(policy=Policy(), store=store, hub=hub, clock=clock, tokens=tokens, passwords=Passwords(4))


async def _connected(app: ChatApp, user_id: int, connection_id: str) -> Caller:
    sessions = app.context.store.sessions
    if await sessions.get("session") is None:
        await sessions.create(
            session_id="session", user_id=user_id, token_hash="t", expires_at=at(10**9), created_at=START
        )
    identity = await app.authenticate(app.context.tokens.mint(user_id, "session"))
    return Caller(user_id, "address", "session", app.connect(identity, connection_id, "raw"))


async def test_a_chat_with_a_row_of_an_unknown_kind_is_not_served_and_others_are(
    mongo_store: MongoStore, mongo_place: MongoPlace
) -> None:
    """A newer server writes to a chat that this one serves too."""
    here = World(mongo_store)
    anna, boris = await here.users(2)
    chat_id, other_id = await here.chat(anna, boris), await here.chat(anna, boris)
    message = await here.send(chat_id, anna)
    with declared_kinds() as declare:
        kind = declare_reacted(declare)
        newer = await mongo_place.open()
        there = World(newer)
        await there.send(chat_id, anna, "seen by both")
        await react(newer, kind, message.id, boris)
        await there.send(chat_id, anna, "not seen here")
        assert await newer.chats.load(chat_id) is not None
        assert len(await newer.messages.changed_since(chat_id, 0, limit=10)) == 3
        await newer.close()
    with capture_logs() as logs:
        for call in (
            lambda: mongo_store.chats.load(chat_id),
            lambda: mongo_store.messages.changed_since(chat_id, 0, limit=10),
            lambda: here.send(chat_id, anna, "refused"),
            lambda: mongo_store.messages.edit(message.id, anna, "refused", at(1)),
            lambda: mongo_store.messages.mark_read(chat_id, boris, None),
            lambda: mongo_store.chats.change(chat_id, anna, START, name="Refused"),
            lambda: mongo_store.chats.remove_member(chat_id, anna, boris, START),
            lambda: here.send(chat_id, anna, "refused", client_id="x"),
        ):
            with pytest.raises(Unavailable, match="'throwaway_reacted'") as refused:
                await call()
            assert refused.value.trouble == "newer"
    # What comes before that row is published, and nothing after it.
    assert [one.changed_seq for one in here.message_changes(chat_id)] == [1, 2]
    lines = [line for line in logs if line["event"] == "a newer node wrote to a chat"]
    assert [(line["chat_id"], line["unknown_kind"]) for line in lines] == [(chat_id, "throwaway_reacted")]

    # In the same batch, other chats go on, and the store serves.
    results = await asyncio.gather(
        here.send(chat_id, anna), here.send(other_id, anna), here.send(chat_id, boris), return_exceptions=True
    )
    assert [type(result) for result in results] == [Unavailable, Message, Unavailable]
    await here.check_published(other_id)
    await mongo_store.ping()
    assert mongo_store.health.failing is False


async def test_a_change_of_a_chat_that_takes_no_number_goes_the_same_way(
    mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with declared_kinds() as declare:

        @declare("throwaway_archived")
        class ChatArchived(Change):
            chat_id: int
            by: int

        @room_event(ChatArchived)
        def throwaway_archived(change: Any, _at: datetime, _links: FileLinks) -> Event:
            return cast(Event, ("throwaway_archived", {"chat_id": change.chat_id, "by": change.by}))

        monkeypatch.setitem(_RESULTS, ChatArchived, lambda change: change.by)  # type: ignore[arg-type]
        monkeypatch.setitem(_EFFECTS, ChatArchived, no_effect)  # type: ignore[arg-type]
        monkeypatch.setitem(_PROJECTIONS, ChatArchived, no_projection)  # type: ignore[arg-type]
        store = await mongo_place.open()
        hub, world = RecordingHub(), World(store)
        app = _app(store, hub)
        anna = await world.user()
        chat_id = await world.chat(anna)
        await app.run(await _connected(app, anna, "anna"), "join_chat", {"chat_id": chat_id})
        archive = cast(Any, ChatArchived)(chat_id, anna)
        assert await store._writer.submit(ChatWrite(chat_id, lambda _view: archive)) == anna
        await world.send(chat_id, anna)
        assert world.published[-2] == archive
        row = await store._database.changes.find_one({"chat_id": chat_id, "kind": "throwaway_archived"})
        assert row is not None
        assert (row["n"], row["seq"], row["data"]) == (2, 0, {"fields": {"by": anna}})
        names = [name for name, _ in hub.events["anna"]]
        assert names[-2:] == ["throwaway_archived", "new_message"]
        assert await world.head(chat_id) == 1
        await app.close()
        await store.close()

        store = await mongo_place.open()
        assert await World(store).head(chat_id) == 1
        await store.close()


async def test_a_change_of_a_chat_needs_its_effect_and_its_projection(
    mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with declared_kinds() as declare:

        @declare("throwaway_archived")
        class ChatArchived(Change):
            chat_id: int

        monkeypatch.setitem(_RESULTS, ChatArchived, lambda _change: None)  # type: ignore[arg-type]
        sentence = r"'throwaway_archived' \(ChatArchived\): say in storage/mongo/{}.py .* or {}$"
        with pytest.raises(UndeclaredChange, match=sentence.format("chat_replica", "no_effect")):
            await mongo_place.open()
        monkeypatch.setitem(_EFFECTS, ChatArchived, no_effect)  # type: ignore[arg-type]
        with pytest.raises(UndeclaredChange, match=sentence.format("chat_projection", "no_projection")):
            await mongo_place.open()
        monkeypatch.setitem(_PROJECTIONS, ChatArchived, no_projection)  # type: ignore[arg-type]
        await (await mongo_place.open()).close()


async def test_a_server_that_comes_later_does_not_serve_the_chat_either(
    mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it starts with rows after the unknown one: newer servers have projected that."""
    with declared_kinds() as declare:
        kind = declare_reacted(declare)

        @declare("throwaway_archived")
        class ChatArchived(Change):
            chat_id: int

        monkeypatch.setitem(_RESULTS, ChatArchived, lambda change: change.chat_id)  # type: ignore[arg-type]
        monkeypatch.setitem(_EFFECTS, ChatArchived, no_effect)  # type: ignore[arg-type]
        monkeypatch.setitem(_PROJECTIONS, ChatArchived, no_projection)  # type: ignore[arg-type]
        newer = await mongo_place.open()
        there = World(newer)
        anna, boris = await there.users(2)
        other_id = await there.chat(anna, boris)
        chats = [await there.chat(anna, boris) for _ in range(2)]
        messages = [await there.send(chat_id, anna) for chat_id in chats]
        await react(newer, kind, messages[0].id, boris)
        await newer._writer.submit(ChatWrite(chats[1], lambda _view: cast(Any, ChatArchived)(chats[1])))
        for chat_id in chats:
            await there.send(chat_id, anna)
        await newer.close()
        newer = await mongo_place.open()  # a newer one that comes later serves them
        assert [await World(newer).head(chat_id) for chat_id in chats] == [3, 2]
        assert len((await newer.chats.list_for(anna, cursor=None, limit=10))[0]) == 3
        await newer.close()

    store = await mongo_place.open()
    for chat_id, message, kind in zip(
        chats, messages, ("throwaway_reacted", "throwaway_archived"), strict=True
    ):
        for call in calls_about(store, chat_id, message.id, anna):
            with pytest.raises(Unavailable, match=f"'{kind}'") as refused:
                await call()
            assert refused.value.trouble == "newer"
    summaries, _ = await store.chats.list_for(anna, cursor=None, limit=10)
    assert [summary.chat.id for summary in summaries] == [other_id]
    await World(store).send(other_id, anna)
    await store.close()


def calls_about(
    store: MongoStore, chat_id: int, message_id: int, user_id: int
) -> list[Callable[[], Awaitable[object]]]:
    """Reads before the server has a replica of the chat, writes, and a read after them."""
    return [
        lambda: store.messages.history(chat_id, limit=10),
        lambda: store.messages.get(message_id),
        lambda: store.messages.count_changed_since(chat_id, 0, limit=10),
        lambda: store.chats.summary(chat_id, user_id),
        lambda: store.chats.preview(chat_id, [user_id]),
        lambda: store.chats.load(chat_id),
        lambda: store.messages.append(draft(chat_id, user_id)),
        lambda: store.messages.edit(message_id, user_id, "edited", at(1)),
        lambda: store.chats.change(chat_id, user_id, START, name="Renamed"),
        lambda: store.messages.history(chat_id, limit=10),
    ]


async def add_unknown_row(store: MongoStore, message: Message, kind: str = "throwaway_reacted") -> None:
    """Adds a row of an unknown kind to the log, right after that of a chat's only message."""
    row = row_of(MessageEdited(replace(message, changed_seq=2)), message.chat_id, 3, 2, "mark")
    assert await store._writer.replicas.log.insert([replace(row, kind=kind)]) == 1


async def test_a_chat_that_is_not_served_costs_the_others_of_a_batch_nothing(
    mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(mongo_store)
    anna, boris = await world.users(2)
    chat_id, good_id = await world.chat(anna, boris), await world.chat(anna, boris)
    message = await world.send(chat_id, anna, client_id="first")
    good = await world.send(good_id, anna)
    await add_unknown_row(mongo_store, message)
    log, sizes = mongo_store._writer.replicas.log, list[int]()
    original = log.insert

    async def insert(rows: Sequence[Row], hint: Document | None) -> int:
        sizes.append(len(rows))
        return await original(rows, hint)

    monkeypatch.setattr(log, "insert", insert)
    messages = mongo_store.messages
    results: list[Any] = await asyncio.gather(
        *(messages.append(draft(good_id, anna, f"{number}")) for number in range(40)),
        messages.append(draft(chat_id, anna)),
        messages.edit(message.id, anna, "edited", at(1)),
        messages.append(draft(good_id, anna, reply_to=message.id)),
        messages.append(draft(good_id, anna, client_id="first")),
        *(messages.append(draft(good_id, boris, f"{number}")) for number in range(40)),
        messages.edit(good.id, anna, "edited", at(1)),
        return_exceptions=True,
    )
    refused = [type(result) for result in results[40:44]]
    assert refused == [Unavailable, Unavailable, BadReference, ClientIdTaken]
    assert results[40].trouble == results[41].trouble == "newer"
    assert [result.message.seq for result in [*results[:40], *results[44:84]]] == list(range(2, 82))
    assert results[84].changed_seq == 82
    # The first insert meets the row of the unknown kind, the second has all that is left.
    assert sizes == [84, 41]
    await world.check_published(good_id)


@pytest.mark.parametrize("kind", ["throwaway_reacted", "read"])
async def test_a_client_is_told_that_another_server_may_serve_the_chat(
    mongo_store: MongoStore, mongo_place: MongoPlace, kind: str
) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id, other_id = await world.chat(anna), await world.chat(anna)
    message = await world.send(chat_id, anna)
    await add_unknown_row(mongo_store, message, kind)
    app = _app(mongo_store, RecordingHub())
    caller = await _connected(app, anna, "anna")
    with pytest.raises(ChatError) as refused:
        await app.run(caller, "join_chat", {"chat_id": chat_id})
    assert refused.value.code == "unavailable"
    assert "another server may serve it" in str(refused.value)
    await app.run(caller, "join_chat", {"chat_id": other_id})
    await app.close()


async def test_a_rename_is_published_with_the_head_and_the_number_of_members(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await world.send(chat_id, anna)
    renamed = await mongo_store.chats.change(chat_id, anna, START, name="New")
    change: Change = world.published[-1]
    assert change == ChatRenamed(renamed)
    assert (renamed.name, renamed.head_seq, renamed.member_count) == ("New", 1, 2)
