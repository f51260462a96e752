"""Metrics of connections, of what clients ask and get, and of the store."""

from collections.abc import Mapping
from typing import Any

from handlers.wire.endings import CLOSE_CODES, Ending
from server.metrics.families import Family, counter, gauge, histogram
from server.metrics.sources import Sources

ByLabels = Mapping[tuple[str, ...], float]

CLIENTS_REASON = ("client", "none")
"""Reason and close code of a connection that its client ended, or that broke. The client's own code is not shown: it
may send any."""


def _by_word(numbers: Mapping[Any, float]) -> ByLabels:
    return {(word,): number for word, number in numbers.items()}


def _by_ending(numbers: Mapping[Ending, int]) -> dict[tuple[str, ...], float]:
    return {
        (ending.name.lower(), str(CLOSE_CODES[ending].code)): number for ending, number in numbers.items()
    }


def _endings(sources: Sources) -> ByLabels:
    counts = sources.chat.counts
    return {**_by_ending(counts.endings), CLIENTS_REASON: counts.left}


def _commands(sources: Sources) -> ByLabels:
    counts = sources.chat.counts
    found: dict[tuple[str, ...], float] = {
        (name, "ok"): number + counts.sent[name] for name, number in counts.done.items()
    }
    for outcome, number in counts.failed.items():
        found[outcome] = number
    return found


def _errors(sources: Sources) -> ByLabels:
    sent, answered = sources.chat.counts.errors, sources.http.errors
    return {(code,): sent[code] + answered[code] for code in sent}


CONNECTIONS: tuple[Family, ...] = (
    gauge(
        "vestnik_connections",
        "Connections that are open and authenticated.",
        lambda sources: _by_word(sources.chat.connections),
        ("wire",),
    ),
    counter(
        "vestnik_connections_opened_total",
        "Connections that were accepted.",
        lambda sources: _by_word(sources.chat.opened),
        ("wire",),
    ),
    gauge("vestnik_users", "Users with at least one connection here.", lambda sources: sources.chat.users),
    counter(
        "vestnik_refusals_total",
        "Connections that were not accepted, by reason and close code.",
        lambda sources: _by_ending(sources.chat.counts.refusals),
        ("reason", "code"),
    ),
    counter(
        "vestnik_endings_total",
        "Accepted connections that ended, by reason and close code.",
        _endings,
        ("reason", "code"),
    ),
    counter(
        "vestnik_slow_endings_total",
        "Connections that were ended because too much waited unread.",
        lambda sources: sources.chat.counts.endings[Ending.TOO_SLOW],
    ),
)

TRAFFIC: tuple[Family, ...] = (
    counter(
        "vestnik_commands_total",
        "Commands that are done, over sockets and REST, by name and outcome: ok or an error code.",
        _commands,
        ("command", "outcome"),
    ),
    counter("vestnik_errors_total", "Errors that clients were sent, by code.", _errors, ("code",)),
    counter(
        "vestnik_messages_total",
        "New messages that this node stored and acked, those of incoming hooks too.",
        lambda sources: sum(sources.chat.counts.sent.values()) + sources.chat.incoming.requests["posted"],
    ),
    counter(
        "vestnik_events_total",
        "Events that were published, each counted once, by event.",
        lambda sources: _by_word(sources.hub.events),
        ("event",),
    ),
    counter(
        "vestnik_deliveries_total",
        "Events that connections got, each counted once for each connection.",
        lambda sources: sources.sio.fan_out.delivered,
    ),
)

STORE: tuple[Family, ...] = (
    histogram(
        "vestnik_commit_seconds",
        "How long the store took to commit a batch of writes.",
        lambda sources: sources.chat.store.commit_s,
    ),
    histogram(
        "vestnik_batch_writes",
        "How many writes a batch had.",
        lambda sources: sources.chat.store.batch_items,
    ),
    gauge(
        "vestnik_store_failing",
        "1 while writes to the store fail, else 0.",
        lambda sources: sources.chat.store.failing,
    ),
    counter(
        "vestnik_store_failures_total",
        "How often the store began to fail.",
        lambda sources: sources.chat.store.failures,
    ),
    counter(
        "vestnik_store_failed_writes_total",
        "Writes of users that failed, by trouble.",
        lambda sources: _by_word(sources.chat.store.failed_writes),
        ("trouble",),
    ),
    counter(
        "vestnik_store_failed_reads_total",
        "Reads that failed while writes worked.",
        lambda sources: sources.chat.store.failed_reads,
    ),
)
