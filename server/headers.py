"""What every answer says to browsers, whichever door it leaves through, unless it says something else itself."""

from aiohttp import hdrs, web

CONTENT_SECURITY_POLICY = "Content-Security-Policy"

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
    "Cross-Origin-Opener-Policy": "same-origin",
}


async def add_headers(_request: web.Request, answer: web.StreamResponse) -> None:
    """An `on_response_prepare` signal."""
    answer.headers[hdrs.SERVER] = SERVER
    for name, value in SAID.items():
        answer.headers.setdefault(name, value)
    _vary_by_origin(answer)


def _vary_by_origin(answer: web.StreamResponse) -> None:
    """Who may read an answer, and whether there is one but a refusal, depends on the page that asks: no cache may give
    one page what another was answered."""
    told = answer.headers.getall(hdrs.VARY, [])
    if not any(part.strip().lower() in ("origin", "*") for line in told for part in line.split(",")):
        answer.headers[hdrs.VARY] = ", ".join([*told, hdrs.ORIGIN])
