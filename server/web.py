"""The web client at `/`; without a built one, a page that says how to build it."""

import re
from pathlib import Path
from unicodedata import normalize
from urllib.parse import unquote

from aiohttp import hdrs, web

from handlers.wire.errors import not_found
from server.headers import CLIENT_POLICY, CONTENT_SECURITY_POLICY
from server.keys import CONFIG
from server.places import place_of

_DOCS = place_of("docs", "docs")

_FOR_EVER: dict[str, str] = {hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable"}
"""For files whose names contain a hash of their content."""

_RESERVED = ("api", "ws", "socket.io", "health", "hooks", "docs", "metrics", "assets")
"""First names of paths that never belong to the web client."""

_BLANK = "".join(map(chr, [*range(33), 127]))

_FOR_A_DAY: dict[str, str] = {
    hdrs.CACHE_CONTROL: "public, max-age=86400",
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
}
"""For the client of Socket.IO: pages of any origin may import it as a module."""

_ASK_FIRST: dict[str, str] = {hdrs.CACHE_CONTROL: "no-cache"}

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
<p>A chat server runs here. Its web client has not been built: with <a href="https://nodejs.org">Node</a> 20 or newer,
<code>make run</code> builds it, or <code>npm ci &amp;&amp; npm run build</code> in <code>frontend</code>. Then reload
this page.</p>
<p>Other clients connect to</p>
<ul>
  <li><code>/ws?token=JWT</code> &ndash; raw WebSocket, JSON frames</li>
  <li><code>/socket.io/</code> &ndash; Socket.IO, <code>auth: {token}</code></li>
  <li><code>/api</code> &ndash; REST, <code>Authorization: Bearer</code></li>
</ul>
<p><a href="/docs">API</a> &middot;
<a href="/docs/protocol">Protocol</a> &middot; <a href="/docs/architecture">How it is built</a> &middot;
<a href="/health/live">alive?</a> &middot; <a href="/health/ready">ready?</a></p>
</html>
"""

_DOCS_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Vestnik API</title>
<h1>Vestnik API</h1>
<ul>
  <li><a href="/api/openapi.json">OpenAPI 3.1</a>: REST</li>
  <li><a href="/api/asyncapi.json">AsyncAPI 3.0</a>: WebSocket and Socket.IO</li>
  <li><a href="/docs/protocol">Protocol</a></li>
</ul>
<p>Once the web client is built, this page shows them.</p>
</html>
"""

_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'"


async def client_page(request: web.Request) -> web.StreamResponse:
    """The client's one page, for every path that the client may route. A path that begins like one of the server's own
    is `not_found`: a page would look like an answer."""
    if _first_name(request.path) in _RESERVED:
        raise not_found("page")
    page = request.app[CONFIG].web_client_dir / "index.html"
    if page.is_file():
        return web.FileResponse(page, headers={CONTENT_SECURITY_POLICY: CLIENT_POLICY, **_ASK_FIRST})
    if request.path != "/":
        raise not_found("page")
    return web.Response(
        text=_PAGE, content_type="text/html", headers={CONTENT_SECURITY_POLICY: _PAGE_POLICY, **_ASK_FIRST}
    )


def _first_name(path: str) -> str:
    """The first name in a path, whatever spelling of it a client uses: doubled or other slashes, other letters, percent
    signs, dots or parameters."""
    while (plain := unquote(path)) != path:
        path = plain
    names: list[str] = []
    for part in normalize("NFKC", path).replace("\\", "/").split("/"):
        name = part.partition(";")[0].partition("?")[0].strip(_BLANK).casefold()
        if name == "..":
            del names[-1:]
        elif name not in ("", "."):
            names.append(name)
    return names[0] if names else ""


async def docs_page(request: web.Request) -> web.StreamResponse:
    """The page that shows the documents of the API; links to them as long as the client is not built."""
    page = request.app[CONFIG].web_client_dir / "docs.html"
    if page.is_file():
        return web.FileResponse(page, headers={CONTENT_SECURITY_POLICY: CLIENT_POLICY, **_ASK_FIRST})
    return web.Response(text=_DOCS_PAGE, content_type="text/html", headers=_ASK_FIRST)


async def client_asset(request: web.Request) -> web.FileResponse:
    """A file that the page loads."""
    return _file(request.app[CONFIG].web_client_dir / "assets" / request.match_info["name"], _FOR_EVER)


async def client_file(request: web.Request) -> web.FileResponse:
    """A file beside the page, such as an icon."""
    return _file(request.app[CONFIG].web_client_dir / request.match_info["name"], _ASK_FIRST)


async def socketio_client(request: web.Request) -> web.FileResponse:
    """The client of Socket.IO, in the version that the build of the web client has, under the names that servers of
    Socket.IO give it."""
    name = request.match_info["name"]
    return _file(request.app[CONFIG].web_client_dir / "socket.io" / name, _FOR_A_DAY)


def _file(path: Path, headers: dict[str, str]) -> web.FileResponse:
    """A file of the client. The routes take no name with a slash, so only a symbolic link could lead out of the
    folder."""
    if path.is_symlink() or not path.is_file():
        raise not_found("file")
    return web.FileResponse(path, headers=headers)


async def page_of_docs(request: web.Request) -> web.Response:
    """A page of docs/ as text."""
    path = _DOCS / f"{request.match_info['name']}.md"
    if not path.is_file():
        raise not_found("page")
    return web.Response(text=path.read_text("utf8"), content_type="text/plain", charset="utf-8")


def add_web(app: web.Application) -> None:
    """Adds the client's routes; to be called last, for they take every path that is left."""
    app.router.add_get("/docs", docs_page)
    app.router.add_get("/docs/{name:[a-z-]+}", page_of_docs)
    app.router.add_get(r"/socket.io/{name:socket\.io(?:\.esm)?(?:\.min)?\.js(?:\.map)?}", socketio_client)
    app.router.add_get(r"/assets/{name:[\w.-]+}", client_asset)
    app.router.add_get(r"/{name:[\w-]+(?:\.[\w-]+)+}", client_file)
    app.router.add_get(rf"/{{route:(?!(?:{'|'.join(map(re.escape, _RESERVED))})(?:/|$))[^.]*}}", client_page)
