"""What a receiver says: whether it took the delivery, when it wants to be asked again, and what it replies."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from domain.text import content_fault
from handlers.hooks.posting import ANSWER_WITHIN_S, Failure, Posted
from handlers.wire.json import is_unicode, loads

GONE = 410
"""The status by which a receiver says that it wants no more."""

RETRY_AFTER_CHARS_MAX = 64

SENTENCES: dict[Failure, str] = {
    "refused": "the address of the target is not a public one, or its URL names none",
    "name": "the name of the target was not found",
    "connection": "the target could not be reached",
    "tls": "the certificate of the target is not good, or it does not speak TLS",
    "timeout": f"the target did not answer within {ANSWER_WITHIN_S:g} s",
    "broken": "the connection broke before the answer",
}
"""What `last_error` says."""


def is_taken(posted: Posted) -> bool:
    """Whether the receiver has taken the delivery."""
    return posted.status is not None and 200 <= posted.status < 300


def is_final(posted: Posted) -> bool:
    """Whether it is of no use to try again."""
    return posted.status == GONE or posted.failure == "refused"


def error_of(posted: Posted) -> str:
    """What went wrong with a delivery that was not taken."""
    if posted.failure is not None:
        return SENTENCES[posted.failure]
    return f"the target answered {posted.status}"


def retry_after_s(text: str, now: datetime) -> float | None:
    """The wait that a `Retry-After` header asks for, in seconds or as a date; None without a good one."""
    text = text.strip()
    if not text or len(text) > RETRY_AFTER_CHARS_MAX:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def reply_of(body: bytes | None, longest: int) -> str | None:
    """The text that a receiver wants to be posted as a reply, cut to the length of a message; None without one."""
    if not body:
        return None
    try:
        answer = loads(body)
    except ValueError:
        return None
    text = answer.get("text") if isinstance(answer, dict) else None
    if not isinstance(text, str) or not is_unicode(text):
        return None
    text = text[:longest]
    return None if content_fault(text, longest) else text
