"""Names in `.env` that are mistyped: nothing else would tell of them."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path

import structlog

from server.config import PLAIN, POLICY_SETTINGS, SETTINGS

log = structlog.get_logger("vestnik")

NAMES = frozenset({*SETTINGS, *PLAIN, *POLICY_SETTINGS, "SECRET_KEY", "RATE_LIMITS"})
"""The names of all settings."""

_NAME = re.compile(r"^\s*(?:export\s+)?(\w+)\s*=", re.MULTILINE)

_LIKE = 0.8
"""How alike two names are, from 0 to 1, of which one is taken for the other mistyped."""


def mistyped(text: str, names: Collection[str] = NAMES) -> Mapping[str, str]:
    """The names in the text of the file that are no settings and look like one, each with that one. Others are passed
    over: other programs may read the file, too."""
    found = {}
    for name in _NAME.findall(text):
        if name not in names and (close := get_close_matches(name.upper(), names, 1, _LIKE)):
            found[name] = close[0]
    return found


def warn_of_mistyped(path: Path) -> None:
    """Logs one line for each such name. Does nothing without the file."""
    try:
        text = path.read_text("utf8")
    except (OSError, UnicodeDecodeError):
        return
    for name, setting in mistyped(text).items():
        log.warning(
            "a name in .env is no setting, and has no effect; is another one meant?",
            name=name,
            setting=setting,
        )
