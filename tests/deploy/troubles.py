"""What the server can say to its operator, read from its source: log lines, why a start fails, alerts.

A text that is made of parts has an ellipsis for each part that is not known before: `HOST: …: …`.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import get_args

import yaml

from storage.errors import Trouble

ROOT = Path(__file__).parents[2]
FOLDERS = ("domain", "storage", "handlers", "client_compat", "server")

LEVELS = ("warning", "error", "exception", "critical")
LOGGERS = ("log", "_log", "logger", "_logger")

NOT_THE_STORE = frozenset({"contested", "newer", "closed"})
"""Of these the store is not to blame (`storage.errors`): `/health/ready` does not have them."""

START_ERRORS = ("ConfigError", "StartError", "StorageError", "WrongKey")
OPENING = (
    "storage/sqlite/connection.py",
    "storage/sqlite/lock.py",
    "storage/mongo/connection.py",
    "storage/files/threads.py",
)
"""Here `Unavailable` stops a start, too."""

READERS = ("server/setting_readers.py", "server/secret_key.py", "server/redis_url.py")
"""Here `ValueError` says what is wrong with a setting; `server/config.py` puts its name before the text."""

OF_COMMANDS = re.compile(
    r"server/(command_line|stoppable|backup_file|\w+_command)\.py|server/exports/.*|storage/(\w+/)?backup/.*"
)
"""What these raise is said to whoever has just typed the command."""

SENTENCES = {"storage/sqlite/schema.py": "too_new", "server/issuer_settings.py": "issuer_fault"}
"""Functions that return the sentence with which a start fails."""

PASSED_ON = frozenset({"…", "…: …"})
"""A text that was made elsewhere."""


@cache
def sources() -> Mapping[str, ast.Module]:
    """The server's modules by their paths."""
    paths = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf8")) for path in paths}


def text_of(node: ast.expr, module: ast.Module) -> str:
    """The text of an expression, also of one that names a constant of its module."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.Constant):
        return re.sub(r"%[sd]", "…", str(node.value))
    for statement in module.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == ast.unparse(node):
            return text_of(statement.value, module)
    return "…"


@cache
def calls() -> Sequence[tuple[str, ast.Module, ast.Call]]:
    """All calls with a first argument."""
    return [
        (where, module, node)
        for where, module in sources().items()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and node.args
    ]


def log_lines() -> dict[str, str]:
    """The lines from warnings on, with where they are."""
    return {
        text_of(call.args[0], module): where for where, module, call in calls() if _is_log_call(call.func)
    }


def _is_log_call(function: ast.expr) -> bool:
    if not isinstance(function, ast.Attribute) or function.attr not in LEVELS:
        return False
    logger = function.value
    name = logger.attr if isinstance(logger, ast.Attribute) else getattr(logger, "id", "")
    return name in LOGGERS


def start_refusals() -> dict[str, str]:
    """Why a start fails, or a node leaves, with where that is said."""
    found = {
        text_of(call.args[0], module): where
        for where, module, call in calls()
        if not OF_COMMANDS.fullmatch(where)
        and _says_why(ast.unparse(call.func), where)
        and "'closed'" not in ast.unparse(call)
    }
    found |= {text: where for where, name in SENTENCES.items() for text in _returned(sources()[where], name)}
    return {text: where for text, where in found.items() if text not in PASSED_ON}


def _returned(module: ast.Module, function: str) -> Iterator[str]:
    """The texts that a function of a module returns."""
    (body,) = (node for node in ast.walk(module) if getattr(node, "name", "") == function)
    for node in ast.walk(body):
        if isinstance(node, ast.Return) and node.value:
            yield from (text_of(part, module) for part in _parts(node.value))


def _parts(value: ast.expr) -> Sequence[ast.expr]:
    """The texts that an expression can be."""
    choices = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
    return [one for one in choices if ast.unparse(one) != "None"]


def _says_why(function: str, where: str) -> bool:
    if function == "Unavailable":
        return where in OPENING
    if function == "ValueError":
        return where in READERS
    return function in START_ERRORS or function.endswith("must_leave.set_result")


def alerts() -> Iterable[str]:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "vestnik.rules.yml").read_text("utf8"))
    return [rule["alert"] for group in rules["groups"] for rule in group["rules"]]


def ready_reasons() -> Iterable[str]:
    """What `/health/ready` says when it is 503."""
    modules = sources()
    statuses = {
        str(entry.value)
        for node in ast.walk(modules["server/health.py"])
        if isinstance(node, ast.Dict)
        for key, entry in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "status" and isinstance(entry, ast.Constant)
    }
    (trouble,) = (
        node
        for node in ast.walk(modules["server/nodes/node.py"])
        if isinstance(node, ast.FunctionDef) and node.name == "trouble"
    )
    of_nodes = {
        str(node.value)
        for returned in ast.walk(trouble)
        if isinstance(returned, ast.Return) and returned.value
        for node in ast.walk(returned.value)
        if isinstance(node, ast.Constant) and node.value
    }
    of_stores = set(get_args(Trouble)) - NOT_THE_STORE
    return [
        *(f'"status": "{one}"' for one in statuses - {"ok", "unavailable"}),
        *(f'"store": "{one}"' for one in of_stores),
        *(f'"node": "{one}"' for one in of_nodes),
    ]
