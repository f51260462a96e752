"""`vestnik_bot` stands alone, and claims nothing about what it needs that is not so."""

import ast
import re
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "packages" / "vestnik_bot"
MODULES = sorted((PACKAGE / "vestnik_bot").glob("*.py"))
PROJECT = tomllib.loads((PACKAGE / "pyproject.toml").read_text("utf8"))["project"]
LINES_MAX = 300


def imported(path: Path) -> set[str]:
    """The packages that a module imports, without those of Python."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(str(node.module))
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names


def test_it_imports_two_libraries() -> None:
    assert {name for path in MODULES for name in imported(path)} == {"aiohttp", "socketio", "vestnik_bot"}


def test_it_needs_what_it_imports_in_versions_that_the_server_admits() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"].split("\n")
    ours = {line.split()[0]: line.split()[1].strip(",").partition(",")[0] for line in lines if line}
    needed = {line.split()[0]: line.split()[1].partition(",")[0] for line in PROJECT["dependencies"]}
    assert needed.keys() == {"aiohttp", "python-socketio"}
    assert needed["aiohttp"] == ours["aiohttp"]
    assert PROJECT["requires-python"] == config["options"]["python_requires"]


def test_it_has_types() -> None:
    assert (PACKAGE / "vestnik_bot" / "py.typed").is_file()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_is_small(path: Path) -> None:
    assert len(path.read_text("utf8").splitlines()) <= LINES_MAX


def test_the_names_of_the_readme_are_there() -> None:
    text = (PACKAGE / "README.md").read_text("utf8")
    named = set(re.findall(r"`(?:bot|message|@bot)\.(\w+)|`@bot\.(\w+)|, `\.(\w+)`", text))
    source = "".join(path.read_text("utf8") for path in MODULES)
    missing = {
        name
        for group in named
        for name in group
        if name and not re.search(rf"(def|self\.) ?{name}\b", source)
    }
    assert (len(named) > 10, missing) == (True, set())
