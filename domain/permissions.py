"""Who may do what. Each check takes the actor as the write finds them, and raises `Forbidden`."""

from datetime import datetime

from domain.mentions import ALL_MEMBERS_MAX
from domain.models import Actor, ChatType, Member, Message, Role
from domain.refusals import Forbidden

_MANAGERS: frozenset[Role] = frozenset({"owner", "admin"})


def check_voice(actor: Actor | Member, at: datetime) -> None:
    """A member who is muted at that time, or whom the other member of a private chat has blocked, writes nothing."""
    if actor.muted_until is not None and at < actor.muted_until:
        raise Forbidden(f"you are muted in this chat until {actor.muted_until.isoformat()}")
    if actor.blocked:
        raise Forbidden("the other person has blocked you")


def check_send(actor: Actor, at: datetime) -> None:
    """Members who have a voice send; in a channel only owners and admins do."""
    check_voice(actor, at)
    check_writer(actor.chat_type, actor.role)


def check_writer(chat_type: ChatType, role: Role) -> None:
    """In a channel only owners and admins write."""
    if chat_type == "channel" and role not in _MANAGERS:
        raise Forbidden("only owner and admins write in a channel")


def check_edit(actor: Actor, message: Message, at: datetime) -> None:
    """Only the author edits a message, while they have a voice."""
    if message.sender_id != actor.user_id:
        raise Forbidden("only the author edits a message")
    check_voice(actor, at)


def check_react(actor: Actor, at: datetime) -> None:
    """Members who have a voice react to messages, in channels too."""
    check_voice(actor, at)


def check_pin(actor: Actor) -> None:
    """Owners and admins pin messages; in a private chat both members do."""
    if actor.chat_type != "private" and actor.role not in _MANAGERS:
        raise Forbidden("only owner and admins pin messages")


def check_delete(actor: Actor, message: Message) -> None:
    """The author, admins and owners delete a message."""
    if message.sender_id != actor.user_id and actor.role not in _MANAGERS:
        raise Forbidden("only the author, admins and the owner delete a message")


def may_mention_all(actor: Actor, member_count: int) -> bool:
    """In a small group every member mentions all, in larger ones and in channels owners and admins do, in a private
    chat nobody does."""
    if actor.chat_type == "private":
        return False
    return actor.role in _MANAGERS or (actor.chat_type == "group" and member_count <= ALL_MEMBERS_MAX)


def check_rename(actor: Actor) -> None:
    """Owners and admins name a chat; a private one has no name."""
    if actor.chat_type == "private":
        raise Forbidden("a private chat has no name")
    _manager(actor)


def check_make_public(actor: Actor) -> None:
    """Only an owner says whether everybody may find and join a group or channel."""
    if actor.chat_type == "private":
        raise Forbidden("a private chat stays private")
    _owner(actor)


def check_avatar(actor: Actor) -> None:
    """Owners and admins give a group or channel its avatar; a private chat has none."""
    if actor.chat_type == "private":
        raise Forbidden("a private chat has no picture")
    _manager(actor)


def check_invite(actor: Actor) -> None:
    """Owners and admins of groups and channels make, list and remove invites."""
    if not may_invite(actor):
        raise Forbidden("only the owner and admins of a group or channel invite")


def may_invite(actor: Actor) -> bool:
    """What `check_invite` checks."""
    return actor.chat_type != "private" and actor.role in _MANAGERS


def check_hooks(actor: Actor) -> None:
    """Owners and admins of groups and channels manage hooks."""
    if not may_manage_hooks(actor):
        raise Forbidden("only the owner and admins of a group or channel manage hooks")


def may_manage_hooks(actor: Actor) -> bool:
    """What `check_hooks` checks."""
    return actor.chat_type != "private" and actor.role in _MANAGERS


def check_delete_chat(actor: Actor) -> None:
    """Only an owner deletes a chat. The owner of a private chat is the user who created it."""
    if actor.role != "owner":
        raise Forbidden("only the owner deletes a chat")


def check_add(actor: Actor, role: Role) -> None:
    """Owners and admins add members; only an owner adds admins and owners."""
    _open_to_change(actor)
    _manager(actor)
    if role != "member":
        _owner(actor)


def check_set_role(actor: Actor) -> None:
    """Only an owner gives roles."""
    _open_to_change(actor)
    _owner(actor)


def check_remove(actor: Actor, target: Member) -> None:
    """Every member may leave; owners and admins remove members, and only an owner removes an owner or admin."""
    _open_to_change(actor)
    if target.user_id == actor.user_id:
        return
    _manager(actor)
    if target.role in _MANAGERS:
        _owner(actor)


def check_moderate(actor: Actor, target: Member | None) -> None:
    """Who mutes and bans whom in groups and channels: admins plain members and those who are none (None), owners
    everybody, and nobody themselves."""
    _moderated(actor)
    _manager(actor)
    if target is None:
        return
    if target.user_id == actor.user_id:
        raise Forbidden("nobody mutes or bans themselves")
    if target.role in _MANAGERS:
        _owner(actor)


def check_slow_mode(actor: Actor) -> None:
    """Owners and admins of groups and channels say how long plain members wait between two messages."""
    _moderated(actor)
    _manager(actor)


def waits(actor: Actor) -> bool:
    """Whether slow mode holds for the member."""
    return actor.slow_mode_s > 0 and actor.role not in _MANAGERS


def check_oversee(actor: Actor) -> None:
    """Owners and admins of groups and channels read the audit and who is banned."""
    _moderated(actor)
    _manager(actor)


def _moderated(actor: Actor) -> None:
    if actor.chat_type == "private":
        raise Forbidden("there is no moderation in a private chat")


def _open_to_change(actor: Actor) -> None:
    if actor.chat_type == "private":
        raise Forbidden("the members of a private chat are fixed")


def _manager(actor: Actor) -> None:
    if actor.role not in _MANAGERS:
        raise Forbidden("only the owner and admins do this")


def _owner(actor: Actor) -> None:
    if actor.role != "owner":
        raise Forbidden("only the owner does this")
