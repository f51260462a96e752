"""Whom a user has blocked. A block is a row of its own; see `private_chats` for the private chat of the two."""

from domain.models import Account
from domain.refusals import NotFound, TooMany

BLOCKS_MAX = 1000
"""How many others a user may have blocked at a time."""


def check_block(account: Account | None, blocked_id: int, blocks: int) -> None:
    """Checks a new block of the account, by a user who has made this number of blocks.

    Raises: `NotFound` if there is no such account, it is deleted, or a hook writes as it; `TooMany`.
    """
    if account is None or account.deleted or account.is_hook:
        raise NotFound(f"user {blocked_id}")
    if blocks >= BLOCKS_MAX:
        raise TooMany(f"at most {BLOCKS_MAX} people can be blocked")
