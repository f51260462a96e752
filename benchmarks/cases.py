"""The cases that are measured under load: the members of each chat, and how its senders send."""

from dataclasses import dataclass, replace
from typing import Literal

Mode = Literal["fanout", "sends", "latency", "idle"]

CONTENT_CHARS = 64


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a case runs."""

    warmup_s: float
    measure_s: float


@dataclass(frozen=True, slots=True)
class Case:
    """`chats` chats with `members` connections each; the first `senders` connections of a chat send.

    `mode` says when a sender sends:

    - `fanout`: each sender keeps `outstanding` messages in flight, and sends the next one when its own event arrives;
    - `sends`: the same, when its ack arrives;
    - `latency`: all senders together send at half the rate that case `peak` reached;
    - `idle`: no connection sends.
    """

    name: str
    mode: Mode
    chats: int
    members: int
    senders: int = 0
    outstanding: int = 0
    peak: str = ""

    def scaled_down(self, divisor: int) -> "Case":
        """The same case with the members of each chat divided by `divisor`; all senders stay."""
        return replace(self, members=max(2, self.senders, self.members // divisor))

    @property
    def connections(self) -> int:
        return self.chats * self.members


def _room(members: int, senders: int) -> Case:
    return Case(f"room of {members:,}", "fanout", 1, members, senders, outstanding=4)


ROOM_50 = _room(50, 4)
ROOM_200 = _room(200, 4)
ROOM_1000 = _room(1000, 8)
ROOM_5000 = _room(5000, 8)
HALF_PEAK = Case("room of 200 at half its peak", "latency", 1, 200, 4, peak=ROOM_200.name)
SENDS = Case("64 senders in 32 chats of two", "sends", 32, 2, 2, outstanding=1)
ONE_SENDER = Case("one sender in a chat of two", "sends", 1, 2, 1, outstanding=1)
CROWD = Case("5,000 connections", "idle", 1, 5000)
