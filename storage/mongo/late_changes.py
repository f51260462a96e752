"""What is left to publish of rows that become known after later rows of their chat are published."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from domain.changes import Change, ChatCreated, ChatDeleted, MemberAdded, MemberRemoved
from domain.moderation import UserBanned


def still_true(late: Sequence[Change], later: Sequence[Change]) -> Sequence[Change]:
    """The late changes of a chat without those that the later ones have undone: a user who was removed meanwhile does
    not hear that they were added, and one who is back does not hear that they were removed."""
    if any(isinstance(change, ChatDeleted) for change in later):
        return ()
    moved = {user_id for change in later if (user_id := _moved(change)) is not None}
    return [_without(change, moved) for change in late if _moved(change) not in moved] if moved else late


def _moved(change: Change) -> int | None:
    """The user whom the change makes a member, or no longer one, of a chat that existed before."""
    if isinstance(change, MemberAdded):
        return change.member.user_id
    if isinstance(change, MemberRemoved) or (isinstance(change, UserBanned) and change.was_member):
        return change.user_id
    return None


def _without(change: Change, user_ids: Collection[int]) -> Change:
    """The change; the creation of a chat without these members."""
    if not isinstance(change, ChatCreated):
        return change
    members = {key: member for key, member in change.state.members.items() if key not in user_ids}
    return replace(change, state=replace(change.state, members=members))
