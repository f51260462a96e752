"""What members may react with."""

import pytest

from domain.emoji import EMOJI_BYTES_MAX, emoji_fault, normalised

GOOD = {
    "one code point": "👍",
    "a skin": "👍🏽",
    "a family": "👨‍👩‍👧‍👦",
    "a flag": "🇫🇮",
    "a flag of tags": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "a key": "1️⃣",
    "a heart": "❤",
    "a symbol": "©",
    "a letter": "ы",
    "a dot, an at, and a slash": "./@é",
    "the longest": "😀" * (EMOJI_BYTES_MAX // 4),
}
BAD = {
    "nothing": "",
    "a letter of ASCII": "a",
    "a word": "+1",
    "too long": "😀" * (EMOJI_BYTES_MAX // 4) + "a",
    "a space": "👍 ",
    "a wide space": "👍\u3000",
    "a line separator": "👍\u2028",
    "a line": "👍\n",
    "a zero": "👍\0",
    "a control of Latin-1": "\x85",
    "a space alone": "\xa0",
    "half of a pair": "👍\ud83d",
    "far too long": "😀" * 1_000_000,
}


@pytest.mark.parametrize("emoji", GOOD.values(), ids=GOOD)
def test_what_goes(emoji: str) -> None:
    assert emoji_fault(emoji) is None


@pytest.mark.parametrize("emoji", BAD.values(), ids=BAD)
def test_what_does_not(emoji: str) -> None:
    assert emoji_fault(emoji) is not None


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("❤\ufe0f", "❤"),
        ("❤", "❤"),
        ("👁\ufe0f\u200d🗨\ufe0f", "👁\ufe0f\u200d🗨"),
        ("\ufe0f", ""),
        ("a\ufe0f", "a"),
    ],
)
def test_a_selector_at_the_end_does_not_count(given: str, stored: str) -> None:
    """What is stored is found again by what was stored."""
    assert normalised(given) == stored == normalised(stored)


def test_what_is_left_of_an_emoji_decides() -> None:
    assert emoji_fault(normalised("a\ufe0f")) is not None
    assert emoji_fault(normalised(GOOD["the longest"] + "\ufe0f")) is None
