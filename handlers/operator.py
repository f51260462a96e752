"""What admins of the server and the command line do to accounts. A store is enough for it: no server needs to run."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from domain.acts import AccountUpdate, Act
from domain.decisions.accounts import is_reserved
from domain.decisions.admins import check_actor
from domain.models import User
from domain.refusals import Duplicate
from domain.text import trimmed
from handlers import moderation
from handlers.account_fields import PASSWORDLESS, CreateUser, account_faults, create_user_schema
from handlers.bot_keeper import BOT_ACTIONS, BotKeeper
from handlers.live.clock import Clock
from handlers.live.passwords import Passwords, check_password
from handlers.live.setup import Setup
from handlers.policy import Policy
from handlers.wire.errors import ChatError, invalid, not_found
from handlers.wire.schemas import read
from handlers.wire.views import time_view
from storage.ports import Store

USERS_PER_PAGE = 200

UPLOADS_MAX = 1000
"""How many of the largest uploads are listed at most."""

_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Letters and digits that look like no other."""

_PASSWORD_GROUPS, _GROUP_CHARS = 6, 4

Result = Mapping[str, Any]


def new_password() -> str:
    """A random password of 138 bits, in groups that people can copy by hand."""
    groups = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_CHARS)) for _ in range(_PASSWORD_GROUPS)
    )
    return "-".join(groups)


class Operator:
    """Acts on accounts. `actor_id` is the admin who acts, None for the command line."""

    def __init__(
        self, store: Store, passwords: Passwords, policy: Policy, clock: Clock, setup: Setup
    ) -> None:
        self.store = store
        self._passwords = passwords
        self._policy = policy
        self._clock = clock
        self._setup = setup
        self.bots = BotKeeper(store, policy, clock)

    def act(self, actor_id: int | None = None) -> Act:
        return Act(actor_id, self._clock.now())

    async def create(
        self, params: CreateUser, actor_id: int | None = None, *, turn_of: str = ""
    ) -> tuple[User, str | None]:
        """The new user, and their password if it was made up. Raises: `ChatError` `invalid`; `Duplicate`."""
        display_name = trimmed(params.username if params.display_name is None else params.display_name)
        made_up = new_password() if params.password is None else None
        password = params.password or made_up or ""
        faults = account_faults(self._policy, {"password": password, "display_name": display_name})
        if faults:
            raise invalid(**faults)
        user = await self.store.users.create(
            username=params.username,
            display_name=display_name,
            email=params.email,
            password_hash=await self._passwords.hash(password, turn_of=turn_of),
            created_at=self._clock.now(),
            is_admin=bool(params.is_admin),
            act=self.act(actor_id),
        )
        await self._setup.welcome(user)
        return user, made_up

    async def create_all(self, usernames: Mapping[str, str], password: str, *, admin: str) -> dict[str, int]:
        """Makes accounts from display names by username, all with one password; `admin` is the username of one who
        becomes an admin of the server. Returns ids by username. Raises: `Duplicate`."""
        password_hash, ids = await self._passwords.hash(password), {}
        for username, display_name in usernames.items():
            user = await self.store.users.create(
                username=username,
                display_name=display_name,
                email=None,
                password_hash=password_hash,
                created_at=self._clock.now(),
                is_admin=username == admin,
            )
            await self._setup.welcome(user)
            ids[username] = user.id
        return ids

    async def ensure_admin(self, username: str, password: str) -> None:
        """Makes an admin of this name, unless there is an account of the name: that is never changed. Raises:
        `ChatError` `conflict` for a name that nobody can have."""
        if await self.store.users.find(username) is not None:
            return
        if is_reserved(username):
            raise ChatError("conflict", f"ADMIN_USERNAME: nobody can be called {username}")
        with suppress(Duplicate):
            await self.create(CreateUser(username, password, is_admin=True))

    async def has_password(self, username: str, password: str) -> bool | None:
        """Whether this is the password of the user; None if there is no active user of this name."""
        user = await self.store.users.find(username)
        if user is None or not user.active:
            return None
        return await self._passwords.match(password, user.password_hash)

    async def run(self, action: str, request: Mapping[str, Any]) -> Result:
        """Does one of `ACTIONS` or `BOT_ACTIONS`. Raises: `ChatError`; `Refusal`; `StorageError`."""
        if action in BOT_ACTIONS:
            return await BOT_ACTIONS[action](self.bots, request)
        return await ACTIONS[action](self, request)

    async def set_password(
        self, user: User, password: str | None, actor_id: int | None = None, *, turn_of: str = ""
    ) -> str | None:
        """Sets the password and ends all sessions of the user. Returns the password if it was made up. Raises:
        `ChatError` `invalid`, `forbidden` for a bot and for a user whose login is elsewhere; `NotFound`."""
        if user.is_bot:
            raise ChatError("forbidden", "a bot has no password")
        if user.login_key is not None:
            raise ChatError("forbidden", PASSWORDLESS)
        made_up = new_password() if password is None else None
        check_password(password or made_up or "", self._policy.min_password_chars)
        hashed = await self._passwords.hash(password or made_up or "", turn_of=turn_of)
        await self.store.users.change_password(user.id, hashed, keep_session=None, act=self.act(actor_id))
        return made_up

    async def set_admin(self, user: User, is_admin: bool) -> User:
        """Gives or takes the right of an admin. Raises: `LastAdmin`; `NotFound`."""
        changed = await self.store.users.update(user.id, AccountUpdate(is_admin=is_admin), self.act())
        await self._setup.ensure_default_chat()
        return changed

    async def confirm(self, actor_id: int) -> None:
        """To be called after a page was read: its reader may have lost the right meanwhile, and must not see it then.
        Raises: `Forbidden`."""
        check_actor(self.act(actor_id), await self.store.users.get(actor_id))

    async def named(self, login: str) -> User:
        """Raises: `ChatError` `not_found`."""
        user = await self.store.users.find(login)
        if user is None:
            raise not_found(f"user: {login}")
        return user


