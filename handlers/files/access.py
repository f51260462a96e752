"""Who may read an upload."""

from domain.files import Upload
from handlers.context import Context
from handlers.wire.errors import ChatError, not_found


async def readable(context: Context, user_id: int, upload_id: str) -> Upload:
    """The upload, for a member of the chat whose message has it; as long as none has it, for the user who sent it.
    Raises: `ChatError` `not_found` for anybody else, as for an upload that there is not."""
    upload = await context.store.uploads.get(upload_id)
    if upload is None:
        raise not_found("file")
    if upload.message_id is None:
        if upload.user_id != user_id:
            raise not_found("file")
        return upload
    message = await context.store.messages.get(upload.message_id)
    if message is None or message.deleted:
        raise not_found("file")
    try:
        await context.directory.for_reader(user_id, message.chat_id)
    except ChatError as error:
        raise (not_found("file") if error.code == "not_found" else error) from None
    return upload
