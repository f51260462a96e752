"""What is used of libraries though they promise nothing about it: each by name and with its place, so that an upgrade
that moves one is noticed here and not in the middle of a conversation. setup.cfg keeps these libraries within a minor
version.

What the engine uses stands in one module, server/engine/internals.py.
"""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import aiohttp
import engineio
import pytest
import socketio
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

import handlers.wire.schemas
import server
from server.engine import internals

LIBRARIES = ("aiohttp", "engineio", "socketio", "marshmallow")

METHODS = {
    "aiohttp.web_protocol.RequestHandler": {
        "handle_error": ("self, request, status, exc, message", "server/http_server.py"),
        "set_parser": ("self, parser, data_received_cb", "server/engine/internals.py"),
        "connection_lost": ("self, exc", "server/engine/internals.py"),
    },
    "aiohttp.web_server.Server": {
        "pre_shutdown": ("self", "server/runner.py"),
    },
    "aiohttp.web_runner.AppRunner": {
        "_make_server": ("self", "server/runner.py"),
    },
    "socketio.async_server.AsyncServer": {
        "_engineio_server_class": ("self", "server/engine/internals.py"),
        "_handle_eio_connect": ("self, eio_sid, environ", "server/engine/internals.py"),
        "_handle_eio_disconnect": ("self, eio_sid, reason", "server/engine/internals.py"),
        "_trigger_event": ("self, event, namespace, args", "server/engine/internals.py"),
    },
    "socketio.async_manager.AsyncManager": {
        "_generate_ack_id": ("self, sid, callback", "server/engine/internals.py"),
    },
    "marshmallow.fields.Field": {
        "_deserialize": ("self, value, attr, data, kwargs", "handlers/wire/schemas.py"),
    },
}
"""What is overridden, replaced or called, with its parameters and the file that does."""

CASES = [(path, name) for path, names in METHODS.items() for name in names]


def the_class(path: str) -> type:
    module, _, name = path.rpartition(".")
    found: type = getattr(importlib.import_module(module), name)
    return found


@pytest.mark.parametrize(("path", "name"), CASES)
def test_a_method_is_there_and_takes_what_it_took(path: str, name: str) -> None:
    parameters, place = METHODS[path][name]
    library = {"engineio": "python-engineio", "socketio": "python-socketio"}.get(
        path.split(".")[0], path.split(".")[0]
    )
    method = getattr(the_class(path), name, None)
    used = f"{path}.{name}, which {place} uses,"
    assert method is not None, f"{used} is gone from {library} {version(library)}"
    found = ", ".join(inspect.signature(method).parameters)
    assert found == parameters, f"{used} takes ({found}) in {library} {version(library)}, not ({parameters})"


def test_each_place_names_what_it_uses() -> None:
    root = Path(server.__file__).parent.parent
    for path, name in CASES:
        place = METHODS[path][name][1]
        assert name in (root / place).read_text(), f"{place} does not use {path}.{name} any more"


def own_classes() -> Iterator[type]:
    names = [found.name for found in pkgutil.walk_packages(server.__path__, "server.")]
    modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]
    for module in (*modules, handlers.wire.schemas):
        for one in vars(module).values():
            if inspect.isclass(one) and one.__module__ == module.__name__:
                yield one


def overridden() -> Iterator[str]:
    """Private methods of libraries that a class of ours has in its own way."""
    for own in own_classes():
        for name, value in vars(own).items():
            if name.startswith("_") and not name.startswith("__") and inspect.isfunction(value):
                for base in own.__mro__[1:]:
                    if name in vars(base) and base.__module__.split(".")[0] in LIBRARIES:
                        yield name


def test_no_private_method_is_overridden_but_those_named_here() -> None:
    assert set(overridden()) == {"_make_server", "_deserialize"}


PRIVATE = {
    name
    for library_class in (
        socketio.AsyncServer,
        socketio.AsyncManager,
        socketio.AsyncNamespace,
        engineio.AsyncServer,
        web.Request,
        RequestHandler,
    )
    for name in dir(library_class)
    if name.startswith("_") and not name.startswith("__")
}


def engine_files() -> list[Path]:
    return sorted(path for path in Path(internals.__file__).parent.glob("*.py") if path.stem != "internals")


@pytest.mark.parametrize("path", engine_files(), ids=lambda path: path.stem)
def test_the_engine_asks_for_nothing_private_past_its_internals(path: Path) -> None:
    """But `_trigger_event`, which the admin page replaces: what calls it has to look it up by its name."""
    tree = ast.parse(path.read_text())
    asked = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in PRIVATE
        and not (isinstance(node.value, ast.Name) and node.value.id == "self")
    }
    assert asked <= {"_trigger_event"}


def test_no_constructor_of_a_library_is_skipped() -> None:
    skipped = []
    for own in own_classes():
        from_library = any(
            base.__module__.split(".")[0] in LIBRARIES and "__init__" in vars(base) for base in own.__mro__
        )
        if from_library and "__init__" in vars(own):
            calls = inspect.getsource(vars(own)["__init__"])
            if "super().__init__(" not in calls:
                skipped.append(own.__qualname__)
    assert skipped == []


async def test_the_attributes_of_aiohttp_that_are_used_are_there() -> None:
    async def handle(_request: web.BaseRequest) -> web.Response:
        return web.Response()

    aiohttp_is = f"aiohttp {aiohttp.__version__} has moved what server/{{}} uses of it: {{}}"
    made = web.Server(handle, keepalive_timeout=1)
    assert made._loop is not None, aiohttp_is.format("http_server.py", "Server._loop")
    assert made._kwargs == {"keepalive_timeout": 1}, aiohttp_is.format("http_server.py", "Server._kwargs")
    assert made.request_handler is handle, aiohttp_is.format("http_server.py", "Server.request_handler")
    assert callable(made.request_factory), aiohttp_is.format("http_server.py", "Server.request_factory")
    protocol = made()
    assert isinstance(protocol, RequestHandler)
    assert protocol.transport is None, aiohttp_is.format("engine/internals.py", "RequestHandler.transport")
    assert protocol._request_count == 0, aiohttp_is.format("runner.py", "RequestHandler._request_count")
    runner = web.AppRunner(web.Application(), shutdown_timeout=7)
    assert runner._shutdown_timeout == 7, aiohttp_is.format("runner.py", "AppRunner._shutdown_timeout")
    assert (runner.sites, runner.server) == (set(), None), aiohttp_is.format("runner.py", "AppRunner.sites")
