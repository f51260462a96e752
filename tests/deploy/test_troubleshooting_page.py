"""docs/troubleshooting.md has all that the server says when something is wrong, and nothing that it does not say."""

import re
from collections.abc import Iterable, Mapping

import pytest

from tests.deploy.troubles import ROOT, alerts, log_lines, ready_reasons, start_refusals

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf8")
METRICS = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "metrics.md").read_text("utf8"), re.MULTILINE)

ENTRY = re.compile(r"^- \*\*`.*?(?=\n\n|\n- |\Z)", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"\*\*(`+) ?(.+?) ?\1\*\*", re.DOTALL)
PARTS = ("*Users:*", "*Now:*", "*Tomorrow:*")

SAYS_TROUBLE = re.compile(
    r"fail|refus|ending|slow|unsent|backlog|waiting|held|lag|age_|stale|hearers|unheard|untimely|lost|forged|queued"
    r"|ready|errors|_state|_nodes$|commit|key_set|_fds$|resident"
)
"""Metrics of such a name are on the page."""


def sections() -> Mapping[str, str]:
    """The text of each section, by its heading."""
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def entries(section: str) -> list[str]:
    return ENTRY.findall(sections()[section])


def names(section: str) -> list[str]:
    """What the entries of a section are about."""
    return [name for entry in entries(section) for _, name in NAME.findall(entry)]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("Alerts", alerts()),
        ("/health/ready", ready_reasons()),
        ("The server does not start", start_refusals()),
        ("Log lines", log_lines()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_page_has_what_the_server_says_and_nothing_else(section: str, said: Iterable[str]) -> None:
    found = names(section)
    assert sorted(found) == sorted(set(found)), "an entry stands there twice"
    assert sorted(set(said) - set(found)) == [], "these are not on the page"
    assert sorted(set(found) - set(said)) == [], "nothing says these any more"


def test_the_page_has_the_metrics_that_say_trouble() -> None:
    found = set(names("Metrics"))
    assert found - set(METRICS) == set()
    assert {name for name in METRICS if SAYS_TROUBLE.search(name)} - found == set()


@pytest.mark.parametrize(
    "section", ["Alerts", "/health/ready", "The server does not start", "Log lines", "Metrics"]
)
def test_an_entry_says_what_users_notice_and_what_to_do_now_and_tomorrow(section: str) -> None:
    assert entries(section)
    for entry in entries(section):
        assert [entry.count(part) for part in PARTS] == [1, 1, 1], entry
        ends = [entry.index(part) for part in PARTS]
        assert ends == sorted(ends), entry
