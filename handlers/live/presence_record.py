"""What one node says of the presence of one user, and what others see of all that the nodes say."""

from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache

from domain.frozen import frozen
from domain.models import User

OFFLINE = "offline"

STRENGTH = {"away": 1, "online": 2, "busy": 3}

Wish = tuple[int, bool]
"""Whether a user wants to appear offline, and how often they have said so or otherwise. The greater wish counts; of two
that do not know of each other, that is the one to appear offline."""

NO_WISH: Wish = (0, False)

Choice = tuple[int, str]
"""What a user has chosen to be shown as (`User.presence`), and the number of that choice. The choice with the higher
number is the newer one."""

AUTO = "auto"

NO_CHOICE: Choice = (0, AUTO)

ENDED = "ended"
"""Stands in place of the choice of an account that is no longer active: nobody sees its user from then on, though their
last connection was a moment ago."""

_HIDDEN, _LEAVING, _CHOSEN = "hidden", "leaving", "chosen:"


def choice_of(user: User) -> Choice:
    return user.presence_n, user.presence if user.active else ENDED


def chosen_status(choice: Choice) -> str:
    """What others see by a choice that is not `auto`."""
    return OFFLINE if choice[1] == ENDED else choice[1]


@frozen
class Record:
    """One user on one node.

    `status` is the strongest of the user's connections there. `leaving`: the last of them is gone, and the grace time
    lasts while the user has connections to other nodes. `wish` is the greatest that this node knows of the user, and
    `choice` the newest.
    """

    status: str
    wish: Wish = NO_WISH
    leaving: bool = False
    choice: Choice = NO_CHOICE

    def text(self) -> str:
        """The record in words: `busy`, or `busy 3 hidden leaving chosen:2:away`."""
        if self.wish is NO_WISH and not self.leaving and self.choice == NO_CHOICE:
            return self.status
        count, hidden = self.wish
        chosen = "" if self.choice == NO_CHOICE else f"{_CHOSEN}{self.choice[0]}:{self.choice[1]}"
        words = [self.status, str(count), _HIDDEN * hidden, _LEAVING * self.leaving, chosen]
        return " ".join(filter(None, words))


@lru_cache(maxsize=4096)
def read_record(text: str) -> Record:
    """The record that `text` made. Words that only a newer version knows are left out."""
    status, *words = text.split(" ")
    count = next((int(word) for word in words if word.isdigit()), 0)
    wish = (count, _HIDDEN in words) if count else NO_WISH
    choices = (_read_choice(word) for word in words if word.startswith(_CHOSEN))
    choice = next(choices, NO_CHOICE)
    return Record(status if status in STRENGTH else "online", wish, _LEAVING in words, choice)


def _read_choice(word: str) -> Choice:
    _, number, status, *_ = word.split(":")
    # A choice that only a newer version knows must not show more than the user wants.
    return int(number), status if status in STRENGTH or status in (AUTO, ENDED) else OFFLINE


def left(record: Record) -> Record:
    """The record once the last connection to its node is gone."""
    return record if record.leaving else _shared(replace(record, leaving=True))


def chosen(record: Record, choice: Choice) -> Record:
    """The record with a choice that is not older than its own."""
    return record if record.choice == choice else _shared(replace(record, choice=choice))


def _shared(record: Record) -> Record:
    """The one object for equal records."""
    return read_record(record.text())


def seen(records: Collection[Record]) -> str:
    """What others see: what the user has chosen, else the strongest status, `offline` without records or if the user
    wishes so. A node that is left counts only if all are."""
    if not records:
        return OFFLINE
    choice = max(record.choice for record in records)
    if choice[1] != AUTO:
        return chosen_status(choice)
    if max(record.wish for record in records)[1]:
        return OFFLINE
    staying = [record.status for record in records if not record.leaving]
    return max(staying or [record.status for record in records], key=STRENGTH.__getitem__)
