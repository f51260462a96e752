"""Sizes of pages: the estimate of an item is never less than its JSON."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from domain.files import Attachment
from domain.models import Chat, ChatSummary, Member, Message
from domain.refusals import BadReference
from handlers.wire.errors import ChatError
from handlers.wire.file_links import FileLinks
from handlers.wire.json import dumps
from handlers.wire.pages import PAGE_BYTES_MAX, after_id, order_of, that_fit
from handlers.wire.views import message_view, summary_view
from storage.cursor import Cursor
from storage.sizes import message_bytes, summary_bytes

LINKS = FileLinks(b"key", lambda: 2e9)
AT = datetime(2025, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)
ID = 2**53 - 1

CONTENTS = ["", "x", "\x01" * 10_000, "😀" * 10_000, '"\\\n' * 3000, "ы" * 500, "\u2028"]


def largest(content: str) -> Message:
    """A message with the longest value in every field."""
    return Message(
        id=ID,
        chat_id=ID,
        seq=ID,
        changed_seq=ID,
        content=content,
        sender_id=ID,
        created_at=AT,
        edited_at=AT,
        message_type="system",
        reply_to=ID,
        reactions={"😀": [ID] * 1000, "👍🏽": [ID]},
        pinned_seq=0,
        attachments=[Attachment("i" * 22, "\x01" * 255, "a/" + "b" * 98, ID, ID, ID, has_thumbnail=True)]
        * 10,
        client_id="\x01" * 64,
        mentions=[ID] * 50,
        mentions_all=False,
    )


def test_no_field_of_a_message_is_forgotten() -> None:
    unpublished, published = {"deleted", "pinned_seq"}, {"pinned"}
    assert {entry.name for entry in fields(Message)} - unpublished | published == set(
        message_view(largest("x"), LINKS)
    )


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: repr(content[:3]))
def test_a_message_is_no_larger_than_reckoned(content: str) -> None:
    message = largest(content)
    size = len(dumps(message_view(message, LINKS))) + 1
    assert size <= message_bytes(message) <= size + 8000
    chat = Chat(ID, "\x01" * 100, "channel", AT, ID, ID, ID)
    summary = ChatSummary(chat, Member(ID, "member", AT, ID, ID), 1000, message)
    size = len(dumps(summary_view(summary, AT, LINKS))) + 1
    assert size <= summary_bytes(summary) <= size + 9000


def test_what_does_not_fit_is_left_for_the_next_page() -> None:
    views = [{"id": number, "text": "x" * 1000} for number in range(3000)]
    found = that_fit(views)
    assert PAGE_BYTES_MAX - 3000 < len(dumps({"items": found})) <= PAGE_BYTES_MAX
    assert found == views[: len(found)]
    huge = [{"text": "x" * 2 * PAGE_BYTES_MAX}, {"text": ""}]
    assert that_fit(huge) == huge[:1]
    assert that_fit([]) == []


def test_cursors_lead_on_where_a_page_ended() -> None:
    member = Member(ID, "member", AT)
    cursor = Cursor(*order_of(member))
    assert Cursor.parse(str(cursor)) == cursor == Cursor(1763892000123456, ID)
    assert after_id(None) == 0
    assert after_id("12") == 12


@pytest.mark.parametrize("text", ["", "x", "-", "1-", "-1", "1-2-3", "１-1", "1" * 18 + "-1", "1" * 5000])
def test_other_cursors_were_not_given_out_here(text: str) -> None:
    with pytest.raises(BadReference):
        Cursor.parse(text)
    with pytest.raises(ChatError) as caught:
        after_id(text)
    assert (caught.value.code, list(caught.value.fields or ())) == ("invalid", ["cursor"])
