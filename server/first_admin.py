"""Who is there when a server starts: the demo, the admin of the settings, and the link that makes the first admin."""

import sys
from contextlib import suppress

from handlers.chat_app import ChatApp
from handlers.wire.errors import ChatError
from server.config import Config
from server.demo import PEOPLE, demo_hint, demo_password, seed_demo
from server.start_error import StartError
from storage.errors import StorageError


async def prepare_people(chat_app: ChatApp, config: Config) -> None:
    """Makes the demo, the admin whom the settings name and the default chat, as far as the settings want them and they
    are not there. Raises: `StartError`."""
    if config.seed_demo:
        await _seed(chat_app, config.secret_key)
    try:
        if config.admin_username:
            await chat_app.operator.ensure_admin(config.admin_username, config.admin_password)
        await chat_app.setup.ensure_default_chat()
    except (ChatError, StorageError) as error:
        raise StartError(f"the admin and the default chat could not be made: {error}") from None


async def _seed(chat_app: ChatApp, secret_key: str) -> None:
    """Makes the demo, and says how to log in to it. To the terminal and not through the log, which may be kept."""
    password = demo_password(secret_key, chat_app.store_id)
    if await seed_demo(chat_app, password):
        said: str | None = f"Demo users {', '.join(PEOPLE)}; their password: {password}"
    else:
        said = await demo_hint(chat_app, password)
    if said is not None:
        sys.stderr.write(f"\n  {said}\n\n")
        sys.stderr.flush()


async def print_setup_link(chat_app: ChatApp, url: str) -> None:
    """Prints a link that makes the first admin, while there is none. To standard output and not through the log, which
    may be kept, and may be silent. Raises: `StartError`."""
    try:
        code = await chat_app.setup.new_code()
    except StorageError as error:
        raise StartError(f"the setup link could not be made: {error}") from None
    if code is None:
        return
    elsewhere = (
        "  (on another machine: with its address in place of localhost)\n" if "//localhost" in url else ""
    )
    with suppress(OSError):  # nobody reads the output
        sys.stdout.write(
            "\n  This server has no admin yet. The first person to open this link becomes the admin:\n"
            f"  {url}/setup?code={code}\n{elsewhere}\n"
        )
        sys.stdout.flush()
