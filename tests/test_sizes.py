"""Files and functions of the product stay small; each larger file is named here, with the reason."""

import ast

import pytest

from tests.test_layers import MODULES, ROOT

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60

LARGE = {
    "server/engine/websocket.py": "one WebSocket: reading, writing and ending share its state and its limits",
    "storage/ports.py": "the whole contract of a store, read as one text; four lines in ten are docstrings",
    "frontend/src/i18n/en.js": "all texts of one language, which a translator reads as one list",
    "frontend/src/i18n/ru.js": "all texts of one language, which a translator reads as one list",
    "frontend/src/services/websocket.js": "people copy it as one file into clients of their own",
}
FRONTEND = ROOT / "frontend" / "src"
SOURCES = [
    *MODULES,
    *sorted(
        path.relative_to(ROOT).as_posix()
        for kind in ("js", "vue", "ts")
        for path in FRONTEND.rglob(f"*.{kind}")
    ),
]


def lines_of(source: str) -> int:
    return len((ROOT / source).read_text("utf8").splitlines())


@pytest.mark.parametrize("source", SOURCES)
def test_a_file_is_small_or_named_with_a_reason(source: str) -> None:
    assert lines_of(source) <= FILE_LINES_MAX or source in LARGE


@pytest.mark.parametrize("source", LARGE)
def test_a_file_that_is_named_as_large_is(source: str) -> None:
    assert lines_of(source) > FILE_LINES_MAX


@pytest.mark.parametrize("module", MODULES)
def test_a_function_is_small(module: str) -> None:
    """From the `def` to its last line, without its decorators and with its docstring."""
    large = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse((ROOT / module).read_text("utf8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
        if node.end_lineno - node.lineno >= FUNCTION_LINES_MAX
    }
    assert large == {}
