"""Pages of a list: their bound in bytes, and the cursor of the next page."""

import re
from collections.abc import Iterable

from domain.models import Member
from handlers.wire.errors import ChatError, invalid
from handlers.wire.json import dumps
from handlers.wire.views import View
from storage.sizes import PageBudget
from storage.times import to_micros

ENVELOPE_BYTES = 1024
"""Room for what is around the items of a page: names, cursor, flags."""

PAGE_BYTES_MAX = 1024 * 1024
"""The largest page as JSON; a single item that is larger makes a page by itself."""

ITEMS_BYTES_MAX = PAGE_BYTES_MAX - ENVELOPE_BYTES

_ID_CURSOR = re.compile(r"[0-9]{1,16}")

MemberOrder = tuple[int, int]


def that_fit(views: Iterable[View]) -> list[View]:
    """As many views as fit on a page, in their order; always the first one."""
    budget, found = PageBudget(ITEMS_BYTES_MAX), []
    for view in views:
        if not budget.takes(len(dumps(view)) + 1):
            break
        found.append(view)
    return found


def bad_cursor() -> ChatError:
    """The answer to a cursor that no page of this list had."""
    return invalid(cursor="was not given out here")


def order_of(member: Member) -> MemberOrder:
    """The key by which members are listed: in the order in which they were added."""
    return to_micros(member.joined_at), member.user_id


def before_seq(cursor: str | None) -> int | None:
    """The number before which a page begins; None without a cursor. Raises: `ChatError` `invalid`."""
    return None if cursor is None else after_id(cursor)


def after_id(cursor: str | None) -> int:
    """The id after which a page begins; 0 without a cursor. Raises: `ChatError` `invalid`."""
    if cursor is None:
        return 0
    if not _ID_CURSOR.fullmatch(cursor):
        raise bad_cursor()
    return int(cursor)
