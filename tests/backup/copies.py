"""Backups in memory, made and restored as the commands do it."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

from storage.backup.digests import Part, parts_of
from storage.backup.filling import fill, verify
from storage.backup.lines import line_of
from storage.backup.making import Made, make_backup
from storage.open import open_restoration, open_snapshot

Line = dict[str, Any]


async def backup(url: str) -> tuple[bytes, Made]:
    """A backup of the store, and what is in it."""
    out = io.BytesIO()
    snapshot = await open_snapshot(url)
    try:
        made = await make_backup(snapshot, out, version="of the tests")
    finally:
        await snapshot.close()
    assert made.written_bytes == len(out.getvalue())
    return out.getvalue(), made


async def restore(content: bytes, url: str) -> None:
    """Restores a backup. Raises: as the parts do."""
    file = io.BytesIO(content)
    restoration = await open_restoration(url)
    try:
        await verify(file)
        file.seek(0)
        await fill(file, restoration)
    finally:
        await restoration.close()


async def parts(url: str) -> Sequence[Part]:
    """The digests of a store."""
    snapshot = await open_snapshot(url)
    try:
        return [part async for part in parts_of(snapshot)]
    finally:
        await snapshot.close()


def members_of(content: bytes) -> list[tuple[str, bytes]]:
    """The members of an archive."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return [(one.name, archive.extractfile(one).read()) for one in archive]  # type: ignore[union-attr]


def lines_of(content: bytes) -> list[Line]:
    """The lines of a backup."""
    packed = [content for name, content in members_of(content) if name.startswith("records/")]
    return [json.loads(line) for part in packed for line in gzip.decompress(part).splitlines()]


def archive_of(members: Sequence[tuple[str, bytes] | tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """An archive of members, given by their names or in full."""
    out = io.BytesIO()
    for about, content in members:
        info = tarfile.TarInfo(about) if isinstance(about, str) else about
        info.size = len(content)
        out.write(info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512))
    return out.getvalue() + bytes(1024)


def forged(content: bytes, change: Callable[[list[Line]], None], more: Sequence[Any] = ()) -> bytes:
    """A backup with other records, or more members, whose digests and counts are right again, as somebody makes it who
    knows the format."""
    lines = lines_of(content)
    change(lines)
    texts: list[bytes] = []
    digest, counts, totals = sha256(), dict[str, int](), dict[str, int]()
    for line in lines:
        kind = line.pop("type")
        if kind == "digest":
            line |= {"counts": counts, "sha256": digest.hexdigest()}
            digest, counts = sha256(), {}
            texts.append(json.dumps({"type": kind, **line}).encode() + b"\n")
            continue
        text = line_of(kind, line)
        texts.append(text)
        counts[kind] = counts.get(kind, 0) + 1
        totals[kind] = totals.get(kind, 0) + 1
        if kind != "server":
            digest.update(text)
    members = [one for one in members_of(content) if not one[0].startswith(("records/", "manifest"))]
    body: list[Any] = [
        members[0],
        ("records/00000001.jsonl.gz", gzip.compress(b"".join(texts))),
        *members[1:],
        *more,
    ]
    files = body[2:]
    manifest = json.loads(members_of(content)[-1][1])
    before = archive_of(body)[:-1024]
    manifest |= {
        "counts": totals,
        "files": len(files),
        "files_bytes": sum(len(one[1]) for one in files),
        "sha256": sha256(before).hexdigest(),
    }
    return archive_of([*body, ("manifest.json", json.dumps(manifest).encode())])
