"""Checks a store, or a backup, from its first record to its last."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, Protocol, runtime_checkable

from domain.frozen import frozen
from storage.backup.checks import check
from storage.backup.digests import Part, PartDigest
from storage.backup.errors import BadBackup
from storage.backup.reading import BackupReader, FileItem, Manifest, MissingFile
from storage.backup.records import files_of
from storage.backup_ports import Batch, Record, Snapshot
from storage.check.chat_rules import ChatRules
from storage.check.findings import Finding, Findings
from storage.check.references import References
from storage.check.server_rules import ServerRules
from storage.errors import StorageError

LATER_S = 1.0

_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError)
"""What is raised for a row that holds what no version has written."""

Progress = Callable[[int], None]
"""Is called with how many messages are checked, or how many bytes of a backup."""


@runtime_checkable
class Inspected(Protocol):
    """A snapshot of a store that has more to look at than its records: what is derived from them, and its tables."""

    def faults(self) -> AsyncIterator[Finding]:
        """What is wrong there. Raises: `Unavailable`."""


@frozen
class Checked:
    """What was looked at: records by kind, files, and the digests of the parts, that of no chat last; and what is
    wrong with it."""

    counts: Mapping[str, int]
    files: int
    files_bytes: int
    parts: Sequence[Part]
    findings: Sequence[Finding]


class _Reading:
    """Follows the batches, part by part."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.parts: list[Part] = []
        self.counts: Counter[str] = Counter()
        self.files = 0
        self.files_bytes = 0
        self._references = References()
        self._server = ServerRules(self._references)
        self._rules: ServerRules | ChatRules = self._server
        self._digest: PartDigest | None = None

    def add(self, batch: Batch) -> None:
        if batch.kind in ("chat", "server"):
            self._end_part()
            is_chat = batch.kind == "chat"
            self._rules = ChatRules(batch.records[0], self._references) if is_chat else self._server
            self._digest = PartDigest(batch.chat_id)
        assert self._digest is not None
        self._rules.add(batch)
        self._digest.add(batch)
        self.counts[batch.kind] += len(batch.records)

    def check_records(self, batch: Batch) -> None:
        """Looks at each record by itself: a backup takes none that is wrong."""
        for record in batch.records:
            try:
                check(batch.kind, record)
            except BadBackup as error:
                self._rules.findings.add(
                    f"wrong records of the type {batch.kind}", f"{error} (id {record.get('id')})"
                )

    def end(self) -> None:
        """All is read."""
        self._end_part()
        self.findings += self._references.findings(self._server.users, self._server.ended)

    def break_off(self, why: str) -> None:
        """Nothing more can be read. What is not read is not said to be missing."""
        self._rules.findings.add("records that cannot be read", why)
        self.findings += self._rules.findings

    def _end_part(self) -> None:
        if self._digest is None:
            return
        if isinstance(self._rules, ChatRules):
            self._rules.end()
        self.findings += self._rules.findings
        self.parts.append(self._digest.part())
        self._digest = None

    @property
    def part_findings(self) -> Findings:
        """Those of the part that is being read."""
        return self._rules.findings

    def checked(self) -> Checked:
        return Checked(self.counts, self.files, self.files_bytes, self.parts, self.findings)


async def check_store(
    snapshot: Snapshot,
    open_now: Callable[[], Awaitable[Snapshot]],
    progress: Progress = lambda messages: None,
    later_s: float = LATER_S,
) -> Checked:
    """Checks a store, of a running server too: what looks wrong is looked at once more, `later_s` after that, and
    counts if it is still so. A message may have been deleted, with its files, while they were counted. Closes the
    snapshot. Raises: `StorageError`."""
    first = await _check_snapshot(snapshot, progress)
    if not first.findings:
        return first
    await asyncio.sleep(later_s)
    chat_ids = {finding.chat_id for finding in first.findings if finding.chat_id is not None}
    again = await _check_snapshot(await open_now(), progress, sorted(chat_ids))
    still = set(again.findings)
    return Checked(
        *(first.counts, first.files, first.files_bytes, first.parts),
        [finding for finding in first.findings if finding in still],
    )


async def _check_snapshot(
    snapshot: Snapshot, progress: Progress, chat_ids: Sequence[int] | None = None
) -> Checked:
    reading = _Reading()
    try:
        if isinstance(snapshot, Inspected):
            async for finding in snapshot.faults():
                reading.findings.append(finding)  # one by one: the next may end it
        async for batch in _batches(snapshot, chat_ids):
            reading.check_records(batch)
            reading.add(batch)
            await _check_files(snapshot, batch, reading)
            progress(reading.counts["message"])
            await asyncio.sleep(0)  # so that it can be cancelled
        reading.end()
    except _UNREADABLE as error:
        reading.break_off(f"a record cannot be read: {error!r}")
    except StorageError as error:
        if not reading.findings:
            raise
        reading.break_off(str(error))
    finally:
        await snapshot.close()
    return reading.checked()


async def _batches(snapshot: Snapshot, chat_ids: Sequence[int] | None) -> AsyncIterator[Batch]:
    async for batch in snapshot.chats(chat_ids):
        yield batch
    async for batch in snapshot.server():
        yield batch


async def _check_files(snapshot: Snapshot, batch: Batch, reading: _Reading) -> None:
    for file_id, expected in _files(batch.records):
        size = await snapshot.file_size(file_id)
        _compare_file(reading, file_id, expected, size)


def _files(records: Sequence[Record]) -> Iterator[tuple[str, int | None]]:
    for record in records:
        yield from files_of(record)


def _compare_file(reading: _Reading, file_id: str, expected: int | None, size: int | None) -> None:
    """`expected` is what records say of the size, None if nothing; `size` what the file has, None if it is missing."""
    reading.files += 1
    reading.files_bytes += size or 0
    if size is None:
        reading.part_findings.add("files that are missing", f"file {file_id} is missing")
    elif expected is not None and size != expected:
        reading.part_findings.add(
            "files of another size", f"file {file_id} has {size:,} bytes, and should have {expected:,}"
        )


async def check_backup(file: BinaryIO, progress: Progress = lambda read_bytes: None) -> Checked:
    """Checks a backup, from its beginning: that it is whole, and what it holds. Raises: `BadBackup` if it is not whole,
    or was changed; `OSError` for the file."""
    reader, reading, files = BackupReader(file), _Reading(), _BackupFiles()
    for item in reader.items():
        progress(reader.read_bytes)
        await asyncio.sleep(0)
        if isinstance(item, Batch):
            files.named.update(_files(item.records))
            reading.add(item)
        elif isinstance(item, FileItem):
            files.sizes[item.file_id] = item.size
        elif isinstance(item, MissingFile):
            files.gone.add(item.file_id)
        elif isinstance(item, Manifest):
            files.compare(reading)
            reading.end()
    return reading.checked()


class _BackupFiles:
    """The files of a backup. Those of a message that was deleted while the backup was made are said to be missing."""

    def __init__(self) -> None:
        self.named: dict[str, int | None] = {}
        self.sizes: dict[str, int] = {}
        self.gone: set[str] = set()

    def compare(self, reading: _Reading) -> None:
        for file_id, expected in self.named.items():
            if file_id not in self.gone:
                _compare_file(reading, file_id, expected, self.sizes.get(file_id))
