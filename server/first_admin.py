"""Who administers a server that has just started."""

import sys
from contextlib import suppress

from handlers.chat_app import ChatApp
from handlers.wire.errors import ChatError
from server.config import Config
from server.start_error import StartError
from storage.errors import StorageError


async def prepare_admins(chat_app: ChatApp, config: Config) -> None:
    """Creates the admin whom the settings name and the default chat, if they are not there. Raises: `StartError`."""
    try:
        if config.admin_username:
            await chat_app.ensure_admin(config.admin_username, config.admin_password)
        await chat_app.ensure_default_chat()
    except (ChatError, StorageError) as error:
        raise StartError(f"the admin and the default chat could not be made: {error}") from None


async def print_setup_link(chat_app: ChatApp, url: str) -> None:
    """Prints a link that makes the first admin, while there is none. To standard output and not through the log, which
    may be kept, and may be silent."""
    code = await chat_app.new_setup_code()
    if code is None:
        return
    with suppress(OSError):  # nobody reads the output
        sys.stdout.write(
            f"\n  This server has no admin yet. Whoever opens this link first becomes the admin:\n"
            f"  {url}/setup?code={code}\n\n"
        )
        sys.stdout.flush()
