"""Files that people send: uploads, what messages have of them, and the ids under which bytes are kept.

The bytes of an upload are kept under its own id, those of its thumbnail under `thumbnail_id`, and those of an avatar
under the id of the avatar.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from domain.frozen import frozen

ATTACHMENTS_MAX = 10
"""How many attachments a message has at most."""

PICTURE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""The content types of pictures. Such a file counts as a picture only if its width is known."""

_THUMBNAIL = ".t"


@frozen
class Attachment:
    """An upload as the message has it. `width` and `height` are those of a picture as it is shown."""

    id: str
    name: str
    content_type: str
    size: int
    width: int | None = None
    height: int | None = None
    has_thumbnail: bool = False

    @property
    def is_picture(self) -> bool:
        return self.width is not None and self.content_type in PICTURE_TYPES


@frozen
class Upload:
    """A file that a user sent. `size` is that of the kept bytes without the thumbnail: the quota counts it.
    `message_id` is the message that has it, None as long as none does."""

    id: str
    user_id: int
    name: str
    content_type: str
    size: int
    created_at: datetime
    width: int | None = None
    height: int | None = None
    has_thumbnail: bool = False
    message_id: int | None = None

    def attachment(self) -> Attachment:
        """What a message has of it."""
        return Attachment(
            self.id, self.name, self.content_type, self.size, self.width, self.height, self.has_thumbnail
        )


@frozen
class UploadTotals:
    """How many uploads are kept, attached or not, and how many bytes they have together, thumbnails not counted."""

    count: int
    size_bytes: int


def thumbnail_id(upload_id: str) -> str:
    """The id under which the thumbnail of an upload is kept."""
    return upload_id + _THUMBNAIL


def owner_id(file_id: str) -> str:
    """The id of the upload or avatar to which a file belongs."""
    return file_id.removesuffix(_THUMBNAIL)


def file_ids_of(files: Iterable[Attachment | Upload]) -> Sequence[str]:
    """The ids under which the bytes of these are kept."""
    found: list[str] = []
    for one in files:
        found.append(one.id)
        if one.has_thumbnail:
            found.append(thumbnail_id(one.id))
    return found


def message_type_of(attachments: Sequence[Attachment]) -> str:
    """The type of a message with these attachments."""
    if not attachments:
        return "text"
    return "image" if all(one.is_picture for one in attachments) else "file"
