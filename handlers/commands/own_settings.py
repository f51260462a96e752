"""What members set in a chat for themselves."""

from typing import Annotated, cast, get_args

from domain.decisions.settings import SettingsRequest
from domain.frozen import frozen
from domain.models import Notifications
from handlers.context import Caller, Context
from handlers.registry import Result, command
from handlers.wire.answers import ChatAnswer
from handlers.wire.schemas import Flag, Id, StrictString
from handlers.wire.views import summary_view


@frozen
class ChangeSettings:
    chat_id: Id
    notifications: Annotated[str | None, StrictString(one_of=get_args(Notifications))] = None
    favorite: Flag | None = None
    hidden: Flag | None = None
    marked_unread: Flag | None = None


@command("change_settings", ChangeSettings, ChatAnswer, limit="changes", errors=("not_found",))
async def change_settings(context: Context, caller: Caller, params: ChangeSettings) -> Result:
    """Changes what the caller has set in a chat: those settings that are given. Their connections get
    `chat_settings`."""
    await context.directory.for_member(caller.user_id, params.chat_id)
    request = SettingsRequest(
        cast(Notifications | None, params.notifications),
        params.favorite,
        params.hidden,
        params.marked_unread,
    )
    await context.store.chats.change_settings(params.chat_id, caller.user_id, request)
    summary = await context.store.chats.summary(params.chat_id, caller.user_id)
    return {"chat": summary_view(summary, context.clock.now(), context.links)}
