"""The addresses by which others in the network reach this machine."""

import socket
from collections.abc import Sequence
from ipaddress import ip_address

_ROUTES = {
    socket.AF_INET: ("192.0.2.1", "192.168.255.254", "172.31.255.254", "10.255.255.254"),
    socket.AF_INET6: ("2001:db8::1", "fd00::1"),
}
"""Addresses in the networks that a machine can be in, the internet first. The system knows from which of its own it
would reach them; nothing is sent."""


def own_addresses(*families: socket.AddressFamily) -> Sequence[str]:
    """The addresses of this machine, each once, that of the route to the internet first; those that only this machine
    or this wire knows are left out."""
    found = (_source(family, target) for family in families for target in _ROUTES[family])
    return list(dict.fromkeys(address for address in found if address and _is_for_others(address)))


def _source(family: socket.AddressFamily, target: str) -> str:
    """The own address from which that one would be reached; "" without a route."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((target, 9))  # a datagram socket: this only looks up the route
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def _is_for_others(address: str) -> bool:
    parsed = ip_address(address.partition("%")[0])
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified)
