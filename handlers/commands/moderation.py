"""What whoever runs the server does to accounts, on a store that a server may or may not be running on."""

from domain.models import Actor, User
from handlers.wire.errors import not_found
from storage.errors import NotFound
from storage.ports import Store


async def ban(store: Store, login: str) -> None:
    """Ends everything the user has open and lets them in no more, until `unban`. Chats whose last owner they were get
    another one, if anybody active is in them. Raises: `ChatError` `not_found`."""
    await store.users.set_banned((await _named(store, login)).id, True)


async def unban(store: Store, login: str) -> None:
    """Lets the user in again; he has to log in anew. Raises: `ChatError` `not_found`."""
    await store.users.set_banned((await _named(store, login)).id, False)


async def delete(store: Store, login: str) -> None:
    """Ends the account for good. The user leaves his groups and channels, so that each keeps an owner; what he wrote
    stays. Whatever it is interrupted by, it can be done again. Raises: `ChatError` `not_found`."""
    user = await _named(store, login)
    # Each chat is told of one change, the leaving, which passes the role on.
    await store.users.set_banned(user.id, True, pass_on=False)
    for chat_id in await _chats_to_leave(store, user.id):
        try:
            await store.chats.remove_member(chat_id, user.id, user.id, _anybody)
        except NotFound:
            continue  # removed meanwhile
    await store.users.delete(user.id)


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


def _anybody(_standing: Actor) -> None:
    """A rule that forbids nothing."""
