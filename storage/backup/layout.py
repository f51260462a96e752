"""How a backup is laid out: a tar archive, so that ordinary tools read it.

| member | what is in it |
| --- | --- |
| `backup.json` | the first: the version of the format, the version of the server, when the backup began |
| `records/00000001.jsonl.gz` … | lines of JSON, compressed with gzip, each member by itself |
| `files/ID` | the bytes of a file, behind the records that name it |
| `manifest.json` | the last: counts, and the SHA-256 of all that comes before it |

Each line has a `type`. Those of records are in the order of `storage.backup_ports`: first what belongs to no chat, then
chat by chat. Each of these parts ends with a line of the type `digest`: `chat_id` (none: it belongs to no chat),
`counts` by type, and the SHA-256 of the part's lines, without that of the type `server`. A line of the type
`missing_file` names a file by `id` that was deleted before the backup came to it; if it has a member, zeros stand in it
for what is missing.

A change that an earlier version cannot read makes another `FORMAT`.
"""

import re
from typing import Any

import orjson

from storage.backup.errors import BadBackup

FORMAT = 1

ABOUT = "backup.json"
BEGINNING = ABOUT.encode() + b"\0"
"""How the file of a backup begins: with the name of its first member."""

MANIFEST = "manifest.json"
DIGEST = "digest"
MISSING_FILE = "missing_file"

ABOUT_BYTES_MAX = 64 * 1024
"""How long the first and the last member are at most."""

CHUNK_BYTES = 1024 * 1024
"""A member with records ends with the batch that makes its lines longer than this."""

CHUNK_BYTES_MAX = 64 * 1024 * 1024
"""How long the lines of a member are at most. The largest batch, and a record with a hundred versions, are shorter."""

FILE_MEMBER = re.compile(r"files/([A-Za-z0-9_-]{1,64}(?:\.t)?)", re.ASCII)

RECORDS_MEMBER = re.compile(r"records/[0-9]{8,12}\.jsonl\.gz", re.ASCII)


def records_member(number: int) -> str:
    """The name of the member with records of this number; the first is 1."""
    return f"records/{number:08d}.jsonl.gz"


def object_of(text: bytes) -> dict[str, Any]:
    """An object of JSON. Raises: `BadBackup`."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    if type(value) is not dict:
        raise BadBackup("it is damaged: a part of it is no JSON")
    return value
