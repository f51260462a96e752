"""Under which names files stand beside a page."""

import re

NAME_BYTES_MAX = 120

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%#]')

_ACTIVE = re.compile(
    r"\.(html?|xht(ml)?|shtml?|mht(ml)?|svgz?|xml|xsl|js|mjs|hta|url|lnk|desktop|webloc|exe|com|bat|cmd|ps1|vbs|jar|scr|msi)$",
    re.IGNORECASE,
)
"""Ends of names of files that a browser or a system would run, if somebody opened them from the page."""


def file_name(file_id: str, name: str) -> str:
    """A name that is the file's only, that every system takes, and that nothing runs when it is opened."""
    base = _UNSAFE.sub("_", name).strip(" .") or "file"
    stem, dot, ending = base.rpartition(".")
    if not dot or len(ending) > 10:
        stem, dot, ending = base, "", ""
    cut = stem.encode()[:NAME_BYTES_MAX].decode(errors="ignore")
    named = f"{file_id}-{cut}{dot}{ending}"
    return f"{named}.txt" if _ACTIVE.search(named) else named
