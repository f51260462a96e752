"""Mentions in the content of a message: `@username`, and `@all`. What they mean is decided in
`domain.decisions.mentions`."""

import re
from collections.abc import Collection, Sequence

MENTIONS_MAX = 50
"""How many users one message mentions at most, the first ones."""

NAMES_MAX = 500
"""How many different usernames are looked up for one message at most. A message of 10,000 characters may hold 9,000,
which take the writer of SQLite 22 ms."""

ALL = "all"
"""The username that mentions all members, which nobody can register."""

ALL_MEMBERS_MAX = 100
"""In a group of at most this many members, every member may mention all."""

USERNAME_CHARS_MIN, USERNAME_CHARS_MAX = 3, 32

# A letter or digit is what `\w` is, but for `_`. The run is possessive: it never gives back what it took.
_MENTION = re.compile(r"(?<![\w.@-])@([A-Za-z0-9_.-]++)(?!\w)")
_BACKTICKS = re.compile(r"`+")


def mentioned(content: str) -> Sequence[Sequence[str]]:
    """For each mention that the content may hold, in their order: the usernames that it may mean, in lower case, the
    longest first. They differ by the `.` and `-` at their ends, which may belong to the username or to the sentence.

    Not in code: between a run of n backticks and the next run of n. No more mentions than have `NAMES_MAX` names.
    """
    if "@" not in content:
        return ()
    spans = iter(code_spans(content) if "`" in content else ())
    nowhere = len(content), len(content)
    start, end = next(spans, nowhere)
    found: list[Sequence[str]] = []
    different: set[str] = set()
    for match in _MENTION.finditer(content):
        while match.start() >= end:
            start, end = next(spans, nowhere)
        names = _names_of(match[1]) if match.start() < start else ()
        different.update(names)
        if len(different) > NAMES_MAX:
            break
        if names:
            found.append(names)
    return found


def usernames_in(contents: Collection[str]) -> Collection[str]:
    """All usernames in lower case that are to be looked up for the mentions in these contents."""
    found = {name for content in contents for names in mentioned(content) for name in names}
    return found - {ALL}


def _names_of(run: str) -> Sequence[str]:
    """The usernames that a run of such characters may mean."""
    shortest = max(len(run.rstrip(".-")), USERNAME_CHARS_MIN)
    longest = min(len(run), USERNAME_CHARS_MAX)
    name = run[:longest].lower()
    return [name[:length] for length in range(longest, shortest - 1, -1)]


def code_spans(content: str) -> Sequence[tuple[int, int]]:
    """Where code begins and ends, in order, its backticks included. A run of backticks without a later one of the same
    length is text."""
    runs = [match.span() for match in _BACKTICKS.finditer(content)]
    closing: list[int | None] = [None] * len(runs)
    """For each run, the next one of the same length."""
    next_of: dict[int, int] = {}
    for index in range(len(runs) - 1, -1, -1):
        start, end = runs[index]
        closing[index] = next_of.get(end - start)
        next_of[end - start] = index
    spans: list[tuple[int, int]] = []
    index = 0
    while index < len(runs):
        last = closing[index]
        if last is None:
            index += 1
        else:
            spans.append((runs[index][0], runs[last][1]))
            index = last + 1
    return spans
