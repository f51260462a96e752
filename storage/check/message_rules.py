"""The rules of the messages of a chat, and of the numbers of its changes.

Each change has the next number, and a message keeps two of its own: that of its creation and that of its last change.
A number that no message has is one that a later change has hidden: then a message was created before it and changed
after it. Any other number that is missing is a change that is lost.
"""

from storage.backup_ports import Record
from storage.check.findings import Findings
from storage.check.references import References


class MessageRules:
    """Reads the messages of a chat, in the order of their creation."""

    def __init__(self, chat: Record, references: References, findings: Findings) -> None:
        self._chat_id: int = chat["id"]
        self._head_seq: int = chat["head_seq"]
        self._references = references
        self._findings = findings
        self._seq = 0
        self._reached = 0  # the highest number of a change so far
        self._changes: set[int] = set()  # numbers of last changes that are no creations
        self._seqs: dict[int, int] = {}

    def add(self, message: Record) -> None:
        """Reads the next message."""
        seq, changed_seq = message["seq"], message["changed_seq"]
        self._numbers(message["id"], seq, changed_seq)
        self._seqs[message["id"]] = seq
        self._people(message)
        reply_to = message.get("reply_to")
        if reply_to is not None and not message.get("deleted") and reply_to not in self._seqs:
            self._add(
                message, "answers without their message", f"answers message {reply_to}, which is not there"
            )
        if not 0 <= message.get("pinned_seq", 0) <= changed_seq:
            self._add(message, "pins", "is pinned by a change that comes after its last one")

    def has(self, message_id: int) -> bool:
        return message_id in self._seqs

    def end(self) -> None:
        """All messages are read."""
        if self._reached < self._head_seq:
            self._missing(self._reached + 1, self._head_seq)
        elif self._reached > self._head_seq:
            self._findings.add(
                "numbers above the head",
                f"change {self._reached} is above the head, which is {self._head_seq}",
            )

    def _numbers(self, message_id: int, seq: int, changed_seq: int) -> None:
        if seq <= self._seq or changed_seq < seq:
            self._findings.add(
                "numbers that do not rise",
                f"message {message_id}: its numbers are {seq} and {changed_seq}, after message number {self._seq}",
            )
        if message_id in self._seqs:
            self._findings.add("messages that are there twice", f"message {message_id} is there twice")
        if seq in self._changes or (changed_seq > seq and changed_seq in self._changes):
            self._findings.add(
                "numbers that two messages have",
                f"message {message_id}: one of its numbers {seq} and {changed_seq} is that of another message too",
            )
        if seq > self._reached + 1:
            self._missing(self._reached + 1, seq - 1)
        if changed_seq > seq:
            self._changes.add(changed_seq)
        self._seq = max(seq, self._seq)
        self._reached = max(self._reached, changed_seq)

    def _missing(self, first: int, last: int) -> None:
        what = f"change {first} is" if first == last else f"changes {first} to {last} are"
        self._findings.add("changes that are missing", f"{what} missing")

    def _people(self, message: Record) -> None:
        self._references.name(message["sender_id"], self._chat_id, f"message {message['id']}")
        for reaction in message.get("reactions", ()):
            if len(set(reaction["user_ids"])) < len(reaction["user_ids"]):
                self._add(message, "reactions", "has a reaction twice of the same user")
            for user_id in reaction["user_ids"]:
                self._references.name(user_id, self._chat_id, f"a reaction to message {message['id']}")

    def _add(self, message: Record, rule: str, what: str) -> None:
        self._findings.add(rule, f"message {message['id']} {what}")
