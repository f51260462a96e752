"""What members may react with."""

from unicodedata import category

EMOJI_BYTES_MAX = 32

_EMOJI_STYLE = "\ufe0f"
"""Says that the character before it is drawn in colour. Keyboards and libraries disagree about one at the end."""


def normalised(emoji: str) -> str:
    """An emoji as it is compared and stored: without variation selectors U+FE0F at its end."""
    return emoji.rstrip(_EMOJI_STYLE)


def emoji_fault(emoji: str) -> str | None:
    """What is wrong with a normalised emoji; None if nothing.

    Which sequences are emoji changes with every version of Unicode, so the rule only keeps out what cannot be one:
    plain words, white space, line breaks, control characters, and long text.
    """
    if not 0 < len(emoji) <= EMOJI_BYTES_MAX or len(emoji.encode(errors="replace")) > EMOJI_BYTES_MAX:
        return f"must be 1 to {EMOJI_BYTES_MAX} bytes of UTF-8"
    if emoji.isascii():
        return "must have a character outside ASCII"
    if any(kind in ("Cc", "Cs") or kind[0] == "Z" for kind in map(category, emoji)):
        return "must not hold white space, control characters or unpaired surrogates"
    return None
