"""Imports go one way: server → client_compat → handlers → storage → domain; and databases stay in their places."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "server": {"server", "client_compat", "handlers", "storage", "domain"},
    "client_compat": {"client_compat", "handlers", "domain"},
    "handlers": {"handlers", "storage", "domain"},
    "storage": {"storage", "domain"},
    "domain": {"domain"},
    "server/engine": {"server"},
}
"""What of our own a folder knows; the longest match counts."""

ONLY_IN = {
    "motor": ("storage/mongo/",),
    "pymongo": ("storage/mongo/",),
    "bson": ("storage/mongo/",),
    "sqlite3": ("storage/sqlite/",),
    "aiosqlite": (),
    "socketio": ("server/",),
    "engineio": ("server/",),
    "aiohttp": ("server/",),
    "apispec": ("server/documents/parameters.py",),
    "bcrypt": ("handlers/live/passwords.py",),
    "jwt": ("handlers/live/tokens.py", "handlers/issuer/"),
    "cryptography": ("handlers/issuer/keys.py",),
    "PIL": ("handlers/pictures/small.py",),
    "puremagic": ("handlers/files/content_types.py",),
}
OURS = {"server", "client_compat", "handlers", "storage", "domain"}
MODULES = sorted(
    path.relative_to(ROOT).as_posix() for folder in sorted(OURS) for path in (ROOT / folder).rglob("*.py")
)


def imports(module: str) -> Iterator[str]:
    """The dotted names a module imports, wherever in it; relative ones made absolute."""
    package = module.removesuffix(".py").split("/")[:-1]
    for node in nodes_of(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*base, *filter(None, [node.module])])


@cache
def nodes_of(module: str) -> list[ast.AST]:
    """The nodes of a module's syntax tree."""
    return list(ast.walk(ast.parse((ROOT / module).read_text("utf8"))))


def found_in(modules: list[str], look: Callable[[str], set[str]]) -> dict[str, set[str]]:
    """What `look` finds, by module, without those in which it finds nothing."""
    return {module: found for module in modules if (found := look(module))}


def layer_of(module: str) -> str:
    return max((layer for layer in MAY_IMPORT if module.startswith(f"{layer}/")), key=len)


def wrong_way(module: str) -> set[str]:
    layer = layer_of(module)
    ours = {name for name in imports(module) if name.split(".")[0] in OURS}
    if layer == "server/engine":
        return {name for name in ours if not name.startswith("server.engine")}
    return {name for name in ours if name.split(".")[0] not in MAY_IMPORT[layer]}


def test_imports_go_one_way() -> None:
    assert found_in(MODULES, wrong_way) == {}


def misplaced(module: str) -> set[str]:
    used = {name.split(".")[0] for name in imports(module)}
    return {name for name in used.intersection(ONLY_IN) if not module.startswith(ONLY_IN[name] or ("-",))}


def test_libraries_stay_in_their_places() -> None:
    assert found_in(MODULES, misplaced) == {}


def test_the_product_imports_no_tests() -> None:
    assert [
        module for module in MODULES if any(name.split(".")[0] == "tests" for name in imports(module))
    ] == []


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {(ROOT / module).parent for module in MODULES}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


COMPUTES = {"collections", "dataclasses", "datetime", "re", "typing", "unicodedata", "domain"}
"""What the domain imports: no library, and of Python nothing that reads, waits or looks at a clock."""


def test_the_domain_imports_nothing_but_what_computes() -> None:
    domain = [module for module in MODULES if layer_of(module) == "domain"]
    assert domain
    assert found_in(domain, lambda module: {name.split(".")[0] for name in imports(module)} - COMPUTES) == {}


def arrows(module: str) -> set[str]:
    """The modules of ours that a module imports; a name imported from a package is the module of that name. Python
    runs the packages of a module before it, so they are imported too, but for those in which the importing one is."""
    found = set()
    package = module.removesuffix(".py").split("/")[:-1]
    for node in nodes_of(module):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            whole = ".".join([*base, *filter(None, [node.module])])
            names = [f"{whole}.{alias.name}" for alias in node.names]
        for name in names:
            path = name.replace(".", "/")
            parent = path.rpartition("/")[0]
            candidates = (f"{path}.py", f"{path}/__init__.py", f"{parent}.py", f"{parent}/__init__.py")
            found |= {next((each for each in candidates if each in MODULES), module)}
    found |= {package for each in found for package in _packages(each) - _packages(module)}
    return found - {module}


def _packages(module: str) -> set[str]:
    folders = module.split("/")[:-1]
    return {"/".join([*folders[: depth + 1], "__init__.py"]) for depth in range(len(folders))}


def test_no_imports_go_in_a_circle() -> None:
    below = {module: arrows(module) for module in MODULES}
    while free := [module for module in below if not below[module] & below.keys()]:
        for module in free:
            del below[module]
    assert sorted(below) == []


def test_no_import_is_for_the_type_checker_alone() -> None:
    """It would hide a circle."""
    assert [module for module in MODULES if "TYPE_CHECKING" in (ROOT / module).read_text("utf8")] == []
