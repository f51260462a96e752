"""Metrics of files that people send and get."""

from collections.abc import Mapping
from typing import Any

from server.metrics.families import Family, counter, gauge, histogram


def _by_word(numbers: Mapping[Any, int]) -> Mapping[tuple[str, ...], float]:
    return {(word,): number for word, number in numbers.items()}


FILES: tuple[Family, ...] = (
    counter(
        "vestnik_files_total",
        "Files that were kept, by kind.",
        lambda sources: _by_word(sources.chat.files.kept),
        ("kind",),
    ),
    counter(
        "vestnik_files_refused_total",
        "Files that were not kept, by reason.",
        lambda sources: _by_word(sources.chat.files.refusals),
        ("reason",),
    ),
    counter(
        "vestnik_files_served_total",
        "Requests of files that were found, by what was asked for.",
        lambda sources: _by_word(sources.chat.files.served),
        ("what",),
    ),
    counter(
        "vestnik_files_deleted_total",
        "Files whose bytes were deleted; thumbnails and avatars count too.",
        lambda sources: sources.chat.files.deleted,
    ),
    counter(
        "vestnik_files_received_bytes_total",
        "Bytes of files that came in, also of those that were not kept.",
        lambda sources: sources.chat.files.received_bytes,
    ),
    counter(
        "vestnik_files_kept_bytes_total",
        "Bytes of files that were kept, without thumbnails and avatars.",
        lambda sources: sources.chat.files.kept_bytes,
    ),
    counter(
        "vestnik_files_served_bytes_total",
        "Bytes of files that clients have taken.",
        lambda sources: sources.chat.files.served_bytes,
    ),
    gauge(
        "vestnik_files_receiving",
        "Requests whose files are being received.",
        lambda sources: sources.chat.files.receiving,
    ),
    histogram(
        "vestnik_file_receive_seconds",
        "How long a file took that was kept, from its first byte until it could be attached.",
        lambda sources: sources.chat.files.receiving_s,
    ),
    histogram(
        "vestnik_picture_seconds",
        "How long a picture took in its thread, waiting for memory included.",
        lambda sources: sources.chat.files.picture_s,
    ),
)
