"""Files: fresh links, and avatars that are taken away. What is sent and what is read goes by `handlers.files`."""

from typing import Annotated

from domain.frozen import frozen
from handlers.commands.chats import chat_summary
from handlers.commands.users import PUBLISHED_WITHIN_S
from handlers.context import Caller, Context
from handlers.files.access import readable
from handlers.live.limits import RECIPIENTS_PER_TOKEN
from handlers.registry import Result, command
from handlers.wire.answers import ChatAnswer, LinksAnswer, UserAnswer
from handlers.wire.schemas import Id, StrictString
from handlers.wire.views import user_view


@frozen
class OneUpload:
    upload_id: Annotated[str, StrictString(1, 64)]


@command("get_upload_urls", OneUpload, LinksAnswer, limit="queries", errors=("not_found",))
async def get_upload_urls(context: Context, caller: Caller, params: OneUpload) -> Result:
    """Fresh links to a file, for members of its chat; as long as no message has it, for its sender."""
    upload = await readable(context, caller.user_id, params.upload_id)
    urls = {"url": context.links.upload(upload.id)}
    if upload.has_thumbnail:
        urls["thumbnail_url"] = context.links.thumbnail(upload.id)
    return urls


@frozen
class NoParameters:
    pass


@command("remove_avatar", NoParameters, UserAnswer, limit="changes", errors=())
async def remove_avatar(context: Context, caller: Caller, _params: NoParameters) -> Result:
    """Takes the caller's avatar away."""
    user = await context.store.users.set_avatar(caller.user_id, None)
    await context.announcer.published(user.id, PUBLISHED_WITHIN_S)
    return {"user": user_view(user, context.presence.status_of(user.id), own=True)}


@frozen
class ChatOfAvatar:
    chat_id: Id


@command("remove_chat_avatar", ChatOfAvatar, ChatAnswer, limit="changes", errors=("not_found", "forbidden"))
async def remove_chat_avatar(context: Context, caller: Caller, params: ChatOfAvatar) -> Result:
    """Takes the avatar of a group or channel away: owners and admins may. All members get `chat_changed`."""
    chat = await context.directory.for_member(caller.user_id, params.chat_id)
    context.limiter.spend("changes", caller.user_id, len(chat.members) / RECIPIENTS_PER_TOKEN)
    await context.store.chats.set_avatar(params.chat_id, caller.user_id, None, context.clock.now())
    return {"chat": await chat_summary(context, caller, params.chat_id)}
