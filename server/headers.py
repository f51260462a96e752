"""Headers that every answer has, whichever gate sends it, unless the answer sets them itself."""

import re

from aiohttp import hdrs, web

CONTENT_SECURITY_POLICY = "Content-Security-Policy"
OPENER_POLICY = "Cross-Origin-Opener-Policy"

CLIENT_POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
"""For the web client: nothing from other origins, nothing inline, no eval, no framing."""

SERVER = "Vestnik"

HEADERS = {
    CONTENT_SECURITY_POLICY: "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    OPENER_POLICY: "same-origin",
}
"""`OPENER_POLICY` is sent only where browsers obey it; elsewhere they warn of it in the console, on each page."""

_OWN_MACHINE = re.compile(r"(?:(?:[\w-]+\.)*localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?")


async def add_headers(request: web.Request, answer: web.StreamResponse) -> None:
    """An `on_response_prepare` signal."""
    answer.headers[hdrs.SERVER] = SERVER
    is_secure = is_secure_context(request)
    for name, value in HEADERS.items():
        if is_secure or name != OPENER_POLICY:
            answer.headers.setdefault(name, value)
    _vary_by_origin(answer)


def is_secure_context(request: web.Request) -> bool:
    """Whether a browser takes this for a secure context: HTTPS, as a proxy may say, or the browser's own machine. The
    proxy need not be trusted: a false header changes only the answer to its own sender."""
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme).split(",")[0].strip().lower()
    host = request.headers.get("X-Forwarded-Host", request.host).split(",")[0].strip().lower()
    return scheme in ("https", "wss") or _OWN_MACHINE.fullmatch(host) is not None


def _vary_by_origin(answer: web.StreamResponse) -> None:
    """Adds `Vary: Origin`. Whether a page may read an answer depends on the page's origin, so no cache may give one
    page the answer to another."""
    varies = answer.headers.getall(hdrs.VARY, [])
    if not any(part.strip().lower() in ("origin", "*") for line in varies for part in line.split(",")):
        answer.headers[hdrs.VARY] = ", ".join([*varies, hdrs.ORIGIN])
