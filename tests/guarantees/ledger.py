"""Records what writers sent and which acks they received, and checks the stored messages against it."""

from dataclasses import dataclass, field

from tests.clients.wires import Frame


def text_of(client_id: str, length: int) -> str:
    """A text that states its own length, so that a cut one is noticed."""
    return (f"{client_id}/{length} " * length)[:length] if length > 40 else f"{client_id}/{length}"


@dataclass
class Entry:
    """One message. `texts` holds the contents it may have: an acked change removes all older ones."""

    texts: list[str]
    message_id: int = 0
    seq: int = 0
    deleting: bool = False
    deleted: bool = False
    marks: dict[str, bool] = field(default_factory=dict)
    """What was done to it besides: `reaction` and `pin`. True: acked."""

    @property
    def acked(self) -> bool:
        return self.message_id != 0

    def check_marks(self, message: Frame) -> None:
        """Asserts that the stored message has each acked mark, and none that nobody asked for."""
        for mark, is_there in (("reaction", bool(message["reactions"])), ("pin", message["pinned"])):
            assert is_there or not self.marks.get(mark), ("lost", mark, self, message)
            assert not is_there or mark in self.marks, ("nobody asked for it", mark, self, message)


@dataclass
class Ledger:
    """The messages of one chat by `client_id`."""

    entries: dict[str, Entry] = field(default_factory=dict)
    changes: int = 0
    """How many changes were acked."""

    def sending(self, client_id: str, text: str) -> None:
        self.entries[client_id] = Entry([text])

    def sent(self, client_id: str, ack: Frame) -> None:
        """Records the ack of a send, the first or a repeated one."""
        entry = self.entries[client_id]
        if "code" in ack:
            assert (ack["code"], entry.deleting) == ("not_found", True), ack
            return
        message = ack["message"]
        if entry.acked:
            assert ack["duplicate"] is True, ack
            assert (entry.message_id, entry.seq) == (message["id"], message["seq"]), (entry, ack)
        else:
            self.changes += not ack["duplicate"]
        entry.message_id, entry.seq = message["id"], message["seq"]

    def editing(self, client_id: str, text: str) -> None:
        self.entries[client_id].texts.append(text)

    def edited(self, client_id: str) -> None:
        self.changes += 1
        del self.entries[client_id].texts[:-1]

    def marking(self, client_id: str, mark: str) -> None:
        """A reaction is about to be added, or a pin: no second one of a kind."""
        self.entries[client_id].marks[mark] = False

    def marked(self, client_id: str, mark: str) -> None:
        self.changes += 1
        self.entries[client_id].marks[mark] = True

    def deleting(self, client_id: str) -> None:
        self.entries[client_id].deleting = True

    def deleted(self, client_id: str) -> None:
        self.changes += 1
        self.entries[client_id].deleted = True

    def unacked(self) -> list[str]:
        return [client_id for client_id, entry in self.entries.items() if not entry.acked]

    def check(self, stored: dict[int, Frame], head_seq: int) -> None:
        """Asserts that each acked change is stored exactly once, and each other change whole or not at all."""
        by_client_id = {message["client_id"]: message for message in stored.values()}
        assert len(by_client_id) == len(stored), "one client_id, two messages"
        assert by_client_id.keys() <= self.entries.keys()
        assert len({message["seq"] for message in stored.values()}) == len(stored), "one number, two messages"
        assert head_seq >= self.changes
        for client_id, entry in self.entries.items():
            message = by_client_id.get(client_id)
            if message is None:
                assert entry.deleting or not entry.acked, ("lost", client_id, entry)
                continue
            assert not entry.deleted, ("back from the dead", client_id, entry)
            assert message["content"] in entry.texts, ("half a change, or one undone", entry, message)
            if "reactions" in message:  # not in a row of a log
                entry.check_marks(message)
            if entry.acked:
                assert (message["id"], message["seq"]) == (entry.message_id, entry.seq), (entry, message)
