"""The internals of aiohttp that the bound on request heads depends on."""

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from server.http_heads import HeadBoundHandler
from server.runner import Runner


def test_what_is_used_of_the_inside_of_aiohttp_is_there() -> None:
    for name in ("_waiter", "_loop"):
        assert any(name in getattr(base, "__slots__", ()) for base in RequestHandler.__mro__)
    for name in ("force_close", "data_received"):
        assert hasattr(RequestHandler, name)
    assert hasattr(web.AppRunner, "_make_server")


async def test_every_connection_of_the_server_has_it() -> None:
    app = web.Application()
    runner = Runner(app, access_log=None)
    await runner.setup()
    assert runner.server is not None
    assert isinstance(runner.server(), HeadBoundHandler)
    await runner.cleanup()
