"""How many bytes a user may send: the bound of a file, and what is left of the quota."""

from collections.abc import AsyncIterator

from domain.frozen import frozen
from handlers.files.counts import FileCounts, Refusal
from handlers.wire.errors import ChatError


@frozen
class Allowance:
    """`file_bytes` bounds a file, `quota_bytes` all files of the user (0: not at all), who has `used_bytes` now."""

    file_bytes: int
    quota_bytes: int
    used_bytes: int

    @property
    def left_bytes(self) -> int | None:
        """What is left of the quota; None without a quota."""
        return max(0, self.quota_bytes - self.used_bytes) if self.quota_bytes else None

    def check(self, size: int, counts: FileCounts, *, files: int = 1) -> None:
        """Whether so many bytes of so many files may come; a refusal is counted. Raises: `ChatError` `too_large`."""
        if size > files * self.file_bytes:
            raise self._refused(counts, "too_large", self.too_large())
        if self.left_bytes is not None and (size > self.left_bytes or not self.left_bytes):
            raise self._refused(counts, "quota", self.over_quota())

    async def bounded(self, chunks: AsyncIterator[bytes], counts: FileCounts) -> AsyncIterator[bytes]:
        """The chunks of one file, counted. Raises: `ChatError` `too_large` as soon as they are too many."""
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            counts.received_bytes += len(chunk)
            if size > self.file_bytes:
                raise self._refused(counts, "too_large", self.too_large())
            if self.left_bytes is not None and size > self.left_bytes:
                raise self._refused(counts, "quota", self.over_quota())
            yield chunk

    def too_large(self) -> ChatError:
        return ChatError("too_large", f"a file has at most {self.file_bytes} bytes")

    def over_quota(self) -> ChatError:
        return ChatError(
            "too_large", f"your files may take {self.quota_bytes} bytes, and take {self.used_bytes} already"
        )

    @staticmethod
    def _refused(counts: FileCounts, reason: Refusal, error: ChatError) -> ChatError:
        counts.refusals[reason] += 1
        return error
