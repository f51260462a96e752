"""The accounts of an issuer's people: found by issuer and subject alone, and made at first sight."""

import secrets
from collections.abc import Awaitable, Callable, Iterator

import structlog

from domain.models import User
from domain.refusals import Duplicate
from domain.text import name_fault, printable, trimmed
from domain.usernames import CHARS_MIN, numbered, username_like
from handlers.issuer.tokens import Person
from handlers.live.cache import Cache
from handlers.live.clock import Clock
from handlers.wire.endings import Ending, Refused
from storage.ports import Users

log = structlog.get_logger("vestnik")

KEPT = 50_000
"""How many people are kept in memory."""

SUBSTITUTE = "user"
"""The beginning of the username of somebody whose own name has no letter that a username can have."""

_IN_TURN, _AT_RANDOM = range(2, 6), 20
"""The numbers that are tried behind a name that is taken, and how often a random one is tried after them."""


class IssuerAccounts:
    """Finds the account of a person, and makes it if `create`. `welcome` is called with each new user."""

    def __init__(
        self,
        users: Users,
        clock: Clock,
        welcome: Callable[[User], Awaitable[None]],
        *,
        create: bool,
        max_name_chars: int,
    ) -> None:
        self._users = users
        self._clock = clock
        self._welcome = welcome
        self._create = create
        self._max_name_chars = max_name_chars
        self._ids: Cache[Person, int] = Cache(self._find_or_make, capacity=KEPT)
        """Nobody ever gets another id. People who come in over several connections at once are made once."""

    def peek(self, person: Person) -> int | None:
        """The id of their account, if it is in memory."""
        return self._ids.peek(person)

    async def id_of(self, person: Person) -> int:
        """The id of their account, which may have ended. Raises: `Refused` (UNAUTHENTICATED) if there is none;
        `Unavailable`."""
        user_id = await self._ids.get(person)
        if user_id is None:
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED, "the token is of nobody here")
        return user_id

    async def _find_or_make(self, person: Person) -> int | None:
        user = await self._users.of_login(person.key)
        if user is not None or not self._create:
            return None if user is None else user.id
        for username in usernames_for(person.username):
            try:
                user = await self._users.create(
                    username=username,
                    display_name=display_name_of(person, username, self._max_name_chars),
                    email=None,
                    password_hash="",
                    created_at=self._clock.now(),
                    login_key=person.key,
                )
            except Duplicate as error:
                if error.field != "login":
                    continue
                user = await self._users.of_login(person.key)  # another node has just made them
                return None if user is None else user.id
            log.info("a user of the issuer has an account now", user_id=user.id)
            await self._welcome(user)
            return user.id
        raise Refused("unavailable", Ending.OVERLOADED, "no username was free; try again")


def usernames_for(wanted: str) -> Iterator[str]:
    """Usernames for somebody who is called so elsewhere, the best one first."""
    base = username_like(wanted)
    if len(base) >= CHARS_MIN:
        yield base
    base = base or SUBSTITUTE
    for number in _IN_TURN:
        yield numbered(base, number)
    for _ in range(_AT_RANDOM):
        yield numbered(base, 1000 + secrets.randbelow(1_000_000))


def display_name_of(person: Person, username: str, longest: int) -> str:
    """Their name as they have it elsewhere, as far as a display name can be so; else the username."""
    for name in (person.name, person.username):
        for kept in (trimmed(name), printable(name, longest)):
            if name_fault(kept, longest) is None:
                return kept
    return username
