"""What becomes of an account, and who stays an admin of the server."""

from collections.abc import Callable
from dataclasses import replace

from domain.acts import AccountUpdate, Act
from domain.decisions.accounts import ended
from domain.decisions.bots import banned_or_with_owner, following
from domain.models import User
from domain.refusals import Forbidden, LastAdmin, NotFound

ADMINS_ONLY = "only admins of the server do this"


def administers(user: User | None) -> bool:
    """Whether the user is an admin of the server whose account may be used."""
    return user is not None and user.is_admin and user.active


def update_account(
    user: User | None,
    update: AccountUpdate,
    act: Act,
    actor: User | None,
    has_other_admin: Callable[[], bool],
    owner: User | None = None,
) -> User:
    """The account after the update. `actor` is the account of `act.actor_id`, `owner` that of the owner of a bot;
    `has_other_admin` says whether somebody besides the user administers the server, and is asked only if that decides.

    Raises, the first that holds: `NotFound` for nobody, a deleted user and that of a hook; `Forbidden`; `LastAdmin` if
    nobody would administer the server any more.
    """
    if user is None or user.deleted or user.is_hook:
        raise NotFound("user")
    check_actor(act, actor, gives_up=act.actor_id == user.id and _gives_up(update))
    if update.is_admin and user.is_bot:
        raise Forbidden("a bot cannot be an admin of the server")
    after = _after(user, update, owner)
    if administers(user) and not administers(after) and not has_other_admin():
        raise LastAdmin(f"user {user.id} is the last active admin")
    return after


def shows_change(before: User | None, after: User) -> bool:
    """Whether other users see the change: that of a name, a ban, or a deletion, also of an account that was banned."""
    return before is None or _shown(before) != _shown(after)


def _shown(user: User) -> tuple[str, bool, bool]:
    return user.display_name, user.active, user.deleted


def check_actor(act: Act, actor: User | None, *, gives_up: bool = False) -> None:
    """Raises: `Forbidden` if a user acts who does not administer the server. `gives_up`: they end their own account, or
    a right of their own, which everybody may."""
    if act.actor_id is not None and not (act.checked or gives_up) and not administers(actor):
        raise Forbidden(ADMINS_ONLY)


def _gives_up(update: AccountUpdate) -> bool:
    return not update.is_admin and update.banned is not False and update.display_name is None


def _after(user: User, update: AccountUpdate, owner: User | None) -> User:
    if update.follows_owner:
        return following(user, owner)
    if update.deleted:
        return ended(user)
    banned, with_owner = user.banned, user.banned_with_owner
    if update.banned is not None:
        banned, with_owner = banned_or_with_owner(user, update.banned, owner)
    return replace(
        user,
        is_admin=user.is_admin if update.is_admin is None else update.is_admin,
        banned=banned,
        banned_with_owner=with_owner,
        display_name=update.display_name or user.display_name,
    )
