"""What an operator can do to accounts. A store is enough for it: no server needs to run on that store."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from domain.models import User
from domain.refusals import NotFound
from handlers.wire.errors import not_found
from storage.ports import Store


async def ban(store: Store, login: str) -> None:
    """Ends the user's sessions and connections, and refuses new ones until `unban`. A chat whose last owner the user
    was gets another owner, if it has another active member. Raises: `ChatError` `not_found`."""
    await store.users.set_banned((await _named(store, login)).id, True)


async def unban(store: Store, login: str) -> None:
    """Lets the user log in again. Raises: `ChatError` `not_found`."""
    await store.users.set_banned((await _named(store, login)).id, False)


async def delete(store: Store, login: str) -> None:
    """Ends the account for good. The user leaves their groups and channels, so that each keeps an owner; their messages
    stay. An interrupted deletion can be repeated. Raises: `ChatError` `not_found`."""
    await end_account(store, (await _named(store, login)).id)


async def end_account(store: Store, user_id: int) -> None:
    """What `delete` does, for a user by id. Raises: `NotFound`, also for an account that is deleted already."""
    # The owner's role passes on when the user leaves a chat, so that each chat sees one change and not two.
    await store.users.set_banned(user_id, True, pass_on=False)
    for chat_id in await _chats_to_leave(store, user_id):
        try:
            await store.chats.remove_member(chat_id, user_id, user_id, datetime.now(UTC))
        except NotFound:
            continue  # removed meanwhile
    await store.users.delete(user_id)


async def _named(store: Store, login: str) -> User:
    user = await store.users.find(login)
    if user is None:
        raise not_found(f"user: {login}")
    return user


async def _chats_to_leave(store: Store, user_id: int) -> list[int]:
    found: list[int] = []
    cursor: str | None = None
    while True:
        page, cursor = await store.chats.list_for(user_id, cursor=cursor, limit=200)
        # The members of a private chat are fixed.
        found += [summary.chat.id for summary in page if summary.chat.chat_type != "private"]
        if cursor is None:
            return found


ACTIONS: Mapping[str, Callable[[Store, str], Awaitable[None]]] = {
    "ban": ban,
    "unban": unban,
    "delete": delete,
}
"""By name, the actions of `vestnik user`: each takes a store and a username or email."""
