"""The page at `/` of a server whose web client has not been built."""

from pathlib import Path

from aiohttp import web

from handlers.errors import not_found

_DOCS = Path(__file__).parent.parent / "docs"

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Vestnik</title>
<style>
  body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 12vh auto; padding: 0 1rem; }
  code { background: #8882; padding: .1em .3em; border-radius: .2em; }
  :root { color-scheme: light dark; }
</style>
<h1>Vestnik</h1>
<p>A chat server runs here. Clients connect to</p>
<ul>
  <li><code>/ws?token=JWT</code> &ndash; raw WebSocket, JSON frames</li>
  <li><code>/socket.io/</code> &ndash; Socket.IO, <code>auth: {token}</code></li>
  <li><code>/api</code> &ndash; REST, <code>Authorization: Bearer</code></li>
</ul>
<p><a href="/docs/protocol">Protocol</a> &middot; <a href="/docs/architecture">How it is built</a> &middot;
<a href="/health/live">alive?</a> &middot; <a href="/health/ready">ready?</a></p>
</html>
"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


async def start_page(_request: web.Request) -> web.Response:
    return web.Response(text=_PAGE, content_type="text/html", headers={"Content-Security-Policy": _POLICY})


async def page_of_docs(request: web.Request) -> web.Response:
    """A page of docs/, as text; an installation without the checkout has none."""
    path = _DOCS / f"{request.match_info['name']}.md"
    if not path.is_file():
        raise not_found("page")
    return web.Response(text=path.read_text("utf8"), content_type="text/plain", charset="utf-8")


def add_web(app: web.Application) -> None:
    app.router.add_get("/", start_page)
    app.router.add_get("/docs/{name:[a-z-]+}", page_of_docs)
