"""A store with something of everything that a backup has, and of what it has not."""

from datetime import UTC, datetime, timedelta

from domain.acts import Act
from domain.decisions.settings import SettingsRequest
from domain.hooks import Delivery, Hook
from domain.invites import Invite
from domain.models import User
from storage.ports import Store
from tests.storage.kept import chats_removed, keep, picture, upload
from tests.storage.world import World, at

FAR = datetime(2199, 1, 1, tzinfo=UTC)


async def fill(store: Store) -> World:
    """Fills an empty store. Users: 1 Ann (owner, admin), 2 Bob, 3 Cid (banned from the group), 4 Dan (deleted)."""
    world = World(store)
    ann = await world.user("Ann", email="Ann@example.org", display_name="Анна ✨", is_admin=True)
    bob, cid, dan = await world.users(3)
    await store.users.set_avatar(ann, await _avatar(store, "avatar_of_ann"))
    await store.users.set_presence(bob, "away")
    await store.users.seen(bob, at(77))
    await store.sessions.create(
        session_id="session", user_id=ann, token_hash="token", expires_at=FAR, created_at=at(0)
    )
    await store.blocks.block(bob, cid, at(5))
    bot = await store.bots.create(
        owner_id=ann, username="robot", display_name="Robot", token_id="token_of_robot", created_at=at(6)
    )
    await store.chats.create_default(name="Hall", owner_id=ann, created_at=at(7))
    await store.invites.create(Invite("of_the_server", None, ann, at(8), FAR, 5))
    await store.invites.take("of_the_server", at(9))
    group = await _group(world, ann, bob, cid, dan, bot)
    await _private(world, ann, bob)
    await _hooks(store, group, ann)
    await world.chat(ann, bob, chat_type="channel", name="News \N{OBJECT REPLACEMENT CHARACTER}")
    gone = await world.chat(ann, bob, name="Gone")
    await world.send(gone, ann, "said in a deleted chat")
    await store.chats.delete(gone, ann)
    await chats_removed(store)
    await upload(store, bob, "unattached", content=b"nobody has sent it", name="näme ‮.txt")
    await store.users.delete(dan, Act(None, at(90)))
    await world.user("elsewhere", login_key="hash of issuer and subject", password_hash="")
    return world


async def _avatar(store: Store, file_id: str) -> str:
    await keep(store.files, file_id, b"picture " + file_id.encode())
    return file_id


async def _group(world: World, ann: int, bob: int, cid: int, dan: int, bot: User) -> int:
    store = world.store
    group = await world.chat(ann, bob, cid, dan, bot.id, name="Team")
    await store.chats.set_avatar(group, ann, await _avatar(store, "avatar_of_team"), at(10))
    await store.chats.change(group, ann, at(11), is_public=True, slow_mode_s=2)
    await store.chats.set_role(group, ann, bob, "admin", at(12))
    await picture(store, ann, "photo", content=b"photo" * 1000)
    await upload(store, ann, "notes", content=b"")
    first = await world.send(
        group, ann, "see @user1", attachments=["photo", "notes"], client_id="c-1", created_at=at(13)
    )
    second = await world.send(group, bob, "second @all\x00 \U0001f600", reply_to=first.id, created_at=at(14))
    third = await world.send(group, bot.id, "a lie", client_id="c-1", created_at=at(15))
    await store.messages.edit(second.id, bob, "second, edited", at(16))
    await store.messages.edit(second.id, bob, "second, edited twice", at(17))
    await store.messages.add_reaction(first.id, cid, "🎉", at(18))
    await store.messages.add_reaction(first.id, bob, "👍", at(19))
    await store.messages.add_reaction(first.id, ann, "🎉", at(20))
    await store.messages.pin(first.id, ann, at(21))
    await store.messages.edit(third.id, bot.id, "a lie, edited", at(22))
    await store.messages.delete(third.id, ann, at(23))
    await store.messages.mark_read(group, bob, first.id)
    await store.chats.change_settings(group, bob, SettingsRequest("mentions", True, None, True))
    await store.invites.create(Invite("of_the_team", group, bob, at(24), None, 0))
    await store.moderation.mute(group, ann, dan, FAR, at(25))
    await store.chats.remove_member(group, dan, dan, at(26))
    await store.moderation.ban(group, ann, cid, "spam", at(27))
    for number in range(5):
        await world.send(group, bob, f"message {number}", created_at=at(30 + number))
    return group


async def _private(world: World, ann: int, bob: int) -> None:
    chat_id = await world.chat(ann, bob, chat_type="private", name=None)
    await world.send(chat_id, ann, "just the two of us", created_at=at(40))
    await world.store.chats.change_settings(chat_id, ann, SettingsRequest(None, None, True, None))


async def _hooks(store: Store, chat_id: int, ann: int) -> None:
    await store.hooks.create(Hook(0, chat_id, "incoming", "Builds", 0, ann, at(50)), key_hash="key_of_builds")
    made = await store.hooks.create(
        Hook(
            *(0, chat_id, "outgoing", "Watcher", 0, ann, at(51)),
            target_url="https://example.org/told",
            events=("new_message", "message_deleted"),
            include_bots=True,
        ),
        secret="secret of watcher",
    )
    lease = await store.hooks.take(made.id, [])
    delivery = Delivery(3, 2, at(52), "refused", at(53) + timedelta(microseconds=1))
    assert lease is not None
    assert await store.hooks.save_delivery(made.id, lease, delivery)
