"""Admins of the server, made as the command line makes them."""

from domain.acts import AccountUpdate, Act
from handlers.chat_app import ChatApp
from tests.storage.world import START


async def make_admin(chat_app: ChatApp, user_id: int) -> None:
    await chat_app.context.store.users.update(user_id, AccountUpdate(is_admin=True), Act(None, START))
