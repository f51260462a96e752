"""Mentions: which names a content holds, and whom they mean."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.changes import MessageCreated, MessageDeleted, MessageEdited
from domain.decisions.accounts import is_reserved
from domain.decisions.messages import delete, edit, send
from domain.mentions import (
    ALL_MEMBERS_MAX,
    MENTIONS_MAX,
    NAMES_MAX,
    USERNAME_CHARS_MAX,
    mentioned,
    usernames_in,
)
from domain.models import ChatType, Draft
from tests.domain.fake_view import ADMIN, CHAT, MEMBER, OWNER, STRANGER, FakeView, at, view_of


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("", []),
        ("no sign", []),
        ("@", []),
        ("@ anna", []),
        ("@anna", [["anna"]]),
        ("hello @anna, and @boris!", [["anna"], ["boris"]]),
        ("@ANNA", [["anna"]]),
        ("(@anna)", [["anna"]]),
        ("@anna@example.com", [["anna"]]),
        ("@a_b-c.d9", [["a_b-c.d9"]]),
        # The signs at the end belong to the username or to the sentence.
        ("@anna.", [["anna.", "anna"]]),
        ("@anna...", [["anna...", "anna..", "anna.", "anna"]]),
        ("@anna-.", [["anna-.", "anna-", "anna"]]),
        ("@anna_", [["anna_"]]),
        ("@anna.boris", [["anna.boris"]]),
        # What stands before it.
        ("x@anna", []),
        ("9@anna", []),
        ("_@anna", []),
        (".@anna", []),
        ("-@anna", []),
        ("@@anna", []),
        ("ж@anna", []),
        ("٣@anna", []),
        ("/@anna", [["anna"]]),
        ("\n@anna", [["anna"]]),
        ("😀@anna", [["anna"]]),
        # What stands after it.
        ("@annaж", []),
        ("@anna.ж", []),
        ("@anna٣", []),
        ("@anna😀", [["anna"]]),
        ("@anna'", [["anna"]]),
        ("@ann\u0430", []),
        # Usernames have 3 to 32 characters.
        ("@an", []),
        ("@an.", [["an."]]),
        ("@" + "a" * 32, [["a" * 32]]),
        ("@" + "a" * 33, []),
        ("@" + "a" * 31 + "...", [["a" * 31 + ".", "a" * 31]]),
        ("@...", [["..."]]),
    ],
)
def test_the_names_in_a_content(content: str, names: list[list[str]]) -> None:
    assert list(mentioned(content)) == names
    assert set(usernames_in([content])) == {name for each in names for name in each}


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("`@anna` @boris", ["boris"]),
        ("@boris `@anna`", ["boris"]),
        ("``@anna`` @boris", ["boris"]),
        ("`` ` @anna ` `` @boris", ["boris"]),
        ("```\n@anna\n```\n@boris", ["boris"]),
        # Not closed by a run of another length.
        ("` @anna ``", ["anna"]),
        ("`` @anna `", ["anna"]),
        ("``` @anna `` @boris `", ["anna", "boris"]),
        ("`@anna", ["anna"]),
        ("@anna`", ["anna"]),
        ("`` @anna ` @boris ` @carl", ["anna", "carl"]),
        ("`a` @anna `b` @boris `c`", ["anna", "boris"]),
        ("`a`@anna`b`", ["anna"]),
        ("`@anna```@boris`", []),
        ("`@anna``@boris`", []),
        ("@anna ``` @boris ``` @carl ``` @dora", ["anna", "carl", "dora"]),
    ],
)
def test_nothing_in_code_is_a_mention(content: str, names: list[str]) -> None:
    assert [each[0] for each in mentioned(content)] == names


@given(st.text(alphabet="`@a. ", max_size=30))
def test_code_ends_with_the_next_run_of_as_many_backticks(content: str) -> None:
    """As one would do it by hand, from left to right."""
    alive, position = "", 0
    while position < len(content):
        run = re.match("`*", content[position:])
        assert run is not None
        if not run[0]:
            alive += content[position]
            position += 1
            continue
        after = position + len(run[0])
        closing = re.search(f"(?<!`){run[0]}(?!`)", content[after:])
        end = after if closing is None else after + closing.end()
        alive += "`" * (end - position)
        position = end
    assert list(mentioned(content)) == list(mentioned(alive.replace("`", " ")))


def test_a_content_of_names_costs_no_more_than_so_many_lookups() -> None:
    content = " ".join(f"@u{number:03}" for number in range(1000))
    found = [names[0] for names in mentioned(content)]
    assert found == [f"u{number:03}" for number in range(NAMES_MAX)]
    assert len(mentioned("@anna " * 1600)) == 1600
    many = [f"@{number:03}" + "." * (USERNAME_CHARS_MAX - 3) for number in range(100)]
    assert len(usernames_in([" ".join(many)])) <= NAMES_MAX


@pytest.mark.parametrize("name", ["all", "ALL", "All", "ａｌｌ"])
def test_nobody_is_called_all(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["all.", "al", "alla", "_all", "-all-"])
def test_other_names_are_free(name: str) -> None:
    assert not is_reserved(name)


def sent(view: FakeView, content: str, sender_id: int = MEMBER) -> tuple[list[int], bool]:
    outcome = send(view, Draft(CHAT, sender_id, content, at(5)))
    assert isinstance(outcome, MessageCreated)
    message = outcome.message
    return list(message.mentions), message.mentions_all


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("hello", []),
        ("@anna", [OWNER]),
        ("@Anna, @BORIS.", [OWNER, ADMIN]),
        ("@boris @anna @boris", [ADMIN, OWNER]),
        ("@carl", []),  # oneself
        ("@carl @anna", [OWNER]),
        ("@dora", []),  # no member
        ("@nobody", []),
        ("`@anna`", []),
        ("@anna.boris", []),
    ],
)
def test_members_are_mentioned_by_their_usernames(content: str, expected: list[int]) -> None:
    assert sent(view_of(), content) == (expected, False)


def test_the_longest_username_is_meant() -> None:
    view = view_of()
    view.usernames |= {ADMIN: "anna."}
    assert sent(view, "@anna. @anna, @anna.. @anna-") == ([ADMIN, OWNER], False)


def test_the_first_fifty_are_mentioned() -> None:
    view = view_of()
    for number in range(MENTIONS_MAX + 5):
        view.add_member(CHAT, 100 + number, "member")
        view.usernames[100 + number] = f"user{number:02}"
    everybody = [f"@user{number:02}" for number in range(MENTIONS_MAX + 5)]
    assert sent(view, " ".join(everybody[::-1])) == ([154 - number for number in range(MENTIONS_MAX)], False)


@pytest.mark.parametrize(
    ("chat_type", "members", "sender_id", "mentions_all"),
    [
        ("group", 3, OWNER, True),
        ("group", 3, MEMBER, True),
        ("group", ALL_MEMBERS_MAX, MEMBER, True),
        ("group", ALL_MEMBERS_MAX + 1, MEMBER, False),
        ("group", ALL_MEMBERS_MAX + 1, ADMIN, True),
        ("group", ALL_MEMBERS_MAX + 1, OWNER, True),
        ("channel", 3, ADMIN, True),
        ("channel", 3, OWNER, True),
        ("private", 2, OWNER, False),
        ("private", 2, MEMBER, False),
    ],
)
def test_who_mentions_all(chat_type: ChatType, members: int, sender_id: int, mentions_all: bool) -> None:
    view = view_of(chat_type)
    for number in range(members - len(view.members[CHAT])):
        view.add_member(CHAT, 100 + number, "member")
    assert sent(view, "@all", sender_id) == ([], mentions_all)
    assert sent(view, "so @ALL.", sender_id) == ([], mentions_all)
    assert sent(view, "`@all`", sender_id) == ([], False)


def test_all_is_never_the_name_of_a_user() -> None:
    """Somebody may have it since an earlier version, when everybody could register it."""
    view = view_of()
    view.usernames[OWNER] = "all"
    assert sent(view, "@all") == ([], True)
    assert sent(view_of("private"), "@all") == ([], False)


def test_a_mention_of_all_stands_beside_others() -> None:
    assert sent(view_of(), "@all and @anna") == ([OWNER], True)


def test_in_a_private_chat_the_other_one_is_mentioned_before_they_see_it() -> None:
    view = FakeView()
    view.add_chat(CHAT, "private")
    view.add_member(CHAT, OWNER, "owner")
    view.add_member(CHAT, MEMBER, "member")
    assert sent(view, "@carl", OWNER) == ([MEMBER], False)


def test_an_edit_mentions_anew() -> None:
    view = view_of()
    message = view.add_message(CHAT, MEMBER, content="@anna @all", mentions=(OWNER,), mentions_all=True)
    changed = edit(view, message.id, MEMBER, "@boris @carl", at(9))
    assert isinstance(changed, MessageEdited)
    assert (changed.message.mentions, changed.message.mentions_all) == ((ADMIN,), False)
    view.members[CHAT].pop(ADMIN)
    changed = edit(view, message.id, MEMBER, "now @boris and @all", at(9))
    assert isinstance(changed, MessageEdited)
    assert (changed.message.mentions, changed.message.mentions_all) == ((), True)


def test_the_same_content_mentions_whom_it_mentioned() -> None:
    view = view_of()
    message = view.add_message(CHAT, MEMBER, content="@dora")
    view.add_member(CHAT, STRANGER, "member")
    assert edit(view, message.id, MEMBER, "@dora", at(9)) == message


def test_a_tombstone_mentions_nobody() -> None:
    view = view_of()
    message = view.add_message(CHAT, MEMBER, content="@anna @all", mentions=(OWNER,), mentions_all=True)
    deleted = delete(view, message.id, MEMBER, at(9))
    assert deleted == MessageDeleted(
        replace(message, content="", mentions=(), mentions_all=False, deleted=True, changed_seq=2)
    )
