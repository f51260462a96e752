"""Files that are no whole backup: each is refused with a line, and nothing is written."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.backup import filling, layout
from storage.backup.errors import BadBackup
from storage.errors import StorageError
from storage.open import open_restoration
from storage.sqlite import SqliteStore
from tests.backup.content import fill
from tests.backup.copies import Line, archive_of, backup, forged, members_of, parts, restore


@pytest.fixture(scope="module")
def content() -> dict[str, bytes]:
    return {}


@pytest.fixture
async def good(content: dict[str, bytes], tmp_path: Path) -> bytes:
    """A backup, made once for all tests."""
    if not content:
        (tmp_path / "a").mkdir()
        store = await SqliteStore.open(tmp_path / "a" / "vestnik.db")
        await fill(store)
        await store.close()
        content["good"], _ = await backup(f"sqlite:///{tmp_path}/a/vestnik.db")
    return content["good"]


async def refused(content: bytes, tmp_path: Path) -> str:
    """What is said; nothing but the lock is left."""
    with pytest.raises(StorageError) as raised:
        await restore(content, f"sqlite:///{tmp_path}/b/vestnik.db")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["vestnik.db.lock"]
    said = str(raised.value)
    assert "\n" not in said
    return said


async def test_cut_off_anywhere(good: bytes, tmp_path: Path) -> None:
    for length in [0, 1, 511, 512, 1024, *range(1500, len(good), 1471), len(good) - 512, len(good) - 1]:
        await refused(good[:length], tmp_path)
    assert "behind its end" in await refused(good + b"x", tmp_path)
    assert "behind its end" in await refused(good + good, tmp_path)


async def test_changed_anywhere(good: bytes, tmp_path: Path) -> None:
    for place in range(0, len(good) - 1024, 97):
        changed = bytearray(good)
        changed[place] ^= 1
        if bytes(changed[-3000:]) != good[-3000:]:
            continue  # what the end says of its versions and times changes nothing
        await refused(bytes(changed), tmp_path)


async def test_another_or_newer_format(good: bytes, tmp_path: Path) -> None:
    first, *others = members_of(good)
    newer = archive_of([(first[0], first[1].replace(b'"format": 1', b'"format": 2')), *others])
    assert "its format is 2, this server knows formats up to 1" in await refused(newer, tmp_path)
    assert "no backup" in await refused(archive_of([("hello.txt", b"hello")]), tmp_path)
    assert "no backup" in await refused(archive_of([(first[0], b'{"format": true}')]), tmp_path)


def kind_of(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def id_of(member: tuple[str | tarfile.TarInfo, bytes]) -> str:
    """The same in every worker, unlike the text of a `TarInfo`."""
    name, _ = member
    return name if isinstance(name, str) else f"{name.name} of type {name.type!r}"


@pytest.mark.parametrize(
    "member",
    [
        ("files/../../escaped", b"x"),
        ("/files/absolute", b"x"),
        ("files/", b"x"),
        ("files/a/b", b"x"),
        ("files/" + "a" * 70, b"x"),
        (kind_of("files/link", tarfile.SYMTYPE, "/etc/passwd"), b""),
        (kind_of("files/link", tarfile.LNKTYPE, "../vestnik.db"), b""),
        (kind_of("files/folder", tarfile.DIRTYPE), b""),
        (kind_of("files/device", tarfile.CHRTYPE), b""),
        (kind_of("files/pipe", tarfile.FIFOTYPE), b""),
        (kind_of("long", tarfile.GNUTYPE_LONGNAME), b"files/x"),
        ("records/00000007.jsonl.gz", b"x"),
        ("files/photo", b"once more"),
    ],
    ids=id_of,
)
async def test_hostile_members(good: bytes, tmp_path: Path, member: tuple[str, bytes]) -> None:
    await refused(forged(good, lambda lines: None, [member]), tmp_path)


async def test_bombs(good: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "CHUNK_BYTES_MAX", 1024 * 1024)
    first = members_of(good)[0]
    bomb = gzip.compress(bytes(layout.CHUNK_BYTES_MAX + 1))
    assert "larger than any" in await refused(
        archive_of([first, ("records/00000001.jsonl.gz", bomb)]), tmp_path
    )
    huge = tarfile.TarInfo("records/00000001.jsonl.gz")
    huge.size = 1 << 60
    claims = archive_of([first])[:-1024] + huge.tobuf(tarfile.GNU_FORMAT)
    assert "larger than any" in await refused(claims, tmp_path)
    deep = gzip.compress(b"[" * 100_000 + b"\n")
    assert "no JSON" in await refused(archive_of([first, ("records/00000001.jsonl.gz", deep)]), tmp_path)


def one(lines: list[Line], kind: str, number: int = 0) -> Line:
    return [line for line in lines if line["type"] == kind][number]


def put(kind: str, number: int = 0, **values: object) -> Callable[[list[Line]], None]:
    """Sets values of a record."""
    return lambda lines: one(lines, kind, number).update(values)


def twice(kind: str, **values: object) -> Callable[[list[Line]], None]:
    """Puts a record once more behind itself, with other values."""

    def change(lines: list[Line]) -> None:
        found = one(lines, kind)
        lines.insert(lines.index(found) + 1, {**found, **values})

    return change


def without(key: str, kind: str) -> Callable[[list[Line]], None]:
    return lambda lines: one(lines, kind).pop(key) and None


@pytest.mark.parametrize(
    "change",
    [
        put("message", id=2**53),
        put("message", id=0),
        put("message", id=True),
        put("message", id="1"),
        put("message", id=2**63),
        put("message", content=None),
        put("message", created_at="yesterday"),
        put("message", created_at="2025-11-23T10:00:13.123456"),
        put("message", deleted=False),
        put("message", changed_seq=10**6),
        put("message", number=1, seq=1),
        put("message", chat_id=3),
        put("message", attachments=[{"id": "../../x"}]),
        put("message", reactions=[]),
        put("message", mentions=[2, "x"]),
        put("message", unknown=1),
        put("message", number=1, id=1),
        put("message", number=1, sender_id=1, client_id="c-1"),
        put("user", id=2),
        put("user", username="user1"),
        put("user", avatar_id="avatar/../of"),
        put("user", presence="dead"),
        put("user", presence=["auto"]),
        put("chat", id=4),
        put("chat", chat_type="party"),
        put("member", role="god"),
        put("hook", events=["everything"]),
        put("audit", type="of nothing"),
        put("digest", type="audit"),
        twice("server"),
        twice("chat"),
        twice("chat", id=2),
        twice("user"),
        twice("member"),
        twice("bot_token"),
        twice("message", seq=2),
        without("content", "message"),
        without("username", "user"),
        lambda lines: lines.insert(1, lines.pop(lines.index(one(lines, "chat")))),
        lambda lines: lines.remove(one(lines, "server")),
        lambda lines: lines.remove(one(lines, "chat")),
        lambda lines: lines.pop(),
        lambda lines: lines.insert(0, {"type": "digest"}),
    ],
)
async def test_records_that_cannot_be(
    good: bytes, tmp_path: Path, change: Callable[[list[Line]], None]
) -> None:
    await refused(forged(good, change), tmp_path)


async def test_what_is_forged_well_is_taken(good: bytes, tmp_path: Path) -> None:
    """So that the tests above are refused for what they say."""
    await restore(forged(good, put("message", content="another")), f"sqlite:///{tmp_path}/b/vestnik.db")
    assert len(await parts(f"sqlite:///{tmp_path}/b/vestnik.db")) == 5


async def test_a_file_that_changes_between_the_two_readings(good: bytes, tmp_path: Path) -> None:
    for other in (
        forged(good, put("message", content=7)),
        forged(good, without("content", "message")),
        good[:-5000],
    ):
        restoration = await open_restoration(f"sqlite:///{tmp_path}/b/vestnik.db")
        await filling.verify(io.BytesIO(good))
        with pytest.raises(BadBackup):
            await filling.fill(io.BytesIO(other), restoration)
        await restoration.close()
        assert [path.name for path in (tmp_path / "b").iterdir()] == ["vestnik.db.lock"]
