"""What is measured: who sits in which chat, and how they send."""

from dataclasses import dataclass
from typing import Literal

Wire = Literal["raw", "socketio"]
Mode = Literal["fanout", "sends", "latency"]

WIRES: tuple[Wire, ...] = ("raw", "socketio")

CONTENT_CHARS = 64


@dataclass(frozen=True, slots=True)
class Case:
    """`chats` rooms of `members` connections each, the first `senders` of which send.

    Mode `fanout`: each sender has `outstanding` messages under way and sends again when its own event arrives;
    `sends`: when its ack arrives; `latency`: all senders together send `rate` messages a second.
    """

    name: str
    mode: Mode
    wire: Wire
    chats: int
    members: int
    senders: int
    outstanding: int = 0
    rate: float = 0


def _room(wire: Wire, members: int, senders: int) -> Case:
    return Case(f"{wire}: room of {members:,}", "fanout", wire, 1, members, senders, outstanding=4)


def _calm(wire: Wire, rate: float) -> Case:
    return Case(f"{wire}: room of 200, {rate:g} messages/s", "latency", wire, 1, 200, 4, rate=rate)


def _sends(wire: Wire, senders: int) -> Case:
    return Case(f"{wire}: {senders} sending in chats of two", "sends", wire, senders, 2, 1, outstanding=1)


CASES: tuple[Case, ...] = (
    *(_room(wire, 200, 4) for wire in WIRES),
    *(_room(wire, 1000, 8) for wire in WIRES),
    *(_calm(wire, 50) for wire in WIRES),
    *(_sends(wire, senders) for wire in WIRES for senders in (1, 16, 64)),
)
