"""Who owns a chat when its owner goes, or has an account that is no longer active.

Users who are not active do not count as owners and never inherit. Bots count as owners and never inherit.

Accounts are not in the log of the chat, so a ban may pass a change that relied on the banned one as an owner. Each
writes first and looks then: the ban marks the account, then looks which chats its user owns (`PassOn`); the change is
projected, then looks at the account again (`Relying`). So one of the two sees the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.models import Role
from storage.mongo.accounts import active_of
from storage.mongo.documents import member_document
from storage.mongo.log import Row
from storage.mongo.room import Room
from storage.mongo.seats import seated
from storage.mongo.structure import Restructure, Same, Step
from storage.mongo.writer import UNSETTLED, ResultT_co, Writer

_RANKS: Mapping[Role, int] = {"owner": 0, "admin": 1, "member": 2}
_AT_ONCE = (1, 10, 100)
"""So many accounts are looked at, first, next and then: the first is active nearly always."""


async def owner_but(writer: Writer, room: Room, user_id: int) -> int | None:
    """An active owner of the chat besides this user, None if there is none."""
    owners = [owner_id for owner_id in room.owners() if owner_id != user_id]
    return next(iter(await active_of(writer.database, owners)), None)


async def heir_but(writer: Writer, room: Room, user_id: int) -> int | None:
    """Who inherits from this user: an owner if there is one, else the oldest admin, else the oldest member. None if
    only users who never inherit are left."""
    for some in _in_steps(_in_order(room, user_id)):
        active = await active_of(writer.database, some)
        for candidate in some:
            if candidate in active and not active[candidate].is_bot:
                return candidate
    return None


class Relying(Restructure[ResultT_co]):
    """A change whose plan may rely on somebody being an active owner once it is made."""

    relied: int | None = None
    """Who that is, set by the plan; None if it makes no difference."""

    async def settled(self, writer: Writer, row: Row) -> None:
        if self.relied is None:
            return
        await writer.rooms.flush()
        if not await active_of(writer.database, [self.relied]):
            await PassOn.run_all(writer, [PassOn(row.chat_id, self.relied)], [UNSETTLED])


@dataclass
class PassOn(Relying[None]):
    """Of a user who is no longer active: a group or channel without another active owner gets one, if anybody is there
    to inherit."""

    id: int
    user_id: int

    async def chat_id(self, writer: Writer) -> int:
        return self.id

    async def plan(self, writer: Writer, room: Room) -> Step | Same:
        if not _owns(room, self.user_id) or await active_of(writer.database, [self.user_id]):
            return Same(None)
        if await owner_but(writer, room, self.user_id) is not None:
            return Same(None)
        self.relied = await heir_but(writer, room, self.user_id)
        if self.relied is None:
            return Same(None)
        former = replace(await seated(writer, room, self.user_id), role="member")
        heir = replace(await seated(writer, room, self.relied), role="owner")
        return Step("role", {"member": member_document(former), "heir": member_document(heir)})

    def result(self, row: Row, room: Room) -> None:
        return None


def _owns(room: Room, user_id: int) -> bool:
    if room.chat is None or room.closed or room.chat.chat_type == "private":
        return False
    return user_id in room.owners()


def _in_order(room: Room, leaving: int) -> Sequence[int]:
    others = [(_RANKS[seat.role], seat.joined_at, user_id) for user_id, seat in room.seats.items()]
    return [user_id for _, _, user_id in sorted(others) if user_id != leaving]


def _in_steps(user_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    start = step = 0
    while start < len(user_ids):
        size = _AT_ONCE[min(step, len(_AT_ONCE) - 1)]
        yield user_ids[start : start + size]
        start, step = start + size, step + 1
