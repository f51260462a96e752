"""Unread counts of many members out of one look at the newest messages."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from storage.ports import UNREAD_LIMIT

LOOK_BACK = 2 * UNREAD_LIMIT
"""So many of the newest messages answer for nearly everybody."""


def tally(newest: Sequence[tuple[int, int]], marks: Mapping[int, int]) -> dict[int, int | None]:
    """How much is unread by each user of `marks` (user id → read position), at most `UNREAD_LIMIT`.

    `newest`: (seq, sender id) of messages that are not deleted, the newest first: all above the lowest mark, or the
    first `LOOK_BACK` of them. None for somebody of whom they do not tell: he wrote most of them himself.
    """
    seqs = [seq for seq, _ in reversed(newest)]
    by_sender: dict[int, list[int]] = {}
    for seq, sender_id in reversed(newest):
        by_sender.setdefault(sender_id, []).append(seq)
    whole = len(newest) < LOOK_BACK
    counts: dict[int, int | None] = {}
    for user_id, mark in marks.items():
        count = min(_above(seqs, mark) - _above(by_sender.get(user_id, ()), mark), UNREAD_LIMIT)
        told = whole or mark >= seqs[0] or count == UNREAD_LIMIT
        counts[user_id] = count if told else None
    return counts


def _above(seqs: Sequence[int], mark: int) -> int:
    return len(seqs) - bisect_right(seqs, mark)
