"""Who may do what, as tables: a letter for each role, in the order owner, admin, member."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain import permissions
from domain.models import Actor, ChatType, Member, Message, Role
from domain.refusals import Forbidden
from tests.storage.world import START

ROLES: tuple[Role, ...] = ("owner", "admin", "member")
CHAT_TYPES: tuple[ChatType, ...] = ("group", "channel", "private")
ME, OTHER = 1, 2

MINE = Message(11, 5, 1, 1, "mine", ME, START)
THEIRS = Message(12, 5, 2, 2, "theirs", OTHER, START)

Request = Callable[[Actor], None]


def remove(role: Role, user_id: int = OTHER) -> Request:
    return lambda actor: permissions.check_remove(actor, Member(user_id, role, START))


def moderate(role: Role, user_id: int = OTHER) -> Request:
    return lambda actor: permissions.check_moderate(actor, Member(user_id, role, START))


def leave(actor: Actor) -> None:
    permissions.check_remove(actor, Member(ME, actor.role, START))


REQUESTS: dict[str, tuple[Request, str, str, str]] = {
    # what is asked: the check, and who may in a group, a channel and a private chat
    "check_voice": (lambda one: permissions.check_voice(one, START), "oam", "oam", "oam"),
    "check_send": (lambda one: permissions.check_send(one, START), "oam", "oa-", "oam"),
    "check_writer": (lambda one: permissions.check_writer(one.chat_type, one.role), "oam", "oa-", "oam"),
    "check_edit, one's own": (lambda one: permissions.check_edit(one, MINE, START), "oam", "oam", "oam"),
    "check_edit, another's": (lambda one: permissions.check_edit(one, THEIRS, START), "---", "---", "---"),
    "check_react": (lambda one: permissions.check_react(one, START), "oam", "oam", "oam"),
    "check_pin": (permissions.check_pin, "oa-", "oa-", "oam"),
    "check_delete, one's own": (lambda one: permissions.check_delete(one, MINE), "oam", "oam", "oam"),
    "check_delete, another's": (lambda one: permissions.check_delete(one, THEIRS), "oa-", "oa-", "oa-"),
    "check_rename": (permissions.check_rename, "oa-", "oa-", "---"),
    "check_avatar": (permissions.check_avatar, "oa-", "oa-", "---"),
    "check_make_public": (permissions.check_make_public, "o--", "o--", "---"),
    "check_invite": (permissions.check_invite, "oa-", "oa-", "---"),
    "check_hooks": (permissions.check_hooks, "oa-", "oa-", "---"),
    "check_delete_chat": (permissions.check_delete_chat, "o--", "o--", "o--"),
    "check_add, a member": (lambda one: permissions.check_add(one, "member"), "oa-", "oa-", "---"),
    "check_add, an admin": (lambda one: permissions.check_add(one, "admin"), "o--", "o--", "---"),
    "check_add, an owner": (lambda one: permissions.check_add(one, "owner"), "o--", "o--", "---"),
    "check_set_role": (permissions.check_set_role, "o--", "o--", "---"),
    "check_remove, oneself": (leave, "oam", "oam", "---"),
    "check_remove, a member": (remove("member"), "oa-", "oa-", "---"),
    "check_remove, an admin": (remove("admin"), "o--", "o--", "---"),
    "check_remove, an owner": (remove("owner"), "o--", "o--", "---"),
    "check_slow_mode": (permissions.check_slow_mode, "oa-", "oa-", "---"),
    "check_moderate, a stranger": (lambda one: permissions.check_moderate(one, None), "oa-", "oa-", "---"),
    "check_moderate, a member": (moderate("member"), "oa-", "oa-", "---"),
    "check_moderate, an admin": (moderate("admin"), "o--", "o--", "---"),
    "check_moderate, an owner": (moderate("owner"), "o--", "o--", "---"),
    "check_moderate, oneself": (moderate("member", ME), "---", "---", "---"),
    "check_oversee": (permissions.check_oversee, "oa-", "oa-", "---"),
}


def allows(request: Request, actor: Actor) -> bool:
    try:
        request(actor)
    except Forbidden:
        return False
    return True


@pytest.mark.parametrize("chat_type", CHAT_TYPES)
@pytest.mark.parametrize("name", REQUESTS)
def test_who_may(name: str, chat_type: ChatType) -> None:
    request, *tables = REQUESTS[name]
    allowed = "".join(role[0] if allows(request, Actor(ME, role, chat_type)) else "-" for role in ROLES)
    assert allowed == tables[CHAT_TYPES.index(chat_type)]


def test_every_check_is_here() -> None:
    checks = {name for name in vars(permissions) if name.startswith("check_")}
    assert {name.partition(",")[0] for name in REQUESTS} == checks


@pytest.mark.parametrize(
    ("request_of", "actor", "sentence"),
    [
        ("check_send", Actor(ME, "member", "channel"), "only owner and admins write in a channel"),
        (
            "check_voice",
            Actor(ME, "member", "group", muted_until=START + timedelta(seconds=1)),
            r"you are muted in this chat until 2025-11-23T10:00:01.123456\+00:00",
        ),
        ("check_voice", Actor(ME, "owner", "private", blocked=True), "the other person has blocked you"),
        ("check_rename", Actor(ME, "owner", "private"), "a private chat has no name"),
        ("check_avatar", Actor(ME, "owner", "private"), "a private chat has no picture"),
        ("check_add, a member", Actor(ME, "owner", "private"), "the members of a private chat are fixed"),
        ("check_add, an admin", Actor(ME, "member", "group"), "only the owner and admins do this"),
        ("check_add, an admin", Actor(ME, "admin", "group"), "only the owner does this"),
        ("check_remove, oneself", Actor(ME, "member", "private"), "the members of a private chat are fixed"),
    ],
)
def test_a_refusal_says_why(request_of: str, actor: Actor, sentence: str) -> None:
    with pytest.raises(Forbidden, match=f"^{sentence}$"):
        REQUESTS[request_of][0](actor)


def test_a_mute_is_over_at_its_end() -> None:
    permissions.check_voice(Actor(ME, "member", "group", muted_until=START), START)
