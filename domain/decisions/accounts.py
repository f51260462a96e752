"""What decisions about chats ask of accounts, which usernames there may be, and what is left of an ended account."""

from collections.abc import Collection
from dataclasses import replace

from domain.decisions.view import MemberView
from domain.mentions import ALL
from domain.models import Account, User
from domain.refusals import Duplicate, UnknownUsers
from domain.text import name_key

RESERVED = frozenset({ALL})
"""Keys of usernames that nobody gets: `@all` means everybody in a chat."""


def is_reserved(username: str) -> bool:
    """Whether nobody gets this username."""
    return name_key(username) in RESERVED


def check_username(username: str) -> None:
    """Raises: `Duplicate` for a username that is reserved."""
    if is_reserved(username):
        raise Duplicate("username")


def check_known(view: MemberView, user_ids: Collection[int]) -> None:
    """Raises: `UnknownUsers` for those of the users who do not exist or are deleted, and for those of hooks."""
    accounts = view.accounts(user_ids)
    unknown = [one for one in user_ids if not _is_somebody(accounts.get(one)) or accounts[one].deleted]
    if unknown:
        raise UnknownUsers(unknown)


def is_somebody(view: MemberView, user_id: int) -> bool:
    """Whether the user exists, deleted or not, and is not the user of a hook."""
    return _is_somebody(view.accounts([user_id]).get(user_id))


def _is_somebody(account: Account | None) -> bool:
    return account is not None and not account.is_hook


def is_active(view: MemberView, user_id: int) -> bool:
    """Whether the user exists and is neither banned nor deleted."""
    account = view.accounts([user_id]).get(user_id)
    return account is not None and account.active


def ended(user: User) -> User:
    """A deleted account: its email, password and picture are gone, and the username, which stays taken, is all of its
    name. A login elsewhere stays taken too: nobody comes back by it."""
    return replace(
        user,
        deleted=True,
        is_admin=False,
        email=None,
        password_hash="",
        display_name=user.username,
        avatar_id=None,
    )
