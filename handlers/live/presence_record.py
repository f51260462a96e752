"""What one node says of the presence of one user, and what others see of all that the nodes say."""

from collections.abc import Collection
from functools import lru_cache

from domain.frozen import frozen

OFFLINE = "offline"

STRENGTH = {"away": 1, "online": 2, "busy": 3}

Wish = tuple[int, bool]
"""Whether a user wants to appear offline, and how often they have said so or otherwise. The greater wish counts; of two
that do not know of each other, that is the one to appear offline."""

NO_WISH: Wish = (0, False)

_HIDDEN, _LEAVING = "hidden", "leaving"


@frozen
class Record:
    """One user on one node.

    `status` is the strongest of the user's connections there. `leaving`: the last of them is gone, and the grace time
    lasts while the user has connections to other nodes. `wish` is the greatest that this node knows of the user.
    """

    status: str
    wish: Wish = NO_WISH
    leaving: bool = False

    def text(self) -> str:
        """The record in words: `busy`, or `busy 3 hidden leaving`."""
        if self.wish is NO_WISH and not self.leaving:
            return self.status
        count, hidden = self.wish
        words = [self.status, str(count), _HIDDEN * hidden, _LEAVING * self.leaving]
        return " ".join(filter(None, words))


@lru_cache(maxsize=4096)
def read_record(text: str) -> Record:
    """The record that `text` made. Words that only a newer version knows are left out."""
    status, *words = text.split(" ")
    count = next((int(word) for word in words if word.isdigit()), 0)
    wish = (count, _HIDDEN in words) if count else NO_WISH
    return Record(status if status in STRENGTH else "online", wish, _LEAVING in words)


def left(record: Record) -> Record:
    """The record once the last connection to its node is gone."""
    return record if record.leaving else read_record(Record(record.status, record.wish, True).text())


def seen(records: Collection[Record]) -> str:
    """What others see: the strongest status, `offline` without records or if the user wishes so. A node that is left
    counts only if all are."""
    if not records or max(record.wish for record in records)[1]:
        return OFFLINE
    staying = [record.status for record in records if not record.leaving]
    return max(staying or [record.status for record in records], key=STRENGTH.__getitem__)
