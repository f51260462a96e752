"""What people do in chats, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.clients.wires import Frame
from tests.guarantees.chat_model import ChatModel
from tests.guarantees.texts import Query


@dataclass(eq=False)
class Act:
    """A command. `begun` and `ended` are places in the one order of all that begins and ends. `answer` is an ack or an
    error; None if nobody knows whether the command was done."""

    name: str
    user_id: int
    chat_id: int
    fields: Frame
    begun: int
    heads: Mapping[int, int]
    """How far each chat had come for sure when it began."""
    ended: int = 0
    answer: Frame | None = None

    @property
    def acked(self) -> bool:
        return self.answer is not None and self.answer["type"] == "ack"


@dataclass(eq=False)
class SearchAct(Act):
    query: Query = field(default_factory=Query)
    hits: list[Frame] = field(default_factory=list)


@dataclass
class Room:
    """A chat, what is known of it, and who may do what there."""

    model: ChatModel
    admins: Sequence[str]
    acked: int = 0
    """The highest `seq` in an answer."""

    def known(self) -> int:
        return max(self.model.head, self.acked)


def created(model: ChatModel, message_id: int) -> Frame:
    """A message as it was sent."""
    for frame in model.log:
        if frame["type"] == "new_message" and frame["message"]["id"] == message_id:
            message: Frame = frame["message"]
            return message
    raise KeyError(message_id)


def rest_call(name: str, fields: Frame) -> tuple[str, str, Frame]:
    """Method, path and body of the call that does the same as a command."""
    rest = dict(fields)
    if name == "send_message":
        return "POST", "/messages", rest
    if name == "read_messages":
        return "POST", f"/chats/{rest.pop('chat_id')}/read", rest
    path = f"/messages/{rest.pop('message_id')}"
    if name.endswith("_reaction"):
        path += f"/reactions/{quote(rest.pop('emoji'), safe='')}"
    elif name.endswith("pin_message"):
        path += "/pin"
    method = {"edit_message": "PATCH", "delete_message": "DELETE"}.get(name, "")
    return method or ("POST" if name in ("add_reaction", "pin_message") else "DELETE"), path, rest
