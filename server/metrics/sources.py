"""What metrics are read from."""

from domain.frozen import frozen
from handlers.chat_app import Figures
from server.engine import AsyncServer
from server.engine_hub import EngineHub
from server.http_counts import HttpCounts
from server.large_answers import Unsent
from server.metrics.loop_lag import LoopLag
from server.nodes.bus_counters import BusCounters
from server.nodes.relay import Relay
from server.pacing import Pacing
from server.request_slots import RequestSlots


@frozen
class NodeFigures:
    """What a server that shares its store knows of itself and the others. `living` counts this one too. `trouble`: it
    is not ready because of the others. `bus` is None without one. `relay` hands requests on to the others."""

    living: int
    look_age_s: float
    lease_age_s: float
    stale: bool
    trouble: bool
    bus: BusCounters | None
    relay: Relay


@frozen
class Sources:
    """All that metrics are read from, at one moment. `unsent_bytes` was added up before: that takes several turns of
    the loop. `going_away`: the server was asked to stop. `node` is None for a server on a store of its own."""

    chat: Figures
    sio: AsyncServer
    hub: EngineHub
    http: HttpCounts
    slots: RequestSlots
    pacing: Pacing
    answers: Unsent
    lag: LoopLag
    unsent_bytes: int
    going_away: bool
    node: NodeFigures | None
