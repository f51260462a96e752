"""What is used of libraries though they promise nothing about it: each by name, so that an upgrade that changes one is
noticed here and not in the middle of a conversation. setup.cfg keeps these libraries within a minor version."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

import handlers.wire.schemas
import server

LIBRARIES = ("aiohttp", "engineio", "socketio", "marshmallow")

METHODS = {
    "aiohttp.web_protocol.RequestHandler": {
        "handle_error": "self, request, status, exc, message",
        "set_parser": "self, parser, data_received_cb",
        "connection_lost": "self, exc",
    },
    "aiohttp.web_server.Server": {
        "pre_shutdown": "self",
    },
    "aiohttp.web_runner.AppRunner": {
        "_make_server": "self",
        "cleanup": "self",
        "shutdown": "self",
    },
    "aiohttp.web_response.StreamResponse": {
        "prepare": "self, request",
    },
    "aiohttp.web_ws.WebSocketResponse": {
        "can_prepare": "self, request",
    },
    "socketio.async_server.AsyncServer": {
        "_handle_ack": "self, eio_sid, namespace, id, data",
        "_handle_connect": "self, eio_sid, namespace, data",
        "_handle_disconnect": "self, eio_sid, namespace, reason",
        "_handle_eio_connect": "self, eio_sid, environ",
        "_handle_eio_disconnect": "self, eio_sid, reason",
        "_handle_eio_message": "self, eio_sid, data",
        "_handle_event": "self, eio_sid, namespace, id, data",
        "_handle_event_internal": "self, server, sid, eio_sid, data, namespace, id",
        "_send_packet": "self, eio_sid, pkt",
        "_trigger_event": "self, event, namespace, args",
        "_get_event_handler": "self, event, namespace, args",
        "_get_namespace_handler": "self, namespace, args",
        "_engineio_server_class": "self",
        "emit": "self, event, data, to, room, skip_sid, namespace, callback, ignore_queue",
        "disconnect": "self, sid, namespace, ignore_queue",
    },
    "socketio.async_manager.AsyncManager": {
        "_generate_ack_id": "self, sid, callback",
        "emit": "self, event, data, namespace, room, skip_sid, callback, to, kwargs",
        "set_server": "self, server",
        "basic_disconnect": "self, sid, namespace, kwargs",
        "basic_enter_room": "self, sid, namespace, room, eio_sid",
        "basic_leave_room": "self, sid, namespace, room",
        "connect": "self, sid, namespace",
        "get_participants": "self, namespace, room",
        "get_rooms": "self, sid, namespace",
        "is_connected": "self, sid, namespace",
        "is_pre_connected": "self, sid, namespace",
        "pre_connect": "self, eio_sid, namespace",
        "pre_disconnect": "self, sid, namespace",
        "sid_from_eio_sid": "self, eio_sid, namespace",
        "eio_sid_from_sid": "self, sid, namespace",
        "is_sid_room": "self, namespace, room",
    },
    "engineio.async_socket.AsyncSocket": {
        "close": "self, wait, abort, reason",
        "send": "self, pkt",
        "handle_get_request": "self, environ",
        "handle_post_request": "self, environ",
        "poll": "self",
        "receive": "self, pkt",
    },
    "engineio.async_server.AsyncServer": {
        "_handle_connect": "self, environ, transport, jsonp_index",
        "_ok": "self, packets, headers, jsonp_index",
        "attach": "self, app, engineio_path",
        "disconnect": "self, sid",
        "handle_request": "self, args, kwargs",
        "send_packet": "self, sid, pkt",
        "shutdown": "self",
        "transport": "self, sid",
        "_bad_request": "self, message",
        "_cors_allowed_origins": "self, environ",
        "_cors_headers": "self, environ",
        "_generate_sid_cookie": "self, sid, attributes",
        "_get_socket": "self, sid",
        "_log_error_once": "self, message, message_key",
        "_make_response": "self, response_dict, environ",
        "_trigger_event": "self, event, args, kwargs",
        "_unauthorized": "self, message",
        "_upgrades": "self, sid, transport",
    },
    "socketio.async_namespace.AsyncNamespace": {
        "trigger_event": "self, event, args",
    },
    "marshmallow.fields.Field": {
        "_deserialize": "self, value, attr, data, kwargs",
    },
}
"""What is overridden or called, with its parameters."""

CASES = [(path, name) for path, names in METHODS.items() for name in names]


def the_class(path: str) -> type:
    module, _, name = path.rpartition(".")
    found: type = getattr(importlib.import_module(module), name)
    return found


@pytest.mark.parametrize(("path", "name"), CASES)
def test_a_method_is_there_and_takes_what_it_took(path: str, name: str) -> None:
    method = getattr(the_class(path), name)
    assert ", ".join(inspect.signature(method).parameters) == METHODS[path][name]


def own_classes() -> Iterator[type]:
    names = [found.name for found in pkgutil.walk_packages(server.__path__, "server.")]
    modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]
    for module in (*modules, handlers.wire.schemas):
        for one in vars(module).values():
            if inspect.isclass(one) and one.__module__ == module.__name__:
                yield one


def overridden() -> Iterator[tuple[type, str]]:
    """Private methods of libraries that a class of ours has in its own way, with the class of the library."""
    for own in own_classes():
        for name, value in vars(own).items():
            if name.startswith("_") and not name.startswith("__") and inspect.isfunction(value):
                for base in own.__mro__[1:]:
                    if name in vars(base) and base.__module__.split(".")[0] in LIBRARIES:
                        yield base, name


def test_every_private_method_that_is_overridden_is_named_here() -> None:
    named = {name for names in METHODS.values() for name in names}
    assert {name for _, name in overridden()} <= named
    assert len(list(overridden())) > 10


async def test_the_attributes_of_aiohttp_that_are_used_are_there() -> None:
    async def handle(_request: web.BaseRequest) -> web.Response:
        return web.Response()

    made = web.Server(handle, keepalive_timeout=1)
    assert made._loop is not None
    assert made._kwargs == {"keepalive_timeout": 1}
    assert (made.request_handler, callable(made.request_factory)) == (handle, True)
    protocol = made()
    assert isinstance(protocol, RequestHandler)
    assert protocol.transport is None
    assert protocol in made.connections or made.connections == []
    runner = web.AppRunner(web.Application(), shutdown_timeout=7)
    assert (runner._shutdown_timeout, runner.sites, runner.server) == (7, set(), None)
    refused = web.HTTPMethodNotAllowed("GET", ["POST"])
    assert set(refused.allowed_methods) == {"POST"}
