"""What an operator can do to accounts. A store is enough for it: no server needs to run on that store."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

from domain.acts import UNAUDITED, AccountUpdate, Act
from domain.models import ChatSummary, User
from domain.refusals import NotFound
from handlers.wire.errors import not_found
from storage.ports import Store


async def ban(store: Store, login: str, act: Act = UNAUDITED) -> None:
    """Ends the user's sessions and connections, and refuses new ones until `unban`. A chat whose last owner the user
    was gets another owner, if it has another active member. Raises: `ChatError` `not_found`; `LastAdmin`."""
    await store.users.update((await _named(store, login)).id, AccountUpdate(banned=True), act)


async def unban(store: Store, login: str, act: Act = UNAUDITED) -> None:
    """Lets the user log in again, or the bot connect with a new token. Raises: `ChatError` `not_found`; `Forbidden` for
    a bot that is banned only because its owner is."""
    await store.users.update((await _named(store, login)).id, AccountUpdate(banned=False), act)


async def delete(store: Store, login: str, act: Act = UNAUDITED) -> None:
    """Ends the account for good. The user leaves their groups and channels, so that each keeps an owner; their messages
    stay. An interrupted deletion can be repeated. Raises: `ChatError` `not_found`; `LastAdmin`."""
    await end_account(store, (await _named(store, login)).id, act)


async def end_account(store: Store, user_id: int, act: Act = UNAUDITED) -> None:
    """What `delete` does, for a user by id: their bots end with them. Raises: `NotFound`, also for an account that is
    deleted already; `LastAdmin`; `Forbidden`."""
    # The owner's role passes on when the user leaves a chat, so that each chat sees one change and not two.
    await store.users.update(user_id, AccountUpdate(banned=True), replace(act, audited=False), pass_on=False)
    ending = [user_id, *(bot.id for bot in await store.bots.of_owner(user_id))]
    for one in ending:
        await _leave_chats(store, one, act.at)
    await store.users.delete(user_id, replace(act, checked=True))
    # Somebody may have added one of them to a chat meanwhile; from now on nobody can.
    for one in ending:
        await _leave_chats(store, one, act.at)


async def _named(store: Store, login: str) -> User:
    user = await store.users.find(login)
    if user is None:
        raise not_found(f"user: {login}")
    return user


async def _leave_chats(store: Store, user_id: int, at: datetime) -> None:
    for chat_id in await _chats_to_leave(store, user_id):
        try:
            await store.chats.remove_member(chat_id, user_id, user_id, at)
        except NotFound:
            continue  # removed meanwhile


async def _chats_to_leave(store: Store, user_id: int) -> list[int]:
    """The user's groups and channels, hidden ones too: the members of a private chat are fixed."""
    return [
        summary.chat.id
        for hidden in (True, False)  # in this order: a message that comes meanwhile shows a hidden chat again
        async for summary in _summaries(store, user_id, hidden=hidden)
        if summary.chat.chat_type != "private"
    ]


async def _summaries(store: Store, user_id: int, *, hidden: bool) -> AsyncIterator[ChatSummary]:
    cursor: str | None = None
    while True:
        page, cursor = await store.chats.list_for(user_id, cursor=cursor, limit=200, hidden=hidden)
        for summary in page:
            yield summary
        if cursor is None:
            return
