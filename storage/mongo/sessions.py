"""Logins and their refresh tokens.

A token that is spent, each time it is spent again, and a session that is revoked are documents of their own, and of
several nodes that insert such a document at once one succeeds; so all of it is exact with several nodes, on FerretDB
too. The one thing that is ever updated is when a session was last used.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from pymongo import UpdateOne

from domain.changes import SessionsRevoked
from domain.models import Session
from domain.refusals import TokenReused, TokenUnknown
from storage.mongo.account_writes import AccountWriter, Publish, check_account
from storage.mongo.bulk import update_all
from storage.mongo.database import Collection, Database, Document
from storage.mongo.documents import session_of
from storage.ports import REUSES_MAX
from storage.times import to_micros

_SECOND = 1_000_000

_SESSIONS_AT_ONCE = 200

END_NOTE = "#"
"""Begins the key of a token by which a sweep notes when it first found a session revoked; the id of the session
follows instead of a hash."""


class MongoSessions:
    """See `storage.ports.Sessions`."""

    def __init__(self, database: Database, writer: AccountWriter) -> None:
        self._database = database
        self._writer = writer

    async def create(
        self,
        *,
        session_id: str,
        user_id: int,
        token_hash: str,
        expires_at: datetime,
        created_at: datetime,
        address: str = "",
        user_agent: str = "",
    ) -> Session:
        async def action(_publish: Publish) -> Session:
            await check_account(self._database, user_id)
            session = Session(session_id, user_id, created_at, address=address, user_agent=user_agent)
            return await insert_session(self._database, session, token_hash, expires_at)

        return await self._writer.write(f"session {session_id}", action)

    async def get(self, session_id: str) -> Session | None:
        document = await self._database.get(self._database.sessions, session_id)
        if document is None:
            return None
        ended = await self._database.get(self._database.revocations, session_id)
        return session_of(document, revoked=ended is not None)

    async def of_user(self, user_id: int, *, now: datetime, limit: int) -> Sequence[Session]:
        database, sessions, older = self._database, list[Session](), dict[str, object]()
        while True:
            some = await database.find(
                database.sessions,
                {"user_id": user_id, **older},
                sort=[("created_at", -1), ("_id", -1)],
                limit=_SESSIONS_AT_ONCE,
            )
            ids = [document["_id"] for document in some]
            ended = {document["_id"] for document in await database.get_many(database.revocations, ids)}
            valid = {"session_id": {"$in": ids}, "expires_at": {"$gt": to_micros(now)}}
            tokens = await database.find(database.tokens, valid, fields=["session_id"])
            living = {token["session_id"] for token in tokens} - ended
            sessions += [session_of(one, revoked=False) for one in some if one["_id"] in living]
            if len(sessions) >= limit or len(some) < _SESSIONS_AT_ONCE:
                return sessions[:limit]
            last = some[-1]
            older = {
                "$or": [
                    {"created_at": {"$lt": last["created_at"]}},
                    {"created_at": last["created_at"], "_id": {"$lt": last["_id"]}},
                ]
            }

    async def used(self, at: Mapping[str, datetime]) -> None:
        updates = [
            UpdateOne({"_id": session_id}, {"$max": {"last_used_at": to_micros(used_at)}})
            for session_id, used_at in at.items()
        ]
        await update_all(self._database, self._database.sessions, updates)

    async def rotate(
        self, token_hash: str, *, new_hash: str, expires_at: datetime, now: datetime, grace_s: float
    ) -> Session:
        grace = round(grace_s * _SECOND)
        return await self._writer.write(
            f"token {token_hash}",
            lambda publish: self._rotate(token_hash, new_hash, expires_at, to_micros(now), grace, publish),
        )

    async def revoke(self, session_id: str) -> None:
        async def action(publish: Publish) -> None:
            document = await self._database.get(self._database.sessions, session_id)
            if document is not None and not await end_sessions(
                self._database, document["user_id"], [session_id], publish
            ):
                # It is over already. The server that ended it may have died before it told the others.
                publish(SessionsRevoked(document["user_id"], [session_id]))

        await self._writer.write(f"session {session_id}", action)

    async def sweep(self, *, after: str, limit: int, now: datetime, keep_s: float) -> str | None:
        database = self._database
        found = await database.find(
            database.sessions, {"_id": {"$gt": after}}, sort=[("_id", 1)], limit=limit, fields=["_id"]
        )
        session_ids = [document["_id"] for document in found]
        tokens = await database.find(database.tokens, {"session_id": {"$in": session_ids}})
        revoked = {document["_id"] for document in await database.get_many(database.revocations, session_ids)}
        ends: dict[str, int] = {}
        for token in tokens:
            session_id = token["session_id"]
            if session_id not in revoked or token["_id"].startswith(END_NOTE):
                ends[session_id] = max(token["expires_at"], ends.get(session_id, 0))
        for session_id in session_ids:
            if session_id not in ends:  # the note is a token that no client has
                await _give(database, END_NOTE + session_id, session_id, now)
        over = {
            session_id for session_id, end in ends.items() if end <= to_micros(now) - round(keep_s * _SECOND)
        }
        hashes = [token["_id"] for token in tokens if token["session_id"] in over]
        # The session last: while it is there, the next sweep finds what this one may have left.
        await remove_tokens(database, hashes)
        await _remove(database, database.revocations, list(over))
        await _remove(database, database.sessions, list(over))
        return session_ids[-1] if len(session_ids) == limit else None

    async def _rotate(
        self, token_hash: str, new_hash: str, expires_at: datetime, now: int, grace: int, publish: Publish
    ) -> Session:
        database = self._database
        token = await database.get(database.tokens, token_hash)
        if token is None or token["expires_at"] <= now:
            raise TokenUnknown
        session = await self.get(token["session_id"])
        if session is None or session.revoked:
            raise TokenUnknown
        if not await self._spend(token_hash, now, grace):
            await end_sessions(database, session.user_id, [session.id], publish)
            raise TokenReused(f"session {session.id} is revoked")
        await self._forget_expired(session.id, now)
        await _give(database, new_hash, session.id, expires_at)
        return session

    async def _spend(self, token_hash: str, now: int, grace: int) -> bool:
        """Spends the token. False if it was spent before, too long ago or too often."""
        database, by = self._database, uuid4().hex
        first, *reuses = _spent_keys(token_hash)
        if await database.add(database.spent, {"_id": first, "at": now, "by": by}):
            return True
        spent = await database.get(database.spent, first)
        if spent is not None and now - spent["at"] > grace:
            return False
        for key in reuses:
            if await database.add(database.spent, {"_id": key, "at": now, "by": by}):
                return True
        return False

    async def _forget_expired(self, session_id: str, now: int) -> None:
        database = self._database
        expired = await database.find(
            database.tokens, {"session_id": session_id, "expires_at": {"$lte": now}}, fields=["_id"]
        )
        await remove_tokens(database, [token["_id"] for token in expired])


async def insert_session(
    database: Database, session: Session, token_hash: str, expires_at: datetime
) -> Session:
    """Inserts a session, and the token that is valid until then."""
    await database.add(database.sessions, session_document(session))
    await _give(database, token_hash, session.id, expires_at)
    return session


def session_document(session: Session) -> Document:
    """The document of a new session."""
    return {
        "_id": session.id,
        "user_id": session.user_id,
        "created_at": to_micros(session.created_at),
        "address": session.address,
        "user_agent": session.user_agent,
    }


def token_document(token_hash: str, session_id: str, expires_at: datetime) -> Document:
    """The document of a token of a session, valid until then."""
    return {"_id": token_hash, "session_id": session_id, "expires_at": to_micros(expires_at)}


async def _give(database: Database, token_hash: str, session_id: str, expires_at: datetime) -> None:
    await database.add(database.tokens, token_document(token_hash, session_id, expires_at))


async def remove_tokens(database: Database, hashes: Sequence[str]) -> None:
    """Removes the tokens before the notes that they were spent: a token without its note could be spent as new."""
    await _remove(database, database.tokens, hashes)
    await _remove(database, database.spent, [key for token_hash in hashes for key in _spent_keys(token_hash)])


async def _remove(database: Database, collection: Collection, keys: Sequence[str]) -> None:
    if keys:
        these = {"_id": {"$in": list(keys)}}
        await database.with_retry(lambda: collection.delete_many(these))


def _spent_keys(token_hash: str) -> Sequence[str]:
    """The `_id`s of the notes that a token was spent: the first time, and each time after it."""
    return [token_hash, *(f"{token_hash}:{number}" for number in range(1, REUSES_MAX + 1))]


async def live_sessions(database: Database, user_id: int) -> Sequence[str]:
    """The sessions of the user that have not ended."""
    return [session.id for session in await live_sessions_of(database, user_id)]


async def live_sessions_of(database: Database, user_id: int) -> Sequence[Session]:
    """The sessions of the user that have not ended, the oldest first."""
    by_age = [("created_at", 1), ("_id", 1)]
    found = await database.find(database.sessions, {"user_id": user_id}, sort=by_age)
    session_ids = [document["_id"] for document in found]
    ended = {document["_id"] for document in await database.get_many(database.revocations, session_ids)}
    return [session_of(document, revoked=False) for document in found if document["_id"] not in ended]


async def revoked_sessions(database: Database, user_ids: Sequence[int]) -> Mapping[int, Sequence[str]]:
    """Those sessions of the users that are revoked and not yet removed, by user id."""
    found = await database.find(database.sessions, {"user_id": {"$in": list(user_ids)}}, fields=["user_id"])
    users = {document["_id"]: document["user_id"] for document in found}
    revoked: dict[int, list[str]] = {}
    for document in await database.get_many(database.revocations, list(users)):
        revoked.setdefault(users[document["_id"]], []).append(document["_id"])
    return revoked


async def end_sessions(
    database: Database, user_id: int, session_ids: Sequence[str], publish: Publish
) -> Sequence[str]:
    """Revokes those of the sessions that have not ended, and returns them. Their tokens, and the notes of spent ones,
    stay until a sweep: another node may have read the session a moment ago, and has to find them."""
    ended = [
        one
        for one in session_ids
        if await database.add(database.revocations, {"_id": one, "by": uuid4().hex})
    ]
    if ended:
        publish(SessionsRevoked(user_id, ended))
    return ended
