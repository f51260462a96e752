"""Which addresses are globally routable, against a hostile list."""

from ipaddress import IPv4Address, ip_address

import pytest

from server.hooks.addresses import is_global

GLOBAL = (
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "9.255.255.255",
    "11.0.0.0",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
    "2001:4860:4860::8888",
    "2003::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
)

PRIVATE_V4 = (
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
)

PRIVATE_V6 = (
    "::",
    "::1",
    "::2",
    "100::1",
    "100:0:0:1::1",
    "2001::1",  # Teredo
    "2001:0:7f00:1::1",
    "2001:1::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",  # 6to4
    "2002:a00:1::",
    "2002:a9fe:a9fe::1",
    "2002:808:808::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "64:ff9b:1::1",
    "64:ff9b:1:7f00:0:100::",
    "fc00::1",
    "fd00:ec2::254",
    "fdff:ffff::1",
    "fe80::1",
    "fe80::1%eth0",
    "fe80::1%1",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2a00:1450::5efe:10.0.0.1",  # ISATAP
    "2a00:1450::200:5efe:127.0.0.1",
    "::ffff:0:127.0.0.1",  # IPv4-translated
    "::127.0.0.1",  # IPv4-compatible
    "::8.8.8.8",
)

NO_ADDRESSES = (
    "",
    "localhost",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "1.2.3.4.5",
    "[::1]",
    "a b",
)


@pytest.mark.parametrize("text", GLOBAL)
def test_global(text: str) -> None:
    assert is_global(text)


@pytest.mark.parametrize("text", PRIVATE_V4 + PRIVATE_V6 + NO_ADDRESSES)
def test_not_global(text: str) -> None:
    assert not is_global(text)


@pytest.mark.parametrize("text", PRIVATE_V4)
@pytest.mark.parametrize("form", ["::ffff:{}", "64:ff9b::{}", "::{}", "::ffff:0:{}", "2a00::5efe:{}"])
def test_an_ipv6_form_of_a_private_address(form: str, text: str) -> None:
    assert not is_global(form.format(text))


@pytest.mark.parametrize("text", PRIVATE_V4)
def test_6to4_and_teredo_of_a_private_address(text: str) -> None:
    number = int(IPv4Address(text))
    assert not is_global(str(ip_address((0x2002 << 112) | (number << 80) | 1)))
    client = number ^ 0xFFFF_FFFF
    assert not is_global(str(ip_address((0x2001_0000 << 96) | (0x0808_0808 << 64) | client)))


@pytest.mark.parametrize("text", [*PRIVATE_V4, *PRIVATE_V6, *GLOBAL])
def test_python_takes_nothing_more_for_private(text: str) -> None:
    """What this Python knows to be private, reserved or multicast is refused here."""
    address = ip_address(text)
    known = address.is_private or address.is_multicast or address.is_reserved or address.is_loopback
    if known and text not in ("::ffff:8.8.8.8", "64:ff9b::8.8.8.8"):
        assert not is_global(text)
