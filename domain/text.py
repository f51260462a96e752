"""What a message or a name may contain, and when two names count as the same. Lengths count code points."""

from unicodedata import category, normalize

_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Code points that are letters or symbols by category and yet invisible: Hangul fillers and the blank Braille
pattern."""

_JOINERS = frozenset("\u200c\u200d")
"""ZWNJ and ZWJ: Persian and Indic words and many emoji need them."""

NAME_GROWTH = 18
"""NFKC makes of one code point at most this many (U+FDFA)."""


def is_visible(character: str) -> bool:
    """Whether a code point draws something by itself: no separator, no control, format, private, surrogate or
    unassigned code point, no mark, no filler."""
    return category(character)[0] not in "ZCM" and character not in _FILLERS


def has_visible(text: str) -> bool:
    """Whether any code point is visible. Most text begins with a visible one, so this seldom looks at a second."""
    for character in text:  # noqa: SIM110 -- a generator costs three times as much, on the way of every message
        if is_visible(character):
            return True
    return False


def content_fault(content: str, longest: int, *, attached: bool = False) -> str | None:
    """What is wrong with the content of a message, None if nothing. Content is kept as it is, never trimmed. With
    something `attached` it need not say anything."""
    if len(content) > longest or not (content or attached):
        return f"must be 1 to {longest} characters"
    if not attached and not has_visible(content):
        return "must have something visible"
    return None


def trimmed(name: str) -> str:
    """A display name or chat name as it is stored: without white space at its ends."""
    return name.strip()


def name_fault(name: str, longest: int) -> str | None:
    """What is wrong with a trimmed display name or chat name, None if nothing."""
    if not 0 < len(name) <= longest:
        return f"must be 1 to {longest} characters"
    if not all(map(_fits_name, name)):
        return "must not hold control or formatting characters, or line breaks"
    if not has_visible(name):
        return "must have something visible"
    return None


def printable(text: str, longest: int) -> str:
    """Text of a stranger as it is kept to be shown: cut, and without control, format and surrogate code points."""
    return "".join(filter(str.isprintable, text))[:longest].strip()


def name_key(name: str) -> str:
    """What usernames and display names are compared by: two names are the same if their keys are.

    Takes time that grows with the square of a run of combining marks, 1 s for 30,000: bound the length first.
    """
    return normalize("NFKC", normalize("NFKC", name).casefold())


def email_key(email: str) -> str:
    """What email addresses are compared by. Only case is folded: addresses that look alike may be two mailboxes."""
    return email.casefold()


def _fits_name(character: str) -> bool:
    kind = category(character)
    return kind not in ("Cc", "Cf", "Cs", "Zl", "Zp") or character in _JOINERS
