"""What a check finds."""

from collections import Counter
from collections.abc import Iterator

from domain.frozen import frozen

SAME_MAX = 20
"""How many findings of one rule are named in a part; the rest is counted."""


@frozen
class Finding:
    """Something that is wrong, in a chat, or in what belongs to no chat (None). `text` is one line, and names ids and
    no content."""

    chat_id: int | None
    text: str

    @property
    def line(self) -> str:
        return self.text if self.chat_id is None else f"chat {self.chat_id}: {self.text}"


class Findings:
    """Collects the findings of one part. A broken part may break a rule a million times."""

    def __init__(self, chat_id: int | None) -> None:
        self._chat_id = chat_id
        self._found: dict[Finding, None] = {}
        self._counts = Counter[str]()

    def add(self, rule: str, what: str) -> None:
        """`what` is wrong, against a rule, whose name says what its breaks have in common."""
        self._counts[rule] += 1
        if self._counts[rule] <= SAME_MAX:
            self._found[Finding(self._chat_id, what)] = None

    def __iter__(self) -> Iterator[Finding]:
        yield from self._found
        for rule, count in self._counts.items():
            if count > SAME_MAX:
                yield Finding(self._chat_id, f"{count - SAME_MAX:,} more: {rule}")
