"""Times as records have them: `2025-11-23T10:00:00.123456+00:00`."""

from datetime import UTC, datetime


def time_text(at: datetime) -> str:
    """The text of a time in UTC, always with six digits of a second."""
    return at.isoformat(timespec="microseconds")


def time_of(text: str) -> datetime:
    """The time, in UTC. Raises: `ValueError`, also for a time without an offset."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is UTC:
        return at
    if at.tzinfo is None:
        raise ValueError("a time without an offset")
    return at.astimezone(UTC)
