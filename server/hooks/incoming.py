"""The gate of incoming hooks: `POST /hooks/KEY`, answered in plain text as alerting tools expect it."""

from aiohttp import hdrs, web

from handlers.hooks.incoming import HookRefused, check_client_id
from handlers.hooks.payloads import PayloadFault, text_of_json
from handlers.live.limits import network_of
from server.files.bodies import ask_for_body, no_continue
from server.hooks.plain_answers import OK, PATH, refusal_answer
from server.keys import CHAT_APP, CONFIG, ORIGINS, REQUESTS, SLOT
from server.rest.bodies import MULTIPART, URLENCODED, read_bytes
from server.rest.calls import BODY_TIMEOUT_S
from server.rest.forms import multipart_fields, urlencoded_fields

BODY_BYTES_MAX = 256 * 1024

_IDEMPOTENCY_KEY = "Idempotency-Key"
_FORM_FIELD = "payload"


def add_incoming_hooks(app: web.Application) -> None:
    """Adds the route."""
    app.router.add_post(PATH + "{key}", receive, expect_handler=no_continue)


async def receive(request: web.Request) -> web.Response:
    """Posts what the body says, as the hook whose key is in the path."""
    try:
        await _receive(request)
    except HookRefused as refused:
        return refusal_answer(request, refused.reason, refused.retry_after_ms)
    except PayloadFault as fault:
        return refusal_answer(request, fault.fault)
    return web.Response(text=OK)


async def _receive(request: web.Request) -> None:
    """Raises: `HookRefused`; `PayloadFault`; `ChatError`; `Unavailable`. All that can be refused without the body is
    refused before the body is asked for."""
    hooks = request.app[CHAT_APP].incoming
    network = network_of(request.app[ORIGINS].address(request))
    at_once = request.app[CONFIG].policy.max_requests_per_address
    request[SLOT] = await request.app[REQUESTS].take(("hooks", network), at_once)
    state = await hooks.find(request.match_info["key"], network)
    client_id = request.headers.get(_IDEMPOTENCY_KEY)
    if client_id is not None:
        check_client_id(client_id)
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise PayloadFault("invalid_payload")
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise HookRefused("too_large")
    await ask_for_body(request)
    body = await read_bytes(request, BODY_BYTES_MAX, BODY_TIMEOUT_S)
    await hooks.post(state, text_of_json(_json_in(request, body)), client_id)


def _json_in(request: web.Request, body: bytes) -> bytes | str:
    """The JSON of a body: the form field `payload`, else the body itself. Many a script sends JSON and calls it a form,
    as `curl -d` does. Raises: `ChatError` `bad_request`."""
    if request.content_type == MULTIPART:
        fields = multipart_fields(body, request.headers[hdrs.CONTENT_TYPE])
    elif request.content_type == URLENCODED and not body.lstrip().startswith(b"{"):
        fields = urlencoded_fields(body)
    else:
        return body
    return fields.get(_FORM_FIELD, "")
