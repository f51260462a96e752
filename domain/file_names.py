"""The names of files that people send, as they are kept: a base name that is safe to show and to save."""

from unicodedata import category

from domain.text import has_visible

NAME_BYTES_MAX = 255
"""What file systems take."""

UNNAMED = "file"

_EXTENSION_BYTES_MAX = 32
_JOINERS = frozenset("\u200c\u200d")
"""ZWNJ and ZWJ, as in other names: see `domain.text`."""


def clean_name(name: str) -> str:
    """The base name without what cannot be shown or saved: folders, control, format and bidi characters, line breaks,
    unpaired surrogates, white space at its ends. Cut to `NAME_BYTES_MAX` as UTF-8, before its extension.

    `UNNAMED` if nothing visible is left but dots.
    """
    base = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(filter(_may_stand, base)).strip()
    if not has_visible(shown.strip(".")):
        return UNNAMED
    return _cut(shown).rstrip()


def _may_stand(character: str) -> bool:
    return character in _JOINERS or category(character) not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")


def _cut(name: str) -> str:
    if len(name.encode()) <= NAME_BYTES_MAX:
        return name
    stem, dot, extension = name.rpartition(".")
    end = dot + extension
    if not stem or len(end.encode()) > _EXTENSION_BYTES_MAX:
        stem, end = name, ""
    room = NAME_BYTES_MAX - len(end.encode())
    return stem.encode()[:room].decode(errors="ignore") + end
