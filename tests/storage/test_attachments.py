"""What stores keep of attachments."""

import json

from domain.files import Attachment
from storage.attachments import attachments_of, stored_attachments

FILE = Attachment("f", 'a "file"', "text/plain", 2**40)
PICTURE = Attachment("p", "b.png", "image/png", 3, 10, 20, has_thumbnail=True)


def test_all_of_it_is_kept() -> None:
    for attachments in ((), (FILE,), (PICTURE, FILE)):
        stored = json.loads(json.dumps(stored_attachments(attachments)))
        assert attachments_of(stored) == attachments


def test_what_is_missing_is_not_kept() -> None:
    (stored,) = stored_attachments([FILE])
    assert stored == {"id": "f", "name": 'a "file"', "content_type": "text/plain", "size": 2**40}


def test_fields_of_a_later_version_are_passed_over() -> None:
    (stored,) = stored_attachments([PICTURE])
    assert attachments_of([stored | {"colours": 5}]) == (PICTURE,)
