"""What may be attached, how much may be sent, and the avatars of chats."""

from dataclasses import replace

import pytest

from domain.changes import MessageCreated, MessageEdited
from domain.decisions.files import change_avatar, check_quota
from domain.decisions.messages import edit, send
from domain.file_changes import ChatAvatarChanged
from domain.files import (
    ATTACHMENTS_MAX,
    PICTURE_TYPES,
    Attachment,
    Upload,
    file_ids_of,
    message_type_of,
    owner_id,
    thumbnail_id,
)
from domain.models import Appended, Draft
from domain.refusals import BadContent, BadReference, Forbidden, NotFound, OverQuota, TooSoon
from domain.text import content_fault
from tests.domain.fake_view import ADMIN, CHAT, MEMBER, OWNER, START, STRANGER, FakeView, at, view_of
from tests.domain.outcomes import outcome

PICTURE = Attachment("p", "p.png", "image/png", 3, 10, 20, has_thumbnail=True)
TEXT = Attachment("t", "t.txt", "text/plain", 3)


def upload(upload_id: str, user_id: int = MEMBER, **more: object) -> Upload:
    fields = {"name": "a.txt", "content_type": "text/plain", "size": 3, "created_at": START} | more
    return Upload(upload_id, user_id, **fields)  # type: ignore[arg-type]


def view_with(*uploads: Upload) -> FakeView:
    view = view_of()
    view.uploads_by_id = {one.id: one for one in uploads}
    return view


def draft(*attachments: str, **more: object) -> Draft:
    fields = {"content": "", "created_at": at(5), "attachments": attachments} | more
    return Draft(CHAT, MEMBER, **fields)  # type: ignore[arg-type]


def test_an_upload_becomes_an_attachment() -> None:
    one = upload("x", content_type="image/gif", size=7, width=1, height=2, has_thumbnail=True)
    assert one.attachment() == Attachment("x", "a.txt", "image/gif", 7, 1, 2, True)


def test_the_files_of_attachments() -> None:
    assert file_ids_of([]) == []
    assert file_ids_of([TEXT, PICTURE, upload("u")]) == ["t", "p", "p.t", "u"]
    assert [owner_id(one) for one in ("t", thumbnail_id("p"), "p")] == ["t", "p", "p"]


@pytest.mark.parametrize("content_type", sorted(PICTURE_TYPES))
def test_messages_of_pictures_are_images(content_type: str) -> None:
    picture = replace(PICTURE, content_type=content_type)
    assert message_type_of([picture]) == "image"
    assert message_type_of([picture, PICTURE]) == "image"
    assert message_type_of([picture, TEXT]) == "file"
    assert message_type_of([replace(picture, width=None, height=None)]) == "file"


def test_other_types() -> None:
    assert message_type_of([]) == "text"
    assert message_type_of([TEXT]) == "file"
    assert message_type_of([replace(PICTURE, content_type="image/svg+xml")]) == "file"


def test_attachments_stand_in_the_order_of_the_draft() -> None:
    one, two = upload("one"), upload("two")
    sent = send(view_with(one, two), draft("two", "one"))
    assert isinstance(sent, MessageCreated)
    assert sent.message.attachments == (two.attachment(), one.attachment())
    assert (sent.message.content, sent.message.message_type) == ("", "file")


def test_ten_attachments_and_no_more() -> None:
    ids = [f"x{number}" for number in range(ATTACHMENTS_MAX + 1)]
    view = view_with(*map(upload, ids))
    assert isinstance(send(view, draft(*ids[:-1])), MessageCreated)
    assert outcome(lambda: send(view, draft(*ids))) is BadReference


@pytest.mark.parametrize(
    "attachments",
    [["unknown"], ["theirs"], ["used"], ["mine", "mine"], ["mine", "unknown"]],
)
def test_what_cannot_be_attached(attachments: list[str]) -> None:
    view = view_with(upload("mine"), upload("theirs", OWNER), upload("used", message_id=7))
    with pytest.raises(BadReference) as refused:
        send(view, draft(*attachments))
    assert refused.value.field == "attachments"


def test_a_repeat_is_answered_first_and_other_refusals_come_first() -> None:
    view = view_with(upload("mine"))
    first = view.add_message(CHAT, MEMBER, client_id="x")
    assert send(view, draft("unknown", client_id="x")) == Appended(first, duplicate=True)
    assert outcome(lambda: send(view, draft("unknown", content_fault="empty"))) is BadContent
    assert outcome(lambda: send(view, replace(draft("unknown"), sender_id=STRANGER))) is NotFound
    assert outcome(lambda: send(view, draft("unknown", reply_to=999))) is BadReference
    view.chats[CHAT] = replace(view.chats[CHAT], slow_mode_s=60)
    view.sent_at[CHAT, MEMBER] = at(4)
    assert outcome(lambda: send(view, draft("unknown"))) is TooSoon


def test_content_may_be_empty_beside_an_attachment() -> None:
    for content in ("", " ", "\u200b"):
        assert content_fault(content, 10) is not None
        assert content_fault(content, 10, attached=True) is None
    assert content_fault("x" * 11, 10, attached=True) == "must be 1 to 10 characters"
    assert content_fault("x", 10, attached=True) is None


def test_an_edit_may_empty_the_content_beside_an_attachment() -> None:
    view = view_of()
    plain = view.add_message(CHAT, MEMBER)
    with_file = view.add_message(CHAT, MEMBER, attachments=(TEXT,))
    assert outcome(lambda: edit(view, plain.id, MEMBER, "", at(1), "empty")) is BadContent
    assert outcome(lambda: edit(view, with_file.id, OWNER, "", at(1), "empty")) is Forbidden
    edited = edit(view, with_file.id, MEMBER, "", at(1), "empty")
    assert isinstance(edited, MessageEdited)
    assert (edited.message.content, edited.message.attachments) == ("", (TEXT,))


@pytest.mark.parametrize(("size", "fits"), [(0, True), (40, True), (41, False)])
def test_the_quota(size: int, fits: bool) -> None:
    assert (outcome(lambda: check_quota(size, 60, 100)) is None) is fits
    check_quota(10**12, 10**12, 0)


def test_a_refused_upload_is_told_how_much_there_is() -> None:
    with pytest.raises(OverQuota, match="may take 100 bytes, and take 60"):
        check_quota(41, 60, 100)


def test_the_avatar_of_a_chat() -> None:
    view = view_of()
    changed = change_avatar(view, CHAT, ADMIN, "one", at(1))
    with_one = replace(view.chats[CHAT], avatar_id="one")
    assert changed == ChatAvatarChanged(with_one, None, ADMIN, at(1))
    view.chats[CHAT] = with_one
    assert change_avatar(view, CHAT, ADMIN, "one", at(2)) == with_one
    gone = change_avatar(view, CHAT, OWNER, None, at(3))
    assert gone == ChatAvatarChanged(replace(with_one, avatar_id=None), "one", OWNER, at(3))
    assert outcome(lambda: change_avatar(view, CHAT, MEMBER, "two", at(4))) is Forbidden
    assert outcome(lambda: change_avatar(view, CHAT, STRANGER, "two", at(4))) is NotFound
    assert outcome(lambda: change_avatar(view_of("private"), CHAT, OWNER, "two", at(4))) is Forbidden
