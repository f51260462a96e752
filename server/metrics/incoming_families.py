"""Metrics of incoming hooks."""

from server.metrics.families import Family, counter

INCOMING: tuple[Family, ...] = (
    counter(
        "vestnik_incoming_hook_requests_total",
        "Requests to incoming hooks that were answered, by outcome.",
        lambda sources: {(outcome,): number for outcome, number in sources.chat.incoming.requests.items()},
        ("outcome",),
    ),
)
