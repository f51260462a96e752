"""Unread counts of many members, from one query for the newest messages or mentions."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from domain.models import Message
from storage.ports import UNREAD_LIMIT

LOOK_BACK = 2 * UNREAD_LIMIT
"""How many of the newest messages, or mentions, are read; they are enough to count for nearly every member."""


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


def mention_rows(message: Message) -> Sequence[tuple[int, int, int]]:
    """The mentions of a message as rows, as `count_mentions` takes them."""
    user_ids = (*message.mentions, 0) if message.mentions_all else message.mentions
    return [(message.seq, user_id, message.sender_id) for user_id in user_ids]


def count_mentions(rows: Sequence[tuple[int, int, int]], marks: Mapping[int, int]) -> dict[int, int]:
    """How many messages above the mark of each user of `marks` mention the user or all, at most `UNREAD_LIMIT`.

    `rows`: (seq, user id, sender id) of mentions, in any order. User 0 stands for all members. Nobody mentions
    themselves but by mentioning all, and that is not counted.
    """
    senders_of_all = {seq: sender_id for seq, user_id, sender_id in rows if user_id == 0}
    of_all = sorted(senders_of_all)
    own: dict[int, list[int]] = {}
    for seq in of_all:
        own.setdefault(senders_of_all[seq], []).append(seq)
    of_user: dict[int, list[int]] = {}
    for seq, user_id, _ in sorted(rows):
        if user_id in marks and seq not in senders_of_all:
            of_user.setdefault(user_id, []).append(seq)
    return {
        user_id: min(
            _above(of_all, mark)
            - _above(own.get(user_id, ()), mark)
            + _above(of_user.get(user_id, ()), mark),
            UNREAD_LIMIT,
        )
        for user_id, mark in marks.items()
    }


def _above(seqs: Sequence[int], mark: int) -> int:
    return len(seqs) - bisect_right(seqs, mark)
