"""Registration, login, refresh tokens, logout."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from domain.frozen import frozen
from domain.invites import Use
from domain.models import User
from domain.refusals import TokenReused, TokenUnknown
from domain.text import name_fault, name_key, printable, trimmed
from handlers.account_fields import LOGIN_NAME_CHARS_MAX, Email, Username, account_faults
from handlers.commands.registering import IS_REQUIRED, counted, enter, invite_fault
from handlers.commands.sessions import end_surplus
from handlers.context import Caller, Context
from handlers.live.tokens import hash_of, new_secret
from handlers.policy import Policy
from handlers.registry import Result, command
from handlers.wire.answers import Nothing, RegisteredAnswer, TokensAnswer
from handlers.wire.errors import ChatError, invalid
from handlers.wire.schemas import AnyText
from handlers.wire.views import user_view
from storage.errors import Unavailable

ADDRESS_CHARS_MAX = 64

USER_AGENT_CHARS_MAX = 256


def check_name(context: Context, field: str, name: str) -> str:
    """A display name or chat name as it is stored: see `domain.text`. Raises: `ChatError` `invalid`."""
    kept = trimmed(name)
    fault = name_fault(kept, context.policy.max_name_chars)
    if fault is not None:
        raise invalid(**{field: fault})
    return kept


@frozen
class Register:
    username: Username
    password: AnyText
    email: Email | None = None
    display_name: AnyText | None = None
    invite: AnyText | None = None
    setup_code: AnyText | None = None

    @property
    def name(self) -> str:
        """The display name as it is stored."""
        return trimmed(self.username if self.display_name is None else self.display_name)


def _faults(policy: Policy, values: Mapping[str, Any]) -> Mapping[str, str]:
    """Without what has to be looked up."""
    faults = account_faults(policy, values)
    if policy.registration == "invite" and not values.keys() & {"invite", "setup_code"}:
        faults["invite"] = IS_REQUIRED
    return faults


@command(
    "register",
    Register,
    RegisteredAnswer,
    limit="auth_calls",
    more_faults=_faults,
    errors=("forbidden", "conflict"),
)
async def register(context: Context, caller: Caller, params: Register) -> Result:
    """Creates an account, and takes its user into the chat of the invite, if there is one. Raises: `ChatError`
    `conflict` for a taken name or email; `forbidden` if `REGISTRATION` is closed."""
    if params.setup_code is not None:
        return await _register_admin(context, caller, params, params.setup_code)
    if context.policy.registration == "closed":
        raise ChatError("forbidden", "registration is closed")
    await _check_registration(context, params)
    password_hash = await context.passwords.hash(params.password, turn_of=caller.network, gone=caller.gone)
    async with counted(context, params.invite) as use:
        user = await context.store.users.create(
            username=params.username,
            display_name=params.name,
            email=params.email,
            password_hash=password_hash,
            created_at=context.clock.now(),
        )
    await context.setup.welcome(user)
    return await _registered(context, user, use)


async def _register_admin(context: Context, caller: Caller, params: Register, code: str) -> Result:
    """Creates the first admin of the server, whatever `REGISTRATION` says. Raises: `Forbidden`; as `register` does."""
    await context.setup.check(code)
    await _check_registration(context, params)
    password_hash = await context.passwords.hash(params.password, turn_of=caller.network, gone=caller.gone)
    async with counted(context, params.invite) as use:
        user = await context.setup.create_admin(
            code,
            username=params.username,
            display_name=params.name,
            email=params.email,
            password_hash=password_hash,
        )
    return await _registered(context, user, use)


async def _registered(context: Context, user: User, use: Use | None) -> Result:
    """The new user, who comes into the chat of the invite."""
    chat_id = await enter(context, use, user.id)
    view = user_view(user, context.presence.status_of(user.id), own=True)
    return {"user": view if chat_id is None else {**view, "chat_id": chat_id}}


async def _check_registration(context: Context, params: Register) -> None:
    """Raises: `ChatError` `invalid` with all that is wrong."""
    policy = context.policy
    faults = account_faults(policy, {"password": params.password, "display_name": params.name})
    invite = await invite_fault(context, params.invite, with_setup_code=params.setup_code is not None)
    if invite is not None:
        faults["invite"] = invite
    if faults:
        raise invalid(**faults)


@frozen
class Login:
    username: AnyText
    password: AnyText


@command("login", Login, TokensAnswer, limit="auth_calls", errors=("unauthenticated", "forbidden"))
async def login(context: Context, caller: Caller, params: Login) -> Result:
    """Begins a session. A wrong name and a wrong password get the same answer, after the same time."""
    # Nobody has a name longer than the longest, and comparing text of any length can take seconds: do not look for it.
    name = params.username[:LOGIN_NAME_CHARS_MAX]
    user = await context.store.users.find(name) if name == params.username else None
    if user is not None and user.is_bot:
        raise ChatError("forbidden", "a bot does not log in: its token is all it needs")
    network = caller.network
    account = name_key(name)[:LOGIN_NAME_CHARS_MAX] if user is None else user.id
    password_hash = None if user is None else user.password_hash
    right = await context.login_failures.match(
        account,
        network,
        lambda: context.passwords.match(params.password, password_hash, turn_of=network, gone=caller.gone),
    )
    if user is None or not right:
        raise ChatError("unauthenticated", "wrong username or password")
    if user.banned:
        raise ChatError("forbidden", "the account has ended")
    session_id, refresh_token = new_secret(), new_secret()
    await context.store.sessions.create(
        session_id=session_id,
        user_id=user.id,
        token_hash=hash_of(refresh_token),
        expires_at=context.clock.now() + timedelta(seconds=context.policy.refresh_token_ttl_s),
        created_at=context.clock.now(),
        address=printable(caller.address, ADDRESS_CHARS_MAX),
        user_agent=printable(caller.user_agent, USER_AGENT_CHARS_MAX),
    )
    # The password was checked some time ago. If it was changed since, or the user banned, there was no session yet to
    # revoke: revoke it now.
    try:
        if not await _is_still_right(context, user, params.password, network):
            raise ChatError("unauthenticated", "wrong username or password")
    except ChatError:
        await context.store.sessions.revoke(session_id)
        raise
    await _renew_hash(context, user, params.password, network)
    with suppress(Unavailable):  # the next login does it
        await end_surplus(context, user.id)
    return _tokens_view(context, user, session_id, refresh_token)


async def _is_still_right(context: Context, user: User, password: str, network: str) -> bool:
    now = await context.store.users.get(user.id)
    if now is None or now.banned or now.deleted:
        return False
    # Another hash may be of the same password: another login may have renewed it meanwhile.
    return now.password_hash == user.password_hash or await context.passwords.match(
        password, now.password_hash, turn_of=network
    )


async def _renew_hash(context: Context, user: User, password: str, network: str) -> None:
    """Hashes the password again if `BCRYPT_COST` was changed; if that fails, the next login does it."""
    if context.passwords.is_outdated(user.password_hash):
        with suppress(ChatError, Unavailable):
            renewed = await context.passwords.hash(password, turn_of=network)
            await context.store.users.renew_hash(user.id, user.password_hash, renewed)


@frozen
class Refresh:
    refresh_token: AnyText


@command("refresh", Refresh, TokensAnswer, limit="auth_calls", errors=("unauthenticated", "forbidden"))
async def refresh(context: Context, caller: Caller, params: Refresh) -> Result:
    """Replaces a refresh token by a new pair of tokens. The old one works again for `REFRESH_REUSE_GRACE_S`; its use
    after that ends the session."""
    now = context.clock.now()
    refresh_token = new_secret()
    try:
        session = await context.store.sessions.rotate(
            hash_of(params.refresh_token),
            new_hash=hash_of(refresh_token),
            expires_at=now + timedelta(seconds=context.policy.refresh_token_ttl_s),
            now=now,
            grace_s=context.policy.refresh_reuse_grace_s,
        )
    except (TokenUnknown, TokenReused):
        raise ChatError("unauthenticated", "the refresh token is bad, expired or was used before") from None
    context.session_use.used(session.id)
    user = await context.identities.user_for_answer(session.user_id)
    if user is None or user.banned or user.deleted:
        raise ChatError("forbidden", "the account has ended")
    return _tokens_view(context, user, session.id, refresh_token)


@frozen
class Logout:
    pass


@command("logout", Logout, Nothing, limit="auth_calls", people=True, errors=("forbidden",))
async def logout(context: Context, caller: Caller, _params: Logout) -> Result:
    """Ends the caller's session and the connections of that session. A token of another backend has no session here;
    users whose login is elsewhere end it there: `forbidden`."""
    user = await context.identities.user(caller.user_id)
    if user is not None and user.login_key is not None:
        raise ChatError("forbidden", "the login of this account is elsewhere, and so is its logout")
    if caller.session_id is not None:
        await context.store.sessions.revoke(caller.session_id)
    return {}


def _tokens_view(context: Context, user: User, session_id: str, refresh_token: str) -> Result:
    return {
        "access_token": context.tokens.mint(user.id, session_id),
        "refresh_token": refresh_token,
        "token_type": "bearer",
        "expires_in": context.tokens.access_ttl_s,
        "user": user_view(user, context.presence.status_of(user.id), own=True),
    }
