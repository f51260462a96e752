"""Which addresses are globally routable, so that a hook may be delivered there."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_NOT_GLOBAL_V4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by carriers; cloud services have metadata there, too
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",  # the relays of 6to4
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)

_GLOBAL_V6 = IPv6Network("2000::/3")
"""The only part of IPv6 from which addresses for the whole Internet are given out."""

_NOT_GLOBAL_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocols, Teredo and ORCHID among them
            "2001:db8::/32",
            "2002::/16",  # 6to4: the IPv4 address in it decides nothing, as relays need not be where they say
            "3fff::/20",
        ),
    )
)

_NAT64 = IPv6Network("64:ff9b::/96")
"""What a DNS64 makes of the IPv4 address of a public server."""

_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""The upper half of the interface identifier of an ISATAP address, whose lower half is an IPv4 address."""


def is_global(text: str) -> bool:
    """Whether an address, as `getaddrinfo` or a URL gives it, is that of one host on the Internet.

    An IPv6 address that stands for an IPv4 address is as global as that is. The table is the server's own: that of
    Python differs between its versions, and takes multicast addresses for global ones.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        embedded = _embedded(address)
        if embedded is None:
            return _is_global_v6(address)
        address = embedded
    return not any(address in network for network in _NOT_GLOBAL_V4)


def _is_global_v6(address: IPv6Address) -> bool:
    if address not in _GLOBAL_V6 or any(address in network for network in _NOT_GLOBAL_V6):
        return False
    return int(address) >> 32 & 0xFFFF_FFFF not in _ISATAP


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to this address reach; None if it is no such form."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
