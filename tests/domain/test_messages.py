"""Sending, editing and deleting: who may, what comes of it, and which refusal comes first."""

from dataclasses import replace

import pytest

from domain.changes import MessageCreated, MessageDeleted, MessageEdited
from domain.decisions.messages import delete, edit, send
from domain.files import Attachment
from domain.models import Appended, ChatType, Draft, Message
from domain.refusals import BadContent, BadReference, ClientIdTaken, Forbidden, NotFound
from tests.domain.fake_view import (
    ADMIN,
    CHAT,
    MEMBER,
    NO_CHAT,
    OTHER_CHAT,
    OWNER,
    START,
    STRANGER,
    at,
    view_of,
)
from tests.domain.outcomes import outcome

PICTURE = Attachment("p", "p.png", "image/png", 3, 1, 1, has_thumbnail=True)


def draft(sender_id: int = MEMBER, chat_id: int = CHAT, **more: object) -> Draft:
    return Draft(chat_id, sender_id, **({"content": "hi", "created_at": at(5)} | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chat_type", "sender_id", "expected"),
    [
        ("group", OWNER, MessageCreated),
        ("group", ADMIN, MessageCreated),
        ("group", MEMBER, MessageCreated),
        ("group", STRANGER, NotFound),
        ("channel", OWNER, MessageCreated),
        ("channel", ADMIN, MessageCreated),
        ("channel", MEMBER, Forbidden),
        ("channel", STRANGER, NotFound),
        ("private", OWNER, MessageCreated),
        ("private", MEMBER, MessageCreated),
        ("private", STRANGER, NotFound),
    ],
)
def test_who_sends(chat_type: ChatType, sender_id: int, expected: type) -> None:
    view = view_of(chat_type)
    decided = outcome(lambda: send(view, draft(sender_id)))
    assert (decided if isinstance(decided, type) else type(decided)) is expected


def test_a_new_message_takes_the_next_number_and_id_and_is_what_was_drafted() -> None:
    view = view_of()
    first = view.add_message(CHAT, OWNER)
    sent = send(view, draft(client_id="x", reply_to=first.id, message_type="text"))
    assert sent == MessageCreated(
        Message(
            id=1001,
            chat_id=CHAT,
            seq=2,
            changed_seq=2,
            content="hi",
            sender_id=MEMBER,
            created_at=at(5),
            reply_to=first.id,
            client_id="x",
        )
    )
    assert send(view, draft(chat_id=OTHER_CHAT)) == MessageCreated(
        Message(1001, OTHER_CHAT, 1, 1, "hi", MEMBER, at(5))
    )


@pytest.mark.parametrize(
    ("used_in", "used_by", "deleted", "expected"),
    [
        (CHAT, MEMBER, False, "the first message"),
        (CHAT, MEMBER, True, NotFound),
        (OTHER_CHAT, MEMBER, False, ClientIdTaken),
        (OTHER_CHAT, MEMBER, True, ClientIdTaken),
        (CHAT, OWNER, False, "a new message"),
    ],
)
def test_a_client_id_used_before(used_in: int, used_by: int, deleted: bool, expected: object) -> None:
    view = view_of()
    first = view.add_message(used_in, used_by, client_id="x", deleted=deleted)
    decided = outcome(lambda: send(view, draft(client_id="x", content="something else")))
    if expected == "the first message":
        assert decided == Appended(first, duplicate=True)
    elif expected == "a new message":
        assert isinstance(decided, MessageCreated)
    else:
        assert decided is expected


def test_without_a_client_id_nothing_is_a_repeat() -> None:
    view = view_of()
    view.add_message(CHAT, MEMBER, content="hi")
    assert isinstance(send(view, draft()), MessageCreated)


@pytest.mark.parametrize(
    ("sender_id", "client_id", "content_fault", "reply_to", "expected"),
    [
        (STRANGER, "used elsewhere", "too long", 1, NotFound),
        (MEMBER, "used elsewhere", "too long", 1, ClientIdTaken),
        (MEMBER, "used", "too long", 1, Appended),
        (MEMBER, "new", "too long", 1, BadContent),
        (MEMBER, None, "too long", 1, BadContent),
        (MEMBER, "new", None, 1, Forbidden),
        (OWNER, "new", "too long", 1, BadContent),
        (OWNER, "new", None, 1, BadReference),
        (OWNER, "new", None, None, MessageCreated),
    ],
)
def test_which_refusal_of_a_send_comes_first(
    sender_id: int, client_id: str | None, content_fault: str | None, reply_to: int | None, expected: type
) -> None:
    """In a channel, where a member may not write."""
    view = view_of("channel")
    for user_id in (MEMBER, STRANGER):
        view.add_message(OTHER_CHAT, user_id, client_id="used elsewhere")
        view.add_message(CHAT, user_id, client_id="used")
    wanted = draft(sender_id, client_id=client_id, content_fault=content_fault, reply_to=reply_to)
    decided = outcome(lambda: send(view, wanted))
    assert (decided if isinstance(decided, type) else type(decided)) is expected


@pytest.mark.parametrize(
    ("chat_id", "deleted", "expected"),
    [
        (CHAT, False, None),
        (CHAT, True, None),
        (OTHER_CHAT, False, BadReference),
        (OTHER_CHAT, True, BadReference),
    ],
)
def test_a_reply_is_to_a_message_of_the_same_chat(chat_id: int, deleted: bool, expected: type | None) -> None:
    view = view_of()
    target = view.add_message(chat_id, OWNER, deleted=deleted)
    decided = outcome(lambda: send(view, draft(reply_to=target.id)))
    assert decided is expected if expected else isinstance(decided, MessageCreated)


def test_the_texts_of_refusals() -> None:
    view = view_of("channel")
    with pytest.raises(Forbidden, match="only owner and admins write in a channel"):
        send(view, draft())
    with pytest.raises(BadContent, match="must be 1 to 5 characters"):
        send(view, draft(content_fault="must be 1 to 5 characters"))
    with pytest.raises(BadReference) as bad:
        send(view, draft(OWNER, reply_to=7))
    assert bad.value.field == "reply_to"


@pytest.mark.parametrize("chat_type", ["group", "channel", "private"])
@pytest.mark.parametrize(
    ("user_id", "author_id", "edits", "deletes"),
    [
        (OWNER, OWNER, True, True),
        (OWNER, MEMBER, False, True),
        (ADMIN, OWNER, False, True),
        (ADMIN, MEMBER, False, True),
        (MEMBER, MEMBER, True, True),
        (MEMBER, OWNER, False, False),
    ],
)
def test_who_changes_a_message(
    chat_type: ChatType, user_id: int, author_id: int, edits: bool, deletes: bool
) -> None:
    view = view_of(chat_type)
    message = view.add_message(CHAT, author_id)
    edited = outcome(lambda: edit(view, message.id, user_id, "new", START))
    deleted = outcome(lambda: delete(view, message.id, user_id, at(9)))
    if user_id == ADMIN and chat_type == "private":  # which has no admin
        assert (edited, deleted) == (NotFound, NotFound)
        return
    assert isinstance(edited, MessageEdited) if edits else edited is Forbidden
    assert isinstance(deleted, MessageDeleted) if deletes else deleted is Forbidden


@pytest.mark.parametrize("request_of", ["edit", "delete"])
@pytest.mark.parametrize(
    ("user_id", "state"),
    [(MEMBER, "unknown"), (MEMBER, "deleted"), (STRANGER, "alive"), (STRANGER, "deleted")],
)
def test_what_is_not_there_or_not_for_the_user_is_not_found(
    request_of: str, user_id: int, state: str
) -> None:
    """Their own messages too, once they are no members: this comes before what they may not do."""
    view = view_of()
    message = view.add_message(CHAT, user_id, deleted=state == "deleted")
    message_id = 7 if state == "unknown" else message.id
    if request_of == "edit":
        assert outcome(lambda: edit(view, message_id, user_id, "new", START)) is NotFound
    else:
        assert outcome(lambda: delete(view, message_id, user_id, at(9))) is NotFound


def test_an_edit_changes_content_time_and_number() -> None:
    view = view_of()
    message = view.add_message(CHAT, MEMBER, client_id="x")
    view.add_message(CHAT, OWNER)
    assert edit(view, message.id, MEMBER, "new", at(9)) == MessageEdited(
        replace(message, content="new", edited_at=at(9), changed_seq=3)
    )


def test_the_same_content_changes_nothing_for_the_author() -> None:
    view = view_of()
    message = view.add_message(CHAT, MEMBER, content="same")
    assert edit(view, message.id, MEMBER, "same", at(9)) == message
    assert outcome(lambda: edit(view, message.id, OWNER, "same", at(9))) is Forbidden


def test_a_tombstone_keeps_all_but_what_was_said() -> None:
    view = view_of()
    first = view.add_message(CHAT, OWNER)
    said = {"content": "secret", "reactions": {"+": [OWNER]}, "attachments": [PICTURE]}
    message = view.add_message(
        CHAT, MEMBER, client_id="x", reply_to=first.id, edited_at=at(1), pinned_seq=1, **said
    )
    tombstone = replace(
        message, content="", reactions=None, attachments=(), pinned_seq=0, deleted=True, changed_seq=3
    )
    deletion = delete(view, message.id, MEMBER, at(9))
    assert deletion == MessageDeleted(tombstone)
    assert deletion.file_ids == ["p", "p.t"]


def test_a_send_into_no_chat_is_not_found() -> None:
    assert outcome(lambda: send(view_of(), draft(chat_id=NO_CHAT))) is NotFound
