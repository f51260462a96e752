"""The attachments of a message as both stores keep them: objects with the names of the fields, without those that have
their default."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.files import Attachment


def stored_attachments(attachments: Sequence[Attachment]) -> list[dict[str, Any]]:
    """What is stored of the attachments of a message."""
    return [_stored(one) for one in attachments]


def attachments_of(stored: Iterable[Mapping[str, Any]]) -> Sequence[Attachment]:
    """The attachments, as `stored_attachments` made them. Fields that a later version may add are passed over."""
    return tuple(map(_attachment_of, stored))


def _attachment_of(stored: Mapping[str, Any]) -> Attachment:
    return Attachment(
        stored["id"],
        stored["name"],
        stored["content_type"],
        stored["size"],
        stored.get("width"),
        stored.get("height"),
        stored.get("has_thumbnail", False),
    )


def _stored(attachment: Attachment) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": attachment.id,
        "name": attachment.name,
        "content_type": attachment.content_type,
        "size": attachment.size,
    }
    if attachment.width is not None:
        fields["width"], fields["height"] = attachment.width, attachment.height
    if attachment.has_thumbnail:
        fields["has_thumbnail"] = True
    return fields
