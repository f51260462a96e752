"""All nodes of a store have one key: a fingerprint in the store says which."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping

import structlog

from server.nodes.leases import renewed_every_s
from storage.node_ports import Lease, Nodes

log = structlog.get_logger("vestnik")

LOOK_EVERY_S = 0.25

LATE_S = 5.0
"""How much later than it should a living node may renew its lease."""


class WrongKey(Exception):
    """Nodes that live have another key. The text is one line for the operator."""


def key_id_of(secret_key: str, store_id: str) -> str:
    """A word that differs between keys, and from which nobody finds the key without trying keys."""
    return hmac.new(secret_key.encode(), b"vestnik key of " + store_id.encode(), hashlib.sha256).hexdigest()[
        :32
    ]


async def settle_key(
    nodes: Nodes, mine: str, *, url: str, lease_s: float, renew: Callable[[], Awaitable[None]]
) -> None:
    """Makes `mine` the fingerprint in the store, unless nodes with another key live.

    To be called after this node has joined: of two that start together with two keys, each sees the lease of the
    other. A lease says nothing until it is renewed, so this takes up to the time between two renewals; `renew` says
    meanwhile that this node lives. A node with this one's address is dead: this one has its port.

    Raises: `WrongKey`; `Unavailable`.
    """
    if await nodes.key_id(mine) == mine:
        return
    others = {name: lease for name, lease in (await _with_other_key(nodes, mine)).items() if lease.url != url}
    if others:
        log.info("finding out whether nodes with another SECRET_KEY live", nodes=len(others))
        await _wait_for_life(nodes, mine, others, lease_s, renew)
    await nodes.replace_key_id(mine)
    log.warning("SECRET_KEY is another one than before: all access tokens are invalid")


async def _wait_for_life(
    nodes: Nodes,
    mine: str,
    others: Mapping[str, Lease],
    lease_s: float,
    renew: Callable[[], Awaitable[None]],
) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + renewed_every_s(lease_s) + LATE_S
    while loop.time() < until:
        await asyncio.sleep(LOOK_EVERY_S)
        await renew()
        now = await _with_other_key(nodes, mine)
        if any(now[name].beat != lease.beat for name, lease in others.items() if name in now):
            raise WrongKey(
                "SECRET_KEY: the nodes that run on this database have another key; give this one the same"
            )


async def _with_other_key(nodes: Nodes, mine: str) -> Mapping[str, Lease]:
    """The leases that have not ended and are of nodes with another key. The command line has none."""
    return {
        lease.incarnation: lease
        for lease in await nodes.leases()
        if not lease.ended and lease.key_id not in ("", mine)
    }
