"""Members receive every change of a chat, even of a chat that the server has not loaded."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from domain.models import Draft
from handlers import moderation
from storage.errors import Unavailable
from storage.ports import Store
from tests.clients.client import Client, Frame
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.shapes import SHARED_CHAT, fits
from tests.conftest import Serve, Server
from tests.patience import within
from tests.storage.world import START

pytestmark = pytest.mark.stores


class Scene:
    """A group of Ann, Bob and Carl with three messages, and a private chat of Bob and Carl; the server has started
    again since, and Bob is connected. The only request so far was Bob's token."""

    server: Server
    ann: Person
    bob: Person
    carl: Person
    chat_id: int
    private_id: int
    message_ids: list[int]
    bobs: Client

    async def set(self, serve: Serve) -> None:
        self.server = await serve(clock=ManualClock(), messages_per_s=0)
        self.ann, self.bob, self.carl = await self.server.people("ann", "bob", "carl")
        self.chat_id = await self.ann.chat(self.bob, self.carl, name="Lunch")
        self.private_id = await self.bob.chat(self.carl, chat_type="private")
        await self.bob.say(self.private_id, "hi")
        self.message_ids = [(await self.ann.say(self.chat_id, f"{number}"))["id"] for number in range(3)]
        await self.server.restart()
        self.bobs = await self.bob.connect()
        self.unloaded()

    @property
    def store(self) -> Store:
        return self.server.chat_app.context.store

    def unloaded(self) -> None:
        directory = self.server.chat_app.context.directory
        assert directory.peek(self.chat_id) is None
        assert directory.peek(self.private_id) is None

    async def next(self, name: str, client: Client | None = None) -> Frame:
        """The next event except presence; it must be of this name."""
        while (frame := await (client or self.bobs).next())["type"].startswith("user_off"):
            pass
        assert frame["type"] == name, frame
        return frame

    async def changed(self, client: Client | None = None, chat_id: int = 0) -> Any:
        frame = await self.next("chat_changed", client)
        assert frame["chat_id"] == (chat_id or self.chat_id)
        assert fits(frame["chat"], SHARED_CHAT)
        return frame["chat"]


@pytest.fixture
async def scene(serve: Serve) -> Scene:
    scene = Scene()
    await scene.set(serve)
    return scene


async def test_a_deleted_account(scene: Scene) -> None:
    await moderation.delete(scene.store, "carl")
    changed = await scene.next("user_changed")
    assert (changed["user_id"], changed["user"]["active"]) == (scene.carl.id, False)
    chat = await scene.changed()
    assert (chat["member_count"], chat["seq"], chat["name"]) == (2, 3, "Lunch")
    # The ban before the deletion has no event of its own if the deletion was committed before the ban was published.
    gone = changed["user"] if changed["user"]["deleted"] else (await scene.next("user_changed"))["user"]
    assert (gone["active"], gone["deleted"], gone["display_name"]) == (False, True, "carl")
    await scene.bobs.nothing_more()


async def test_a_new_name(scene: Scene) -> None:
    await scene.store.chats.change(scene.chat_id, scene.ann.id, START, name="Dinner")
    assert (await scene.changed())["name"] == "Dinner"


async def test_a_role(scene: Scene) -> None:
    await scene.store.chats.set_role(scene.chat_id, scene.ann.id, scene.carl.id, "admin", START)
    assert (await scene.changed())["member_count"] == 3


async def test_a_member_who_is_removed(scene: Scene) -> None:
    await scene.store.chats.remove_member(scene.chat_id, scene.ann.id, scene.bob.id, START)
    removed = await scene.next("chat_removed")
    assert (removed["chat_id"], removed["reason"], removed["name"]) == (scene.chat_id, "removed", "Lunch")
    await scene.store.chats.remove_member(scene.chat_id, scene.ann.id, scene.carl.id, START)
    await scene.bobs.nothing_more()


async def test_a_member_who_leaves_and_the_heir(scene: Scene) -> None:
    await scene.store.chats.remove_member(scene.chat_id, scene.ann.id, scene.ann.id, START)
    assert (await scene.changed())["member_count"] == 2
    assert (await scene.bob.get(f"/chats/{scene.chat_id}"))["role"] == "owner"


async def test_a_member_who_comes(scene: Scene) -> None:
    eve = await scene.server.person("eve")
    eves, follower = await eve.connect(), await eve.connect(subscribe="all")
    await follower.done("ping")
    await follower.drain()
    scene.unloaded()
    await scene.store.chats.add_member(
        scene.chat_id, scene.ann.id, eve.id, "member", scene.server.clock.now()
    )
    for client in (eves, follower):
        added = await scene.next("chat_added", client)
        assert (added["chat_id"], added["head_seq"]) == (scene.chat_id, 3)
        await scene.changed(client)
    assert (await scene.changed())["member_count"] == 4
    message = await scene.ann.say(scene.chat_id, "hi")
    assert (await scene.next("new_message", follower))["seq"] == message["seq"] == added["head_seq"] + 1


