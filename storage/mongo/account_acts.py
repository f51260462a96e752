"""What admins, and users themselves, do to accounts: it is decided in the log of admins, then written and published."""

from collections.abc import Sequence

from domain.acts import AccountUpdate, Act, Action, entries_of_act, entries_of_update
from domain.audit import AuditEntry
from domain.changes import SessionsRevoked, UserChanged
from domain.decisions.admins import check_actor, shows_change
from domain.decisions.invites import ended_with
from domain.models import User
from domain.refusals import Forbidden
from domain.text import name_key
from storage.mongo import invite_documents
from storage.mongo.account_writes import Publish
from storage.mongo.admin_log import AdminLog, AdminRow
from storage.mongo.audit import write_server
from storage.mongo.database import Database
from storage.mongo.documents import user_of
from storage.mongo.sessions import end_sessions, live_sessions, revoked_sessions
from storage.mongo.uploads import MongoUploads

_SETUP = "setup"


class AccountActs:
    """Carries out acts for `storage.mongo.users`, within its queue of writes.

    The entry of the audit comes last: a crash may lose that of an act that was not acked.
    """

    def __init__(self, database: Database, uploads: MongoUploads) -> None:
        self._database = database
        self.uploads = uploads
        self.log = AdminLog(database)

    async def update(self, user_id: int, wanted: AccountUpdate, act: Act, publish: Publish) -> User:
        """See `storage.ports.Users.update`; passes nothing on."""
        before, after, row = await self.log.decide(user_id, wanted, act)
        if wanted.deleted:
            # First: if this is interrupted, a repeat does not find a user who is deleted already.
            await self._end_sessions(user_id, publish)
        if row is not None:
            if (after.deleted or before.banned) and not wanted.deleted:
                # A node that banned the user may have died before it came to the sessions; none of them comes back.
                await self._end_sessions(user_id, publish)
            await self.log.write(row)
        # Also after a repeat, in case the first try was interrupted.
        if (ended := ended_with(before, after)) is not None:
            of_server = ended == "of the server"
            await invite_documents.end_made(self._database, user_id, of_server=of_server)
        if after.display_name != before.display_name and not after.deleted:
            await self._rename(after)
        if after == before and wanted.banned is not None:
            # The server that did it may have died before it told the others.
            publish(UserChanged(after))
            for session_ids in (await revoked_sessions(self._database, [user_id])).values():
                publish(SessionsRevoked(user_id, session_ids))
        if after != before:
            after = await self._read(user_id)
            shown = shows_change(before, after)
            publish(UserChanged(after, shown, own=after.is_admin != before.is_admin))
        if after.banned and not after.deleted:
            await self._end_sessions(user_id, publish)
        if after.deleted:
            await self.uploads.end_account(user_id, before.avatar_id)
        await self._audit(entries_of_update(before, after, act))
        return after

    async def make_first_admin(self, user: User, act: Act, publish: Publish) -> User:
        """Makes a user the first admin who was created a moment ago, and removes the user if there is one already.
        Raises: `Forbidden`."""
        row: AdminRow | None = await self.log.make_first(user.id)
        if row is None:
            users = self._database.users
            await self._database.with_retry(lambda: users.delete_one({"_id": str(user.id)}))
            raise no_setup()
        await self.log.write(row)
        await self._database.with_retry(lambda: self._database.meta.delete_one({"_id": _SETUP}))
        made = await self._read(user.id)
        publish(UserChanged(made))
        await self.note(act, "admin_added", user.id)
        return made

    async def keep_setup_hash(self, setup_hash: str) -> None:
        meta, change = self._database.meta, {"$set": {"value": setup_hash}}
        await self._database.with_retry(lambda: meta.update_one({"_id": _SETUP}, change, upsert=True))

    async def setup_hash(self) -> str | None:
        found = await self._database.get(self._database.meta, _SETUP)
        return None if found is None else found["value"]

    async def check(self, act: Act) -> None:
        """Raises: `Forbidden` if the one who acts does not administer the server."""
        if act.actor_id is not None:
            check_actor(act, await self._read(act.actor_id))

    async def note(self, act: Act, action: Action, user_id: int, detail: str | None = None) -> None:
        """Writes what the audit of the server says of an act."""
        await self._audit(entries_of_act(act, action, user_id, detail))

    async def _audit(self, entries: Sequence[AuditEntry]) -> None:
        for entry in entries:
            await write_server(self._database, entry)

    async def _rename(self, user: User) -> None:
        users = self._database.users
        names = {"display_name": user.display_name, "display_name_key": name_key(user.display_name)}
        await self._database.with_retry(lambda: users.update_one({"_id": str(user.id)}, {"$set": names}))

    async def _end_sessions(self, user_id: int, publish: Publish) -> None:
        await end_sessions(self._database, user_id, await live_sessions(self._database, user_id), publish)

    async def _read(self, user_id: int) -> User:
        document = await self._database.get(self._database.users, str(user_id))
        assert document is not None
        return user_of(document)


def no_setup() -> Forbidden:
    """The refusal of a setup code, wrong or used or not needed."""
    return Forbidden("this setup link does not work, or not any more")