async def _create(operator: Operator, request: Mapping[str, Any]) -> Result:
    params = read(CreateUser, create_user_schema, {**request, "username": request["user"]})
    user, password = await operator.create(params)
    return {"id": user.id, "username": user.username, "is_admin": user.is_admin, "password": password}


async def _password(operator: Operator, request: Mapping[str, Any]) -> Result:
    user = await operator.named(request["user"])
    password = await operator.set_password(user, request.get("password"))
    return {"id": user.id, "username": user.username, "password": password}


async def _admin(operator: Operator, request: Mapping[str, Any]) -> Result:
    user = await operator.named(request["user"])
    changed = await operator.set_admin(user, not request.get("off", False))
    return {"id": user.id, "username": user.username, "is_admin": changed.is_admin}


async def _ban(operator: Operator, request: Mapping[str, Any]) -> Result:
    await moderation.ban(operator.store, request["user"], operator.act())
    return {}


async def _unban(operator: Operator, request: Mapping[str, Any]) -> Result:
    await moderation.unban(operator.store, request["user"], operator.act())
    return {}


async def _delete(operator: Operator, request: Mapping[str, Any]) -> Result:
    await moderation.delete(operator.store, request["user"], operator.act())
    return {}


async def _list(operator: Operator, request: Mapping[str, Any]) -> Result:
    """A page of all accounts; `next` is the `after` of the next one, null on the last."""
    users = await operator.store.users.search_all(
        "", after_id=int(request.get("after", 0)), limit=USERS_PER_PAGE
    )
    return {
        "users": [
            {
                "id": user.id,
                "username": user.username,
                "display_name": user.display_name,
                "email": user.email,
                "is_admin": user.is_admin,
                "banned": user.banned,
                "is_bot": user.is_bot,
                "created_at": time_view(user.created_at),
            }
            for user in users
        ],
        "next": users[-1].id if len(users) == USERS_PER_PAGE else None,
    }


async def _uploads(operator: Operator, request: Mapping[str, Any]) -> Result:
    """How many uploads there are, what they take together, and the largest of them, at most `largest`."""
    uploads = operator.store.uploads
    limit = min(int(request.get("largest", 0)), UPLOADS_MAX)
    totals, largest = await uploads.totals(), await uploads.largest(limit) if limit > 0 else ()
    users = await operator.store.users.get_many({upload.user_id for upload in largest})
    return {
        "count": totals.count,
        "size_bytes": totals.size_bytes,
        "largest": [
            {
                "id": upload.id,
                "name": upload.name,
                "content_type": upload.content_type,
                "size_bytes": upload.size,
                "user_id": upload.user_id,
                "username": users[upload.user_id].username if upload.user_id in users else "",
                "message_id": upload.message_id,
                "created_at": time_view(upload.created_at),
            }
            for upload in largest
        ],
    }


ACTIONS: Mapping[str, Callable[[Operator, Mapping[str, Any]], Awaitable[Result]]] = {
    "ban": _ban,
    "unban": _unban,
    "delete": _delete,
    "create": _create,
    "password": _password,
    "admin": _admin,
    "list": _list,
    "uploads": _uploads,
}
"""By name, the actions of `vestnik user`, each of which takes a request with `user`, a username or email, and options;
and that of `vestnik uploads`."""