async def test_a_deleted_chat(scene: Scene) -> None:
    await scene.store.chats.delete(scene.chat_id, scene.ann.id)
    removed = await scene.next("chat_removed")
    assert (removed["chat_id"], removed["reason"], removed["name"]) == (scene.chat_id, "deleted", "Lunch")
    await scene.store.chats.delete(scene.private_id, scene.bob.id)
    removed = await scene.next("chat_removed")
    assert (removed["chat_id"], removed["reason"], removed["name"]) == (scene.private_id, "deleted", "carl")


async def test_a_new_chat(scene: Scene) -> None:
    chat, _ = await scene.store.chats.create(
        name="New",
        chat_type="group",
        owner_id=scene.ann.id,
        member_ids=[scene.bob.id],
        created_at=scene.server.clock.now(),
    )
    added = await scene.next("chat_added")
    assert (added["chat_id"], added["head_seq"]) == (chat.id, 0)


@pytest.mark.parametrize("what", ["message", "edit", "deletion", "mark"])
async def test_changes_in_a_chat_update_members_who_have_not_joined(scene: Scene, what: str) -> None:
    store, now = scene.store, scene.server.clock.now()
    if what == "message":
        await store.messages.append(Draft(scene.chat_id, scene.ann.id, "new", now))
    elif what == "edit":
        await store.messages.edit(scene.message_ids[-1], scene.ann.id, "other", now)
    elif what == "deletion":
        await store.messages.delete(scene.message_ids[-1], scene.ann.id, now)
    else:
        await store.messages.mark_read(scene.chat_id, scene.bob.id, scene.message_ids[1])
    update = await scene.bobs.update()
    received = (update["chat_id"], update["head_seq"], update["unread_count"], update["read_seq"])
    expected = {"message": (4, 4, 0), "edit": (4, 3, 0), "deletion": (4, 2, 0), "mark": (3, 1, 2)}
    assert received == (scene.chat_id, *expected[what])


async def test_a_ban_and_its_end(scene: Scene) -> None:
    for action, active in ((moderation.ban, False), (moderation.unban, True)):
        await action(scene.store, "carl")
        changed = await scene.next("user_changed")
        assert (changed["user_id"], changed["user"]["active"]) == (scene.carl.id, active)
        assert "email" not in changed["user"]


async def test_a_display_name(scene: Scene) -> None:
    await scene.store.users.rename(scene.carl.id, "Carlos")
    assert (await scene.next("user_changed"))["user"]["display_name"] == "Carlos"


async def test_events_of_a_chat_keep_their_order_while_it_is_loaded(scene: Scene) -> None:
    eve = await scene.server.person("eve")
    eves = await eve.connect()
    now = scene.server.clock.now()
    chats = scene.store.chats
    await asyncio.gather(
        chats.add_member(scene.chat_id, scene.ann.id, eve.id, "member", now),
        chats.change(scene.chat_id, scene.ann.id, START, name="Dinner"),
        chats.remove_member(scene.chat_id, scene.ann.id, eve.id, START),
        chats.add_member(scene.chat_id, scene.ann.id, eve.id, "admin", now),
        chats.delete(scene.chat_id, scene.ann.id),
        chats.delete(scene.private_id, scene.bob.id),
    )
    names: list[str] = []
    while not names or names[-1] != "chat_removed" or names.count("chat_removed") < 2:
        names.append((await eves.next())["type"])
    # A chat that is deleted before its load is done gets no `chat_added` any more.
    assert [name for name in names if name != "chat_changed"] in (
        ["chat_added", "chat_removed", "chat_added", "chat_removed"],
        ["chat_added", "chat_removed", "chat_removed"],
        ["chat_removed", "chat_removed"],
    )


Loading = Callable[[int], Awaitable[Any]]


async def test_a_store_that_cannot_answer_is_asked_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    chats = scene.store.chats
    asked: list[int] = []

    async def lost(chat_id: int) -> Any:
        asked.append(chat_id)
        raise Unavailable("lost")

    with monkeypatch.context() as patch:
        patch.setattr(chats, "load", lost)
        await chats.change(scene.chat_id, scene.ann.id, START, name="Dinner")
        async with within(5):
            while not asked:
                await asyncio.sleep(0.005)
        await scene.bobs.nothing_more()
    scene.server.clock.advance(1)
    assert (await scene.changed())["name"] == "Dinner"
