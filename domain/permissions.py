"""Who may do what, as rules that the store judges on the state a write is made on. Each raises `Forbidden`."""

from domain.models import Role, Rule, Standing
from domain.refusals import Forbidden

_RULING: frozenset[Role] = frozenset({"owner", "admin"})


def may_send(standing: Standing) -> None:
    """Members send; in a channel only those who rule it."""
    if standing.chat_type == "channel" and standing.role not in _RULING:
        raise Forbidden("only owner and admins write in a channel")


def may_edit(standing: Standing) -> None:
    """Only the author edits."""
    if standing.message is None or standing.message.sender_id != standing.user_id:
        raise Forbidden("only the author edits a message")


def may_delete(standing: Standing) -> None:
    """The author, admins and owners delete."""
    author = standing.message is not None and standing.message.sender_id == standing.user_id
    if not author and standing.role not in _RULING:
        raise Forbidden("only the author, admins and the owner delete a message")


def may_rename(standing: Standing) -> None:
    if standing.chat_type == "private":
        raise Forbidden("a private chat has no name")
    _ruling(standing)


def may_delete_chat(standing: Standing) -> None:
    if standing.role != "owner":
        raise Forbidden("only the owner deletes a chat")


def may_add_as(role: Role) -> Rule:
    """Owner and admins add members; giving a role is the owner's."""

    def may_add(standing: Standing) -> None:
        _open_to_change(standing)
        _ruling(standing)
        if role != "member":
            _owning(standing)

    return may_add


def may_set_role(standing: Standing) -> None:
    _open_to_change(standing)
    _owning(standing)


def may_remove(standing: Standing) -> None:
    """Anybody removes himself; owner and admins remove members, only an owner removes an owner or admin."""
    _open_to_change(standing)
    target = standing.target
    if target is not None and target.user_id == standing.user_id:
        return
    _ruling(standing)
    if target is not None and target.role in _RULING:
        _owning(standing)


def _open_to_change(standing: Standing) -> None:
    if standing.chat_type == "private":
        raise Forbidden("the members of a private chat are fixed")


def _ruling(standing: Standing) -> None:
    if standing.role not in _RULING:
        raise Forbidden("only the owner and admins do this")


def _owning(standing: Standing) -> None:
    if standing.role != "owner":
        raise Forbidden("only the owner does this")
