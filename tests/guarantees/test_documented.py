"""`docs/guarantees.md`: every promise names tests, and every test it names is there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.config import ConfigError, load_config

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "guarantees.md").read_text()
NAMED = re.compile(r"`((?:tests|frontend)/[^`]+?)::([^`]+)`")
TITLE = re.compile(r"""\b(?:test|it)\((['"`])(.*?)\1""")


def promises() -> Iterator[str]:
    """The items of all lists except those under "What is not promised"."""
    promised, _, _ = TEXT.partition("## What is not promised")
    for section in promised.split("\n## ")[1:]:
        yield from re.split(r"\n(?=- |\d+\. )", section)[1:]


@pytest.mark.parametrize("promise", list(promises()), ids=lambda promise: promise[:50])
def test_every_promise_names_tests_that_are_there(promise: str) -> None:
    named = NAMED.findall(promise)
    assert named
    for path, name in named:
        assert name in titles(ROOT / path), (path, name)


def titles(path: Path) -> list[str]:
    """The names of the tests in a file, as their runners show them."""
    text = path.read_text()
    if path.suffix == ".js":
        return [title for _, title in TITLE.findall(text)]
    return [
        node.name
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]


def test_redis_beside_sqlite_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", "redis://localhost")
    monkeypatch.setenv("SECRET_KEY", "x" * 32)
    with pytest.raises(ConfigError, match=r"^REDIS_URL: is for servers that share a MongoDB database"):
        load_config()
