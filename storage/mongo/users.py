"""Accounts."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from domain.acts import FOLLOW_OWNER, UNAUDITED, AccountUpdate, Act
from domain.changes import UserChanged
from domain.decisions.accounts import check_username
from domain.decisions.bots import following
from domain.models import PresenceChoice, User
from domain.refusals import Duplicate, NotFound
from domain.text import name_key
from storage.mongo import user_queries
from storage.mongo.account_acts import AccountActs, no_setup
from storage.mongo.account_writes import (
    AccountWriter,
    Publish,
    bots_of,
    check_account,
    check_active,
    check_free,
)
from storage.mongo.chat_writes import pass_on_all
from storage.mongo.database import Database
from storage.mongo.documents import user_document, user_of
from storage.mongo.ids import Ids
from storage.mongo.sessions import end_sessions, live_sessions
from storage.mongo.writer import Writer
from storage.times import to_micros


class MongoUsers:
    """See `storage.ports.Users`."""

    def __init__(
        self,
        database: Database,
        ids: Ids,
        writer: AccountWriter,
        chat_writer: Writer,
        acts: AccountActs,
    ) -> None:
        self._database = database
        self._ids = ids
        self._writer = writer
        self._chat_writer = chat_writer
        self._acts = acts
        self.of_login = partial(user_queries.of_login, database)

    async def create(
        self,
        *,
        username: str,
        display_name: str,
        email: str | None,
        password_hash: str,
        created_at: datetime,
        is_bot: bool = False,
        is_admin: bool = False,
        login_key: str | None = None,
        act: Act = UNAUDITED,
    ) -> User:
        account = User(0, username, display_name, email, password_hash, created_at, login_key=login_key)
        draft = replace(account, is_bot=is_bot, is_admin=is_admin)

        async def action(_publish: Publish) -> User:
            await self._acts.check(act)
            user = await self._create(draft)
            await self._acts.note(act, "user_created", user.id, username)
            if is_admin:
                await self._acts.note(act, "admin_added", user.id)
            return user

        return await self._writer.write(f"name {name_key(username)}", action)

    async def create_first_admin(
        self,
        *,
        setup_hash: str,
        username: str,
        display_name: str,
        email: str | None,
        password_hash: str,
        created_at: datetime,
    ) -> User:
        draft = User(0, username, display_name, email, password_hash, created_at)

        async def action(publish: Publish) -> User:
            if await self._acts.log.admin() is not None or setup_hash != await self._acts.setup_hash():
                raise no_setup()
            user = await self._create(draft)
            return await self._acts.make_first_admin(user, Act(user.id, created_at), publish)

        return await self._writer.write(f"name {name_key(username)}", action)

    async def admin(self) -> User | None:
        return await self._acts.log.admin()

    async def keep_setup_hash(self, setup_hash: str) -> None:
        await self._acts.keep_setup_hash(setup_hash)

    async def setup_hash(self) -> str | None:
        return await self._acts.setup_hash()

    async def get(self, user_id: int) -> User | None:
        return await user_queries.get(self._database, user_id)

    async def get_many(self, user_ids: Collection[int]) -> Mapping[int, User]:
        found = await self._database.get_many(self._database.users, [str(one) for one in set(user_ids)])
        return {document["id"]: user_of(document) for document in found}

    async def find(self, login: str) -> User | None:
        return await user_queries.find(self._database, login)

    async def exist(self) -> bool:
        return bool(await self._database.find(self._database.users, {}, limit=1, fields=["_id"]))

    async def search(self, prefix: str, *, after_id: int, limit: int) -> Sequence[User]:
        return await user_queries.search(self._database, prefix, after_id, limit)

    async def search_all(self, prefix: str, *, after_id: int, limit: int) -> Sequence[User]:
        return await user_queries.search_all(self._database, prefix, after_id, limit)

    async def rename(self, user_id: int, display_name: str) -> User:
        return await self._writer.write(
            f"user {user_id}", lambda publish: self._rename(user_id, display_name, publish)
        )

    async def change_password(
        self, user_id: int, password_hash: str, *, keep_session: str | None, act: Act = UNAUDITED
    ) -> None:
        async def action(publish: Publish) -> None:
            await self._acts.check(act)
            await self._change_password(user_id, password_hash, keep_session, publish)
            await self._acts.note(act, "password_reset", user_id)

        await self._writer.write(f"user {user_id}", action)

    async def renew_hash(self, user_id: int, old_hash: str, new_hash: str) -> None:
        await self._writer.write(
            f"user {user_id}", lambda publish: self._renew_hash(user_id, old_hash, new_hash, publish)
        )

    async def costliest_hash(self) -> str:
        users = self._database.users
        found = await self._database.find(
            users, {}, sort=[("password_hash", -1)], limit=1, fields=["password_hash"]
        )
        return found[0]["password_hash"] if found else ""

    async def update(
        self, user_id: int, update: AccountUpdate, act: Act = UNAUDITED, *, pass_on: bool = True
    ) -> User:
        user = await self._writer.write(
            f"user {user_id}", lambda publish: self._acts.update(user_id, update, act, publish)
        )
        concerned = update.deleted or update.banned is not None
        bots = await bots_of(self._database, user_id) if concerned else ()
        for bot in bots:
            await self._follow_owner(bot.id, replace(act, checked=True))
        if pass_on and (update.banned or update.deleted):
            for one in (user, *bots):
                await pass_on_all(self._chat_writer, one.id, act.at)
        return user

    async def set_banned(self, user_id: int, banned: bool, *, pass_on: bool = True) -> User:
        return await self.update(user_id, AccountUpdate(banned=banned), pass_on=pass_on)

    async def delete(self, user_id: int, act: Act = UNAUDITED) -> User:
        return await self.update(user_id, AccountUpdate(deleted=True), act)

    async def set_presence(self, user_id: int, presence: PresenceChoice) -> User:
        return await self._writer.write(
            f"user {user_id}", lambda publish: self._set_presence(user_id, presence, publish)
        )

    async def set_avatar(self, user_id: int, avatar_id: str | None) -> User:
        return await self._writer.write(
            f"user {user_id}", lambda publish: self._set_avatar(user_id, avatar_id, publish)
        )

    async def seen(self, user_id: int, at: datetime) -> None:
        await self._writer.write(
            f"user {user_id}", lambda publish: self._seen(user_id, to_micros(at), publish)
        )

    async def follow_owners(self, at: datetime) -> None:
        """Mends what a node has left that died while it banned or ended the owner of bots. For the start of a node."""
        database, act = self._database, Act(None, at, audited=False)
        bots = await bots_of(database, None)
        owners = await self.get_many({bot.owner_id for bot in bots if bot.owner_id})
        for bot in bots:
            if following(bot, owners.get(bot.owner_id or 0)) != bot:
                await self._follow_owner(bot.id, act)
                await pass_on_all(self._chat_writer, bot.id, at)

    async def _follow_owner(self, bot_id: int, act: Act) -> None:
        with suppress(NotFound):  # it has ended meanwhile
            await self._writer.write(
                f"user {bot_id}", lambda publish: self._acts.update(bot_id, FOLLOW_OWNER, act, publish)
            )

    async def _create(self, user: User) -> User:
        check_username(user.username)
        database = self._database
        (user_id,) = await self._ids.take("users")
        if user.is_admin:
            await check_free(self._database, user)
            await self._acts.log.expect(user_id)
        document = user_document(replace(user, id=user_id))
        added = await database.add(database.users, document)
        created = await user_queries.get(database, user_id)
        # No other node has this id: if the document is there though it was not added, the first try of this very call
        # added it before the connection broke.
        if created is None:
            assert not added
            await check_free(self._database, user)
            raise Duplicate("email")
        return created

    async def _rename(self, user_id: int, display_name: str, publish: Publish) -> User:
        user = await check_account(self._database, user_id)
        if user.display_name == display_name:
            return user
        names = {"display_name": display_name, "display_name_key": name_key(display_name)}
        await self._update(user_id, {"$set": names})
        return await self._publish(user_id, publish, shown=True)

    async def _change_password(
        self, user_id: int, password_hash: str, keep_session: str | None, publish: Publish
    ) -> None:
        await check_account(self._database, user_id)
        await self._update(user_id, {"$set": {"password_hash": password_hash}})
        await self._publish(user_id, publish)
        await self._end_sessions_but(user_id, keep_session, publish)

    async def _renew_hash(self, user_id: int, old_hash: str, new_hash: str, publish: Publish) -> None:
        users = self._database.users
        wanted = {"_id": str(user_id), "password_hash": old_hash}
        change = {"$set": {"password_hash": new_hash}}
        renewed = await self._database.with_retry(lambda: users.update_one(wanted, change))
        if renewed.matched_count:
            await self._publish(user_id, publish)

    async def _end_sessions_but(self, user_id: int, kept: str | None, publish: Publish) -> None:
        live = await live_sessions(self._database, user_id)
        await end_sessions(self._database, user_id, [one for one in live if one != kept], publish)

    async def _set_presence(self, user_id: int, presence: PresenceChoice, publish: Publish) -> User:
        user = await check_account(self._database, user_id)
        if user.presence == presence:
            publish(UserChanged(user))  # the server that set it may have died before it told the others
            return user
        await self._update(user_id, {"$set": {"presence": presence, "presence_n": user.presence_n + 1}})
        return await self._publish(user_id, publish, own=True)

    async def _set_avatar(self, user_id: int, avatar_id: str | None, publish: Publish) -> User:
        """The old file is freed last: if that is interrupted, nothing refers to it, and it is found by that."""
        user = await check_active(self._database, user_id)
        if user.avatar_id == avatar_id:
            return user
        await self._update(user_id, {"$set": {"avatar_id": avatar_id}})
        now = await user_queries.get(self._database, user_id)
        if now is None or now.deleted:  # at another node, meanwhile
            await self._update(user_id, {"$set": {"avatar_id": None}})
            raise NotFound(f"user {user_id}")
        changed = await self._publish(user_id, publish, shown=True)
        if changed.avatar_id == avatar_id:
            await self._acts.uploads.free_avatar(user.avatar_id)
        return changed

    async def _seen(self, user_id: int, at: int, publish: Publish) -> None:
        document = await self._database.get(self._database.users, str(user_id))
        if document is None or document["last_seen_at"] >= at or user_of(document).presence == "offline":
            return
        # Another node may be writing the presence: then this time is not noted.
        wanted = {"_id": str(user_id), "presence": document.get("presence")}
        change = {"$max": {"last_seen_at": at}}
        noted = await self._database.with_retry(lambda: self._database.users.update_one(wanted, change))
        if noted.matched_count:
            await self._publish(user_id, publish)

    async def _update(self, user_id: int, change: dict[str, Any]) -> None:
        """Changes fields of a user. MongoDB changes these fields only. FerretDB writes the whole document as it read
        it, so if two nodes change one user in the same moment, one change is lost there."""
        users = self._database.users
        await self._database.with_retry(lambda: users.update_one({"_id": str(user_id)}, change))

    async def _publish(
        self, user_id: int, publish: Publish, *, shown: bool = False, own: bool = False
    ) -> User:
        """Publishes the user as they are now; `shown`: others see what changed, `own`: the user does."""
        user = await user_queries.get(self._database, user_id)
        assert user is not None
        publish(UserChanged(user, shown, own))
        return user
