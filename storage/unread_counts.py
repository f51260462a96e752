"""Unread counts of many members, from one query for the newest messages."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from storage.ports import UNREAD_LIMIT

LOOK_BACK = 2 * UNREAD_LIMIT
"""How many of the newest messages are read; they are enough to count for nearly every member."""


def tally(newest: Sequence[tuple[int, int]], marks: Mapping[int, int]) -> dict[int, int | None]:
    """The number of unread messages of each user of `marks` (user id → read position), at most `UNREAD_LIMIT`.

    `newest`: (seq, sender id) of messages that are not deleted, the newest first: all above the lowest mark, or the
    first `LOOK_BACK` of them. The count is None if these hold too few messages by others to give that member's count.
    """
    seqs = [seq for seq, _ in reversed(newest)]
    by_sender: dict[int, list[int]] = {}
    for seq, sender_id in reversed(newest):
        by_sender.setdefault(sender_id, []).append(seq)
    whole = len(newest) < LOOK_BACK
    counts: dict[int, int | None] = {}
    for user_id, mark in marks.items():
        count = min(_above(seqs, mark) - _above(by_sender.get(user_id, ()), mark), UNREAD_LIMIT)
        is_certain = whole or mark >= seqs[0] or count == UNREAD_LIMIT
        counts[user_id] = count if is_certain else None
    return counts


def _above(seqs: Sequence[int], mark: int) -> int:
    return len(seqs) - bisect_right(seqs, mark)
