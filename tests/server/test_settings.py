"""Settings: the tables, the defaults and .env.example are one; what is wrong is said in one line that names it."""

import os
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from handlers.policy import Policy
from server.config import PLAIN, POLICY_SETTINGS, SETTINGS, Config, ConfigError, load_config

EXAMPLE = (Path(__file__).parents[2] / ".env.example").read_text("utf8")
OTHER = {"SECRET_KEY", "REGISTRATION", "RATE_LIMITS"}
"""Settings that are read in a way of their own."""

ALL = {*SETTINGS, *PLAIN, *POLICY_SETTINGS, *OTHER}


@pytest.fixture(autouse=True)
def nothing_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder, and an environment as it is found again afterwards: reading a file changes it."""
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    for name in ALL:
        monkeypatch.delenv(name, raising=False)
    yield
    for name in ALL - before.keys():
        os.environ.pop(name, None)


def test_every_field_has_a_setting_and_every_setting_a_field() -> None:
    config = {entry.name.upper() for entry in fields(Config)} - {"POLICY"}
    policy = {entry.name.upper() for entry in fields(Policy)} - {"REGISTRATION_OPEN"}
    assert config == {*SETTINGS, *PLAIN, "SECRET_KEY"}
    assert policy == POLICY_SETTINGS.keys()


def test_the_example_has_every_setting_once_with_what_it_means() -> None:
    named = re.findall(r"^#([A-Z0-9_]+)=", EXAMPLE, re.MULTILINE)
    assert sorted(named) == sorted(ALL)
    for paragraph in EXAMPLE.split("\n\n"):
        if re.search(r"^#[A-Z0-9_]+=", paragraph, re.MULTILINE):
            assert paragraph.lstrip().startswith("# "), paragraph


def test_the_values_of_the_example_are_the_defaults(tmp_path: Path) -> None:
    before = load_config()
    whole = tmp_path / "whole.env"
    whole.write_text(re.sub(r"^#([A-Z0-9_]+=)", r"\1", EXAMPLE, flags=re.MULTILINE))
    assert load_config(env_file=whole) == before
    for name in (*SETTINGS, *POLICY_SETTINGS):
        shown = re.search(rf"^#{name}=(.*)$", EXAMPLE, re.MULTILINE)
        assert shown
        default = getattr(before if name in SETTINGS else before.policy, name.lower())
        assert (shown[1] == "") == (default in ("", (), None) or name == "WEB_CLIENT_DIR"), name


@pytest.mark.parametrize("blank", ["", " ", "\t"])
@pytest.mark.parametrize(
    "name", ["PORT", "LOG_LEVEL", "SEED_DEMO", "REGISTRATION", "MESSAGES_PER_S", "CORS_ORIGINS"]
)
def test_an_empty_value_means_the_default(name: str, blank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = load_config()
    monkeypatch.setenv(name, blank)
    assert load_config() == expected


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("PORT", "x", "Not a valid integer."),
        ("PORT", "65536", "Must be greater than or equal to 0 and less than or equal to 65535."),
        ("BCRYPT_COST", "3", "Must be greater than or equal to 4 and less than or equal to 31."),
        ("MESSAGES_PER_S", "x", "Not a valid number."),
        (
            "MESSAGES_PER_S",
            "nan",
            "Special numeric values (nan or infinity) are not permitted.",
        ),
        ("MESSAGES_BURST", "0", "Must be greater than or equal to 1 and less than or equal to 1000000000."),
        ("ALGORITHM", "none", "must be one of HS256, HS384, HS512"),
        ("LOG_LEVEL", "loud", "must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("REGISTRATION", "maybe", "must be one of open, invite, closed"),
        ("INVITES_REGISTER", "all", "must be one of admins, chats"),
        ("PUBLIC_URL", "chat.example.org", "must be a URL such as https://chat.example.org"),
        ("PUBLIC_URL", "https://a b.org", "must be a URL such as https://chat.example.org"),
        (
            "PUBLIC_URL",
            "https://a.org/chat",
            "must be scheme, host and port alone, such as https://chat.example.org",
        ),
        ("RATE_LIMITS", "2", "must be on or off"),
        ("DATABASE_URL", "mysql://x", "must start with one of sqlite://, mongodb://, mongodb+srv://"),
        (
            "CORS_ORIGINS",
            "https://a.b/c",
            "'https://a.b/c' is not an origin such as https://chat.example.org",
        ),
        ("TRUSTED_PROXIES", "10.0.0.300", "'10.0.0.300' is no address or network"),
        ("WEB_CLIENT_DIR", "none", "there is no index.html in none: it is no built web client"),
        ("REDIS_URL", "http://x", "must start with one of redis://, rediss://, unix://"),
        ("WEBHOOK_PRIVATE", "maybe", "must be on or off"),
        ("SSL_CERT_FILE", "none.pem", "cannot read certificates from none.pem: No such file or directory"),
    ],
)
def test_a_wrong_value_is_said_in_one_line(
    name: str, text: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigError) as wrong:
        load_config()
    assert str(wrong.value) == f"{name}: {says}"


def test_a_file_without_certificates_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL's words differ between its versions."""
    (tmp_path / "no.pem").write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", "no.pem")
    with pytest.raises(ConfigError, match=r"^SSL_CERT_FILE: cannot read certificates from no\.pem: .+$"):
        load_config()


def test_words_are_taken_in_any_case_and_lists_with_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "LOG_LEVEL": " debug ",
        "LOG_FORMAT": "JSON",
        "SEED_DEMO": "Yes",
        "REGISTRATION": "CLOSED",
        "CORS_ORIGINS": " https://Chat.Example.org/ , ,http://localhost:3000",
        "TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,",
        "RATE_LIMITS": "off",
    }.items():
        monkeypatch.setenv(name, text)
    config = load_config()
    assert (config.log_level, config.log_format, config.seed_demo) == ("DEBUG", "json", True)
    assert config.cors_origins == ("https://chat.example.org", "http://localhost:3000")
    assert [str(network) for network in config.trusted_proxies] == ["127.0.0.1/32", "10.0.0.0/8"]
    assert config.policy == Policy(registration="closed").unlimited()


def test_a_star_among_the_origins_is_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example,*")
    assert load_config().cors_origins == ()
