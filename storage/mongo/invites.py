"""Invites of chats and of the server."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Literal

from domain.audit import AuditEntry
from domain.changes import MemberAdded
from domain.decisions import invites as decisions
from domain.decisions.admins import ADMINS_ONLY
from domain.decisions.view import MemberView
from domain.invites import Invite, InviteView, Use
from domain.models import Actor, Chat, User
from domain.permissions import check_invite
from domain.refusals import Forbidden, NotFound, Refusal
from storage.mongo import chat_list, invite_documents
from storage.mongo.audit import write_server
from storage.mongo.chat_writes import ChatWrite
from storage.mongo.database import Database
from storage.mongo.documents import chat_of, user_of
from storage.mongo.new_kinds import check_kinds
from storage.mongo.writer import Writer


class MongoInvites:
    """See `storage.ports.Invites`.

    What a chat's invites may do is decided on its log. A use is taken before the change that needs it, and given back
    if that is refused. If it is not known whether the change was made, the use stays taken: one may be lost, and there
    is never one too many.
    """

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    async def create(self, invite: Invite) -> Invite:
        if invite.chat_id is None:
            others = await self.of_server(invite.created_at)
            decisions.check_make_on_server(invite, await self._maker(invite.created_by), others)
            await invite_documents.insert(self._database, None, invite_documents.invite_document(invite))
            await self._tell(invite.created_by, "invite_made", invite.created_at)
        else:
            await self._writer.submit(ChatWrite(invite.chat_id, lambda view: decisions.make(view, invite)))
        await invite_documents.remove_expired(self._database, invite.chat_id, invite.created_at)
        return invite

    async def of_chat(self, chat_id: int, user_id: int, at: datetime) -> Sequence[Invite]:
        check_invite(await chat_list.actor(self._database, chat_id, user_id))
        invites = await invite_documents.of_chat(self._database, chat_id)
        makers = {one: await self._maker_in(chat_id, one) for one in {one.created_by for one in invites}}
        return decisions.in_order(one for one in invites if _works(one, at, *makers[one.created_by]))

    async def of_server(self, at: datetime) -> Sequence[Invite]:
        invites = await invite_documents.of_chat(self._database, None)
        makers = {one: await self._maker(one) for one in {invite.created_by for invite in invites}}
        return decisions.in_order(
            invite for invite in invites if decisions.works_on_server(invite, at, makers[invite.created_by])
        )

    async def find(self, code: str, at: datetime) -> InviteView | None:
        try:
            return await self._find(code, at)
        except NotFound:
            return None

    async def remove(self, code: str, user_id: int, at: datetime, *, is_server_admin: bool = False) -> None:
        invite = await self._stored(code)
        chat_id = invite.chat_id
        if chat_id is not None:
            decision = partial(decisions.remove, is_server_admin=is_server_admin)
            await self._writer.submit(
                ChatWrite(chat_id, lambda view: decision(view, chat_id, code, user_id, at))
            )
        elif not is_server_admin:
            raise Forbidden(ADMINS_ONLY)
        else:
            await invite_documents.end(self._database, {"_id": code})
            await self._tell(user_id, "invite_removed", at)

    async def accept(self, code: str, user_id: int, at: datetime) -> int | None:
        invite = await self._stored(code)
        chat_id = invite.chat_id
        if chat_id is None:
            await self._find(code, at)
            return None

        def is_member(view: MemberView) -> bool:
            return not isinstance(decisions.accept(view, chat_id, code, user_id, at), MemberAdded)

        # So that nobody takes a use, which others may miss for a moment, to be refused then.
        if not await self._writer.submit(ChatWrite(chat_id, is_member)):
            use = await self._claim(invite, at)
            if not await self._enter(use, user_id, at):
                await self.give_back(use)
        return chat_id

    async def take(self, code: str, at: datetime) -> Use:
        return await self._claim((await self._find(code, at)).invite, at)

    async def give_back(self, use: Use) -> None:
        await invite_documents.give_back(self._database, use)

    async def enter(self, use: Use, user_id: int, at: datetime) -> None:
        await self._enter(use, user_id, at)

    async def _tell(
        self, actor_id: int, action: Literal["invite_made", "invite_removed"], at: datetime
    ) -> None:
        """Adds an entry to the audit of the server."""
        await write_server(self._database, AuditEntry(0, at, actor_id, action))

    async def _find(self, code: str, at: datetime) -> InviteView:
        """The invite, by what is projected: that is all that any node has acked. Raises: `NotFound` if it does not
        work."""
        invite = await self._stored(code)
        if invite.chat_id is None:
            maker = await self._maker(invite.created_by)
            if not decisions.works_on_server(invite, at, maker):
                raise NotFound("invite")
            return InviteView(invite, None, maker)
        actor, maker = await self._maker_in(invite.chat_id, invite.created_by)
        if not _works(invite, at, actor, maker):
            raise NotFound("invite")
        return InviteView(invite, await self._chat(invite.chat_id), maker)

    async def _stored(self, code: str) -> Invite:
        """Raises: `NotFound` if there is none, or it has ended."""
        invite = await invite_documents.find(self._database, code)
        if invite is None or invite.ended:
            raise NotFound("invite")
        return invite

    async def _claim(self, invite: Invite, at: datetime) -> Use:
        """Raises: `NotFound` if all uses are taken."""
        use = await invite_documents.claim(self._database, invite, at)
        if use is None:
            raise NotFound("invite")
        return use

    async def _enter(self, use: Use, user_id: int, at: datetime) -> bool:
        """Whether the user has become a member by this. Raises: a `Refusal`, and then the use is given back."""
        chat_id = use.chat_id
        assert chat_id is not None

        def decision(view: MemberView) -> MemberAdded | None:
            outcome = decisions.accept(view, chat_id, use.code, user_id, at, claimed=True)
            return outcome if isinstance(outcome, MemberAdded) else None

        try:
            return await self._writer.submit(ChatWrite(chat_id, decision)) is not None
        except Refusal:
            await self.give_back(use)
            raise

    async def _maker_in(self, chat_id: int, user_id: int) -> tuple[Actor | None, User]:
        """The maker in the chat, None if they are not in it or it is gone; and their account."""
        try:
            actor = await chat_list.actor(self._database, chat_id, user_id)
        except NotFound:
            actor = None
        return actor, await self._maker(user_id)

    async def _chat(self, chat_id: int) -> Chat:
        """Raises: `NotFound`."""
        document = await self._database.get(self._database.chats, str(chat_id))
        if document is None or document["deleted"]:
            raise NotFound(f"chat {chat_id}")
        check_kinds(document)
        return chat_of(document)

    async def _maker(self, user_id: int) -> User:
        document = await self._database.get(self._database.users, str(user_id))
        assert document is not None
        return user_of(document)


def _works(invite: Invite, at: datetime, actor: Actor | None, maker: User) -> bool:
    return actor is not None and decisions.works(invite, at, actor, maker_is_active=maker.active)
