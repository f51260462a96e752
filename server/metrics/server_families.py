"""Metrics of the process: its event loop, its sockets, its HTTP requests."""

from server.metrics.families import Family, counter, gauge, histogram
from server.metrics.sources import Sources
from server.version import VERSION


def _ready(sources: Sources) -> bool:
    troubled = sources.node is not None and sources.node.trouble
    return not (sources.going_away or sources.chat.store.failing or troubled)


SERVER: tuple[Family, ...] = (
    gauge("vestnik_info", "Always 1.", lambda _sources: {(VERSION,): 1}, ("version",)),
    gauge(
        "vestnik_ready",
        "1 while the store serves, this node knows what others write there, and it is not going away; else 0.",
        _ready,
    ),
    histogram(
        "vestnik_loop_lag_seconds",
        "How late a timer of the event loop came.",
        lambda sources: sources.lag.lag_s,
    ),
    gauge(
        "vestnik_loop_lag_max_seconds",
        "The longest lag of the last minute or two.",
        lambda sources: sources.lag.longest_s,
    ),
    gauge(
        "vestnik_unsent_bytes",
        "Bytes that wait until the peers of all connections read.",
        lambda sources: sources.unsent_bytes,
    ),
    gauge(
        "vestnik_unsent_answers_bytes",
        "Bytes of large REST answers that wait until their clients read.",
        lambda sources: sources.answers.total_bytes,
    ),
    gauge(
        "vestnik_backlogged_connections",
        "Connections with more than 64 KiB unsent.",
        lambda sources: len(sources.sio.eio.backlog),
    ),
    gauge(
        "vestnik_held_events",
        "Events that wait until this node knows again what others write.",
        lambda sources: sources.hub.held,
    ),
    gauge(
        "vestnik_waiting_connections",
        "Connections that have sent something and wait for their turn of the event loop.",
        lambda sources: sources.sio.eio.scheduler.waiting,
    ),
    gauge(
        "vestnik_waiting_requests",
        "HTTP requests that wait because their user or address has asked too much.",
        lambda sources: len(sources.pacing),
    ),
    gauge(
        "vestnik_open_requests",
        "REST requests that are served, or wait for others of their user or address.",
        lambda sources: len(sources.slots),
    ),
    counter(
        "vestnik_http_requests_total",
        "HTTP requests that were answered, by route and status; 101 is a WebSocket.",
        lambda sources: {
            (route, str(status)): number for (route, status), number in sources.http.answers.items()
        },
        ("route", "status"),
    ),
    counter(
        "vestnik_key_set_fetches_total",
        "Fetches of the keys at JWKS_URL, by outcome (ok, failed).",
        lambda sources: {(outcome,): number for outcome, number in sources.chat.key_fetches.items()},
        ("outcome",),
    ),
)
