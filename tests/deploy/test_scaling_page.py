"""docs/scaling.md: settings, metrics and files that it names are there."""

import re
from pathlib import Path

import pytest

from server.config import PLAIN, POLICY_SETTINGS, SETTINGS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "scaling.md").read_text()


def test_the_settings_are_those_of_the_server() -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)[=`]", TEXT))
    assert {"DRAIN_S", "SHUTDOWN_TIMEOUT_S", "NODE_URL", "REDIS_URL"} <= named
    assert named <= {*SETTINGS, *PLAIN, *POLICY_SETTINGS, "SECRET_KEY"}


def test_the_links_lead_somewhere() -> None:
    titles = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        path, _, title = target.partition("#")
        assert (ROOT / "docs" / path).exists(), target
        assert path or title in titles, target


def test_the_metrics_are_those_of_the_server() -> None:
    named = set(re.findall(r"`(vestnik_[a-z_]+)", TEXT))
    assert named
    page = ROOT / "docs" / "metrics.md"
    if not page.exists():
        pytest.skip("this version has no metrics")
    documented = page.read_text()
    assert [name for name in sorted(named) if f"`{name}`" not in documented] == []
