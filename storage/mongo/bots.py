"""Bots and their tokens.

A bot has no email, so the unique field `email_key` of its document holds one of the places that its owner has for bots:
of nodes that create bots at once, one gets a place, and the end of the account frees it in the same write.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from domain.acts import UNAUDITED, AccountUpdate, Act
from domain.decisions.accounts import check_username
from domain.decisions.bots import BOTS_MAX, check_bot, check_may_own, check_room
from domain.models import Session, User
from domain.refusals import Duplicate
from domain.text import name_key
from storage.bot_tokens import FOR_EVER, token_key
from storage.mongo.account_acts import AccountActs
from storage.mongo.account_writes import AccountWriter, Publish, bots_of
from storage.mongo.database import Database
from storage.mongo.documents import user_document, user_of
from storage.mongo.ids import Ids
from storage.mongo.retry_budget import RetryBudget
from storage.mongo.sessions import end_sessions, insert_session, live_sessions_of


class MongoBots:
    """See `storage.bot_ports.Bots`."""

    def __init__(self, database: Database, ids: Ids, writer: AccountWriter, acts: AccountActs) -> None:
        self._database = database
        self._ids = ids
        self._writer = writer
        self._acts = acts

    async def create(
        self,
        *,
        owner_id: int,
        username: str,
        display_name: str,
        token_id: str,
        created_at: datetime,
        act: Act = UNAUDITED,
    ) -> User:
        draft = User(0, username, display_name, None, "", created_at, is_bot=True, owner_id=owner_id)

        async def action(publish: Publish) -> User:
            check_may_own(await self._user(owner_id))
            bot = await self._insert(draft)
            await self._give_token(bot.id, token_id, created_at)
            owner = await self._user(owner_id)
            # Whoever has banned or ended the owner meanwhile may not have found this bot.
            if owner is None or not owner.active:
                ended = replace(act, checked=True, audited=False)
                await self._acts.update(bot.id, AccountUpdate(deleted=True), ended, publish)
                check_may_own(owner)
            await self._acts.note(act, "user_created", bot.id, username)
            return bot

        return await self._writer.write(f"bots of {owner_id}", action)

    async def of_owner(self, owner_id: int) -> Sequence[User]:
        return await bots_of(self._database, owner_id)

    async def page(self, *, after_id: int, limit: int) -> Sequence[User]:
        wanted = {"owner_id": {"$gt": 0}, "deleted": False, "id": {"$gt": after_id}}
        users = self._database.users
        found = await self._database.find(users, wanted, sort=[("id", 1)], limit=limit)
        return [user_of(document) for document in found]

    async def renew_token(self, bot_id: int, token_id: str, at: datetime, act: Act = UNAUDITED) -> None:
        async def action(publish: Publish) -> None:
            check_bot(await self._user(bot_id))
            await self._give_token(bot_id, token_id, at)
            live = [session.id for session in await live_sessions_of(self._database, bot_id)]
            bot = await self._user(bot_id)
            # Of renewals at once, all leave the same token: the newest of those that are there. Whoever has banned or
            # ended the bot may not have found this one.
            is_active = bot is not None and bot.active
            await end_sessions(self._database, bot_id, live[:-1] if is_active else live, publish)
            check_bot(bot)
            await self._acts.note(act, "token_renewed", bot_id)

        await self._writer.write(f"user {bot_id}", action)

    async def _insert(self, draft: User) -> User:
        """Inserts the account in a free place of its owner. Raises: `Duplicate`; `TooMany`."""
        check_username(draft.username)
        database, owner_id, budget = self._database, draft.owner_id, RetryBudget()
        while True:
            found = await database.find(database.users, {"owner_id": owner_id, "deleted": False})
            check_room(len(found))
            taken = {document["email_key"] for document in found}
            for place in (place_key(owner_id, number) for number in range(1, BOTS_MAX + 1)):
                if place in taken:
                    continue
                (user_id,) = await self._ids.take("users")
                await database.add(
                    database.users, {**user_document(replace(draft, id=user_id)), "email_key": place}
                )
                # It is there also if the first try added it, before the connection broke: nobody else has this id.
                if (bot := await self._user(user_id)) is not None:
                    return bot
                if await database.find(database.users, {"username_key": name_key(draft.username)}, limit=1):
                    raise Duplicate("username")
            await budget.again()

    async def _give_token(self, bot_id: int, token_id: str, at: datetime) -> None:
        """Begins the session of a token. It is newer than those that are there, whatever the clocks of nodes say."""
        live = await live_sessions_of(self._database, bot_id)
        begins = max([at, *(session.created_at + timedelta(microseconds=1) for session in live)])
        session = Session(token_id, bot_id, begins)
        await insert_session(self._database, session, token_key(token_id), FOR_EVER)

    async def _user(self, user_id: int) -> User | None:
        document = await self._database.get(self._database.users, str(user_id))
        return None if document is None else user_of(document)


def place_key(owner_id: int | None, number: int) -> str:
    """The `email_key` of the bot in a place of its owner, 1 to `BOTS_MAX`."""
    return f"#bot {owner_id}:{number}"
