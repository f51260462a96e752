"""The read marks that are published: hints of several nodes about one mark may come in any order."""

from collections import OrderedDict

from domain.changes import ReadMoved

MARKS_KEPT = 50_000
"""How many marks are remembered, those that moved last: about 10 MB."""


class PublishedMarks:
    """By chat and user, how far the mark was published here."""

    def __init__(self) -> None:
        self._marks: OrderedDict[tuple[int, int], int] = OrderedDict()

    def moved(self, mark: ReadMoved) -> bool:
        """Whether the mark is further than what was published; it counts as published then."""
        key = mark.chat_id, mark.user_id
        if self._marks.get(key, -1) >= mark.read_seq:
            return False
        self._marks[key] = mark.read_seq
        self._marks.move_to_end(key)
        if len(self._marks) > MARKS_KEPT:
            self._marks.popitem(last=False)
        return True
