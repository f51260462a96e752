"""The objects of the wire that say what a file is."""

from typing import Annotated, Any, NotRequired, TypedDict

from domain.files import Attachment, Upload
from handlers.wire.file_links import FileLinks

Size = Annotated[int, "0 or more"]


class UploadObject(TypedDict):
    """A file. `width` and `height` are there for pictures. The links are paths from the root; they change with time,
    and everybody who has one may get the file until it expires."""

    id: str
    name: str
    content_type: str
    size: Size
    url: str
    width: NotRequired[Size]
    height: NotRequired[Size]
    thumbnail_url: NotRequired[str]


def upload_view(upload: Upload | Attachment, links: FileLinks) -> dict[str, Any]:
    """An `UploadObject`."""
    view: dict[str, Any] = {
        "id": upload.id,
        "name": upload.name,
        "content_type": upload.content_type,
        "size": upload.size,
        "url": links.upload(upload.id),
    }
    if upload.width is not None:
        view["width"], view["height"] = upload.width, upload.height
    if upload.has_thumbnail:
        view["thumbnail_url"] = links.thumbnail(upload.id)
    return view
