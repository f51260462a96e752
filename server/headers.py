"""What every answer says to browsers, whichever door it leaves through, unless it says something else itself."""

import re

from aiohttp import hdrs, web

CONTENT_SECURITY_POLICY = "Content-Security-Policy"
OPENER_POLICY = "Cross-Origin-Opener-Policy"

CLIENT_POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
"""For the web client: nothing from elsewhere, nothing inline, no eval, in nobody's frame."""

SERVER = "Vestnik"

SAID = {
    CONTENT_SECURITY_POLICY: "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    OPENER_POLICY: "same-origin",
}
"""`OPENER_POLICY` only where browsers heed it; elsewhere they complain of it on each page, in the console."""

_OWN_MACHINE = re.compile(r"(?:(?:[\w-]+\.)*localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?")


async def add_headers(request: web.Request, answer: web.StreamResponse) -> None:
    """An `on_response_prepare` signal."""
    answer.headers[hdrs.SERVER] = SERVER
    is_secure = is_secure_context(request)
    for name, value in SAID.items():
        if is_secure or name != OPENER_POLICY:
            answer.headers.setdefault(name, value)
    _vary_by_origin(answer)


def is_secure_context(request: web.Request) -> bool:
    """Whether a browser trusts the way here: HTTPS, as the proxy in front says, or this very machine. No proxy need be
    trusted for that: a wrong word changes nothing but the answer to the one who said it."""
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme).split(",")[0].strip().lower()
    host = request.headers.get("X-Forwarded-Host", request.host).split(",")[0].strip().lower()
    return scheme in ("https", "wss") or _OWN_MACHINE.fullmatch(host) is not None


def _vary_by_origin(answer: web.StreamResponse) -> None:
    """Who may read an answer, and whether there is one but a refusal, depends on the page that asks: no cache may give
    one page what another was answered."""
    told = answer.headers.getall(hdrs.VARY, [])
    if not any(part.strip().lower() in ("origin", "*") for line in told for part in line.split(",")):
        answer.headers[hdrs.VARY] = ", ".join([*told, hdrs.ORIGIN])
