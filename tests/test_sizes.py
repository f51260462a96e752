"""Files and functions of the product stay small; each larger file is named here, with the reason."""

import ast

from tests.test_layers import MODULES, ROOT, nodes_of

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60

LARGE = {
    "server/engine/websocket.py": "one WebSocket: reading, writing and ending share its state and its limits",
    "storage/ports.py": "the whole contract of a store, read as one text; four lines in ten are docstrings",
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


def test_a_file_is_small_or_named_with_a_reason() -> None:
    assert {source for source in SOURCES if lines_of(source) > FILE_LINES_MAX} == LARGE.keys()


def test_a_function_is_small() -> None:
    """From the `def` to its last line, without its decorators and with its docstring."""
    large = {
        f"{module}: {node.name}": node.end_lineno - node.lineno + 1
        for module in MODULES
        for node in nodes_of(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
        if node.end_lineno - node.lineno >= FUNCTION_LINES_MAX
    }
    assert large == {}
