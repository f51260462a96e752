"""Which URLs a hook may have as its target."""

import pytest

from handlers.hooks.targets import URL_CHARS_MAX, target_fault


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://example.org/hook?a=b#c",
        "HTTPS://EXAMPLE.ORG/",
        "https://example.org:8443/hook",
        "https://user:word@example.org/",
        "https://пример.рф/крюк",
        "https://[2606:4700::1111]/",
        "https://1.1.1.1/",
        "https://example.org/" + "x" * (URL_CHARS_MAX - 20),
    ],
)
def test_good_ones(url: str) -> None:
    assert target_fault(url, private=False) is None
    assert target_fault(url, private=True) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "//example.org/",
        "https:example.org",
        "https://",
        "https:///hook",
        "https://:443/",
        "https://@/",
        "https://example.org:0/",
        "https://example.org:65536/",
        "https://example.org:x/",
        "https://[::1/",
        "https://exam ple.org/",
        "https://example.org/\n",
        " https://example.org/",
        "https://example.org/\x00",
        "https://example.org\\@evil.org/",
        "https://example\u2028.org/",
        "https://example\u202e.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://example.org/" + "x" * URL_CHARS_MAX,
    ],
)
def test_bad_ones(url: str) -> None:
    assert target_fault(url, private=False) is not None
    assert target_fault(url, private=True) is not None


def test_http_goes_only_where_private_targets_do() -> None:
    assert target_fault("http://10.0.0.5:8080/", private=True) is None
    assert target_fault("http://example.org/", private=False) == "must start with https://"
    assert target_fault("ws://example.org/", private=True) == "must start with https:// or http://"
