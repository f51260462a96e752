"""How far each chat is published on this node."""

from collections import OrderedDict
from dataclasses import dataclass

POSITIONS_KEPT = 50_000
"""How many chats that nobody follows keep their position: about 10 MB."""


@dataclass(slots=True)
class Position:
    """The last row of a chat's log that is published here, and the chat's head after it, None if that is not known.
    `first` is the first row that counts as published: earlier ones were not, 0 if all were."""

    n: int
    seq: int | None
    first: int


class Positions:
    """The positions of chats by id. Row n of a chat is published if the position is at n - 1, so no row is published
    twice, or before an earlier one.

    They stand apart from the replicas of chats, which are forgotten when memory runs short: as long as a chat is
    followed, its position stays. A chat is followed once it is loaded, or its creation is published. Of the other
    chats, those used last keep their positions.
    """

    def __init__(self) -> None:
        self._followed: dict[int, Position] = {}
        self._others: OrderedDict[int, Position] = OrderedDict()
        """Least recently used first."""

    def get(self, chat_id: int) -> Position | None:
        """The position of the chat, None if there is none."""
        return self._followed.get(chat_id) or self._others.get(chat_id)

    def is_followed(self, chat_id: int) -> bool:
        return chat_id in self._followed

    def followed(self) -> list[int]:
        """The chats that are followed."""
        return list(self._followed)

    def expect(self, chat_id: int, n: int) -> Position:
        """The position of the chat; if there was none, it is before row n now, the first that a hint names: whoever
        loads the chat meanwhile publishes the rows from there on."""
        return self.get(chat_id) or self._put(chat_id, Position(n - 1, None, n))

    def begin(self, chat_id: int, n: int, seq: int) -> Position:
        """The position of the chat when it is loaded with the rows up to n. If there was none, it is at row n now, and
        no row up to it counts as published. One that `expect` has made stays, but it is at row n at most."""
        position = self.get(chat_id)
        if position is None:
            return self._put(chat_id, Position(n, seq, n + 1))
        if position.seq is None and position.n >= n:
            position.n, position.seq, position.first = n, seq, n + 1
        return position

    def resume(self, chat_id: int, n: int, seq: int) -> None:
        """Begins the position of a chat that had one before: all rows up to n count as published."""
        if self.get(chat_id) is None:
            self._put(chat_id, Position(n, seq, 0))

    def is_next(self, chat_id: int, n: int) -> bool:
        """Whether row n follows the last one that is published. Of a chat without a position any row does."""
        position = self.get(chat_id)
        return position is None or n == position.n + 1

    def advance(self, chat_id: int, n: int, seq: int) -> bool:
        """Whether row n is to be published now: no row from n on was published. The position is at n then. To be called
        in the turn in which the row is handed to the subscribers, by those who have published the rows before it: the
        writer, whose rows have no hole, and others after `is_next`."""
        position = self.get(chat_id)
        if position is None:
            self._put(chat_id, Position(n, seq, n))
        elif n <= position.n:
            return False
        else:
            position.n, position.seq = n, seq
            if chat_id in self._others:
                self._others.move_to_end(chat_id)
        if n == 1:
            self.follow(chat_id)  # its members are told the whole chat
        return True

    def follow(self, chat_id: int) -> None:
        """Keeps the position of the chat until `unfollow`. All rows up to it count as published from now on."""
        position = self._others.pop(chat_id, None)
        if position is not None:
            position.first = 0
            self._followed[chat_id] = position

    def unfollow(self, chat_id: int) -> None:
        """Ends `follow`; nothing happens if the chat is not followed."""
        position = self._followed.pop(chat_id, None)
        if position is not None:
            self._put(chat_id, position)

    def _put(self, chat_id: int, position: Position) -> Position:
        self._others[chat_id] = position
        if len(self._others) > POSITIONS_KEPT:
            self._others.popitem(last=False)
        return position
