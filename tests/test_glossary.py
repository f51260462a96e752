"""docs/glossary.md defines words that the code uses."""

import io
import re
import tokenize
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = re.findall(r"^\| ([a-z_ ]+) \| (.+) \|$", (ROOT / "docs/glossary.md").read_text("utf8"), re.MULTILINE)
WORDS = [word for word, _ in ROWS if word != "word"]
FOLDERS = ("client_compat", "domain", "handlers", "server", "storage")


@cache
def names() -> frozenset[str]:
    """The names in the product's code, in snake case, with underscores around: no comments and no strings."""
    found = {"_"}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            found.update(path.relative_to(ROOT).with_suffix("").parts)
            source = io.StringIO(path.read_text("utf8"))
            found |= {
                each.string
                for each in tokenize.generate_tokens(source.readline)
                if each.type == tokenize.NAME
            }
    return frozenset(f"_{re.sub('(?<=[a-z])(?=[A-Z])', '_', name).lower()}_" for name in found)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_the_glossary_names_something_in_the_code(word: str) -> None:
    form = re.compile(f"_{word.replace(' ', '_')}(s|es)?_")
    assert any(form.search(name) for name in names())


def test_the_glossary_has_each_word_once_in_order() -> None:
    assert sorted(set(WORDS)) == WORDS
