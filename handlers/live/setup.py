"""The first admin of the server, the link that makes one, and the default chat."""

import structlog

from domain.models import User
from domain.refusals import Forbidden, Refusal
from handlers.live.clock import Clock
from handlers.live.tokens import hash_of, new_secret
from handlers.policy import Policy
from storage.errors import Unavailable
from storage.ports import Store

log = structlog.get_logger("vestnik")


class Setup:
    """A one-time code makes the first admin. The store keeps its hash alone, and a new code replaces an earlier one."""

    def __init__(self, store: Store, clock: Clock, policy: Policy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._done = False
        """There is an admin. One stays, so this is true for ever."""

    async def needed(self) -> bool:
        """Whether the server has no admin."""
        if not self._done:
            self._done = await self._store.users.admin() is not None
        return not self._done

    async def new_code(self) -> str | None:
        """A new code, after which earlier ones are dead; None if the server has an admin."""
        if not await self.needed():
            return None
        code = new_secret()
        await self._store.users.keep_setup_hash(hash_of(code))
        return code

    async def check(self, code: str) -> None:
        """Raises: `Forbidden` for a code that is wrong, used or not needed."""
        if not await self.needed() or await self._store.users.setup_hash() != hash_of(code):
            raise Forbidden("this setup link does not work, or not any more")

    async def create_admin(
        self, code: str, *, username: str, display_name: str, email: str | None, password_hash: str
    ) -> User:
        """The first admin, who owns the default chat. Raises: `Forbidden`; `Duplicate`."""
        user = await self._store.users.create_first_admin(
            setup_hash=hash_of(code),
            username=username,
            display_name=display_name,
            email=email,
            password_hash=password_hash,
            created_at=self._clock.now(),
        )
        await self.welcome(user)
        return user

    async def ensure_default_chat(self) -> None:
        """Creates the default chat, if the settings name one and there is an admin to own it. Raises: `Unavailable`."""
        if self._policy.default_chat and (admin := await self._store.users.admin()) is not None:
            await self._store.chats.create_default(
                name=self._policy.default_chat, owner_id=admin.id, created_at=self._clock.now()
            )

    async def default_chat_id(self) -> int | None:
        """The chat that new accounts join; None without such a setting or chat. Raises: `Unavailable`."""
        return await self._store.chats.default_id() if self._policy.default_chat else None

    async def welcome(self, user: User) -> None:
        """Takes a new user into the default chat. If that cannot be done now, the account is made all the same."""
        if not self._policy.default_chat or user.is_bot:
            return
        try:
            await self.ensure_default_chat()
            await self._store.chats.join_default(user.id, self._clock.now())
        except (Refusal, Unavailable) as error:
            log.warning("a new user did not come into the default chat", user_id=user.id, reason=str(error))
