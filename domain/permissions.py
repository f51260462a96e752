"""Who may do what, as rules that the store judges on the state a write is made on. Each raises `Forbidden`."""

from domain.models import Actor, Permission, Role
from domain.refusals import Forbidden

_RULING: frozenset[Role] = frozenset({"owner", "admin"})


def may_send(actor: Actor) -> None:
    """Members send; in a channel only those who rule it."""
    if actor.chat_type == "channel" and actor.role not in _RULING:
        raise Forbidden("only owner and admins write in a channel")


def may_edit(actor: Actor) -> None:
    """Only the author edits."""
    if actor.message is None or actor.message.sender_id != actor.user_id:
        raise Forbidden("only the author edits a message")


def may_delete(actor: Actor) -> None:
    """The author, admins and owners delete."""
    author = actor.message is not None and actor.message.sender_id == actor.user_id
    if not author and actor.role not in _RULING:
        raise Forbidden("only the author, admins and the owner delete a message")


def may_rename(actor: Actor) -> None:
    if actor.chat_type == "private":
        raise Forbidden("a private chat has no name")
    _ruling(actor)


def may_delete_chat(actor: Actor) -> None:
    if actor.role != "owner":
        raise Forbidden("only the owner deletes a chat")


def may_add_as(role: Role) -> Permission:
    """Owner and admins add members; giving a role is the owner's."""

    def may_add(actor: Actor) -> None:
        _open_to_change(actor)
        _ruling(actor)
        if role != "member":
            _owning(actor)

    return may_add


def may_set_role(actor: Actor) -> None:
    _open_to_change(actor)
    _owning(actor)


def may_remove(actor: Actor) -> None:
    """Anybody removes himself; owner and admins remove members, only an owner removes an owner or admin."""
    _open_to_change(actor)
    target = actor.target
    if target is not None and target.user_id == actor.user_id:
        return
    _ruling(actor)
    if target is not None and target.role in _RULING:
        _owning(actor)


def _open_to_change(actor: Actor) -> None:
    if actor.chat_type == "private":
        raise Forbidden("the members of a private chat are fixed")


def _ruling(actor: Actor) -> None:
    if actor.role not in _RULING:
        raise Forbidden("only the owner and admins do this")


def _owning(actor: Actor) -> None:
    if actor.role != "owner":
        raise Forbidden("only the owner does this")
