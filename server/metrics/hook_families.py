"""Metrics of outgoing hooks."""

from collections.abc import Mapping
from typing import Any

from server.metrics.families import Family, counter, gauge, histogram


def _by_word(numbers: Mapping[Any, int]) -> Mapping[tuple[str, ...], float]:
    return {(word,): number for word, number in numbers.items()}


HOOKS: tuple[Family, ...] = (
    gauge(
        "vestnik_hooks",
        "Outgoing hooks that this node delivers, by state.",
        lambda sources: _by_word(sources.chat.hook_states),
        ("state",),
    ),
    counter(
        "vestnik_hook_requests_total",
        "Requests to the receivers of hooks, by outcome.",
        lambda sources: _by_word(sources.chat.hooks.requests),
        ("outcome",),
    ),
    gauge(
        "vestnik_hook_requests_open",
        "Requests to the receivers of hooks that wait for an answer.",
        lambda sources: sources.chat.hooks.sending,
    ),
    gauge(
        "vestnik_hook_requests_waiting",
        "Hooks that wait because too many requests are open.",
        lambda sources: sources.chat.hooks.waiting,
    ),
    histogram(
        "vestnik_hook_request_seconds",
        "How long a receiver took to answer.",
        lambda sources: sources.chat.hooks.request_s,
    ),
    counter(
        "vestnik_hook_replies_total",
        "Answers of receivers that were posted as messages.",
        lambda sources: sources.chat.hooks.replies,
    ),
)
