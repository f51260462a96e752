"""What was done in a chat, and by whom."""

from typing import Annotated

from domain.frozen import frozen
from domain.permissions import check_oversee
from domain.refusals import BadReference
from handlers.context import Caller, Context
from handlers.registry import Result, command
from handlers.wire.answers import AuditAnswer
from handlers.wire.moderation_views import audit_view
from handlers.wire.pages import bad_cursor
from handlers.wire.schemas import AnyText, Id, StrictInteger

ENTRIES_PER_PAGE = 200
"""An entry takes no more than 4 KB: its longest text is the reason of a ban."""


@frozen
class ListAudit:
    chat_id: Id
    cursor: AnyText | None = None
    limit: Annotated[int, StrictInteger(1, ENTRIES_PER_PAGE)] = 50


@command("list_audit", ListAudit, AuditAnswer, limit="queries", errors=("not_found", "forbidden"))
async def list_audit(context: Context, caller: Caller, params: ListAudit) -> Result:
    """A page of the audit of a group or channel, newest entry first, for its owners and admins."""
    store = context.store
    check_oversee(await store.chats.actor(params.chat_id, caller.user_id))
    try:
        entries, next_cursor = await store.audit.page(
            params.chat_id, cursor=params.cursor, limit=params.limit
        )
    except BadReference:
        raise bad_cursor() from None
    # The caller may have lost the right while the page was read, and then must not see it.
    check_oversee(await store.chats.actor(params.chat_id, caller.user_id))
    return {"entries": [audit_view(entry) for entry in entries], "next_cursor": next_cursor}
