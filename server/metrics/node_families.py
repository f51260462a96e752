"""Metrics of a node that shares its store with others, and of the bus between them. Others have no samples."""

from collections.abc import Callable
from typing import get_args

from server.metrics.families import Family, Value, counter, gauge
from server.metrics.sources import NodeFigures, Sources
from server.nodes.bus_counters import BusCounters, State


def _node(read: Callable[[NodeFigures], Value]) -> Callable[[Sources], Value]:
    return lambda sources: None if sources.node is None else read(sources.node)


def _bus(read: Callable[[BusCounters], Value]) -> Callable[[Sources], Value]:
    return _node(lambda node: None if node.bus is None else read(node.bus))


def _sent_received(sent: int, received: int) -> Value:
    return {("sent",): sent, ("received",): received}


NODES: tuple[Family, ...] = (
    gauge(
        "vestnik_nodes",
        "Nodes that live, as this one sees it; itself too.",
        _node(lambda node: node.living),
    ),
    gauge(
        "vestnik_look_age_seconds",
        "Time since the last complete look at the other nodes began.",
        _node(lambda node: node.look_age_s),
    ),
    gauge(
        "vestnik_lease_age_seconds",
        "Time since this node's lease was renewed.",
        _node(lambda node: node.lease_age_s),
    ),
    gauge(
        "vestnik_stale",
        "1 while this node runs no commands because its last look is too old, else 0.",
        _node(lambda node: node.stale),
    ),
)

RELAY: tuple[Family, ...] = (
    gauge(
        "vestnik_relay_passages",
        "Requests and tunnels that are being handed on to other nodes.",
        _node(lambda node: len(node.relay.traffic)),
    ),
    counter(
        "vestnik_relay_requests_total",
        "Requests for sessions of other nodes that were handed on.",
        _node(lambda node: node.relay.relayed),
    ),
    counter(
        "vestnik_relay_tunnels_total",
        "Those of them that became a WebSocket.",
        _node(lambda node: node.relay.tunnels),
    ),
    counter(
        "vestnik_relay_failures_total",
        "Those of them that the other node did not answer.",
        _node(lambda node: node.relay.failed),
    ),
    counter(
        "vestnik_relay_refusals_total",
        "Requests that were not handed on because there were too many.",
        _node(lambda node: node.relay.traffic.refused),
    ),
    counter(
        "vestnik_relay_forged_total",
        "Requests that claimed to come from another node and did not.",
        _node(lambda node: node.relay.gate.forged),
    ),
)

BUS: tuple[Family, ...] = (
    gauge(
        "vestnik_bus_state",
        "1 for the state in which the connection to Redis is, else 0.",
        _bus(lambda bus: {(state,): state == bus.state for state in get_args(State)}),
        ("state",),
    ),
    gauge(
        "vestnik_bus_lag_seconds",
        "How long a frame took last to Redis and back.",
        _bus(lambda bus: bus.lag_us / 1e6),
    ),
    gauge(
        "vestnik_bus_hearers",
        "Nodes that Redis handed the last frame to; this one too.",
        _bus(lambda bus: bus.hearers),
    ),
    gauge("vestnik_bus_queued_bytes", "Bytes that wait to be sent.", _bus(lambda bus: bus.queued_bytes)),
    gauge(
        "vestnik_bus_held_bytes",
        "Bytes that were received and wait for earlier rows.",
        _bus(lambda bus: bus.held_bytes),
    ),
    counter(
        "vestnik_bus_frames_total",
        "Frames, by direction.",
        _bus(lambda bus: _sent_received(bus.frames_sent, bus.frames_received)),
        ("direction",),
    ),
    counter(
        "vestnik_bus_bytes_total",
        "Bytes of frames, by direction.",
        _bus(lambda bus: _sent_received(bus.bytes_sent, bus.bytes_received)),
        ("direction",),
    ),
    counter(
        "vestnik_bus_messages_total",
        "Changes of messages, by direction.",
        _bus(lambda bus: _sent_received(bus.messages_sent, bus.messages_received)),
        ("direction",),
    ),
    counter(
        "vestnik_bus_untimely_messages_total",
        "Changes of messages that came after this node had read them from the store, or before an earlier one.",
        _bus(lambda bus: {("late",): bus.messages_late, ("ahead",): bus.messages_ahead}),
        ("when",),
    ),
    counter(
        "vestnik_bus_lost_frames_total",
        "Frames that were not sent, did not come, came too late or forged, or could not be read.",
        _bus(
            lambda bus: {
                ("dropped",): bus.frames_dropped,
                ("missed",): bus.frames_missed,
                ("late",): bus.frames_late,
                ("unreadable",): bus.frames_unreadable,
                ("forged",): bus.frames_forged,
            }
        ),
        ("reason",),
    ),
    counter(
        "vestnik_bus_chases_total",
        "How often the store was read because a change came before an earlier one.",
        _bus(lambda bus: bus.chases),
    ),
    counter("vestnik_bus_connects_total", "Connections to Redis.", _bus(lambda bus: bus.connects)),
    counter(
        "vestnik_bus_failures_total",
        "Connections to Redis that ended or could not be made.",
        _bus(lambda bus: bus.failures),
    ),
    counter(
        "vestnik_bus_unheard_total",
        "How often fewer nodes than live heard a frame, for seconds.",
        _bus(lambda bus: bus.unheard),
    ),
)
