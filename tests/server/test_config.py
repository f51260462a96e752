"""Settings: what each takes, and the one line that a wrong value gets."""

import os
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from server.config import ConfigError, load_config

SECRET = {"SECRET_KEY": "a secret"}

ONLY_MONGO = "is for servers that share a MongoDB database, and this one has SQLite; leave it empty"
ONE_SERVER = "Sentinel and lists of servers are not supported; name one server, or one node of a cluster"
NO_REDIS_URL = "is no URL such as redis://:password@host:6379/0, rediss://host:6379 or unix:///path/to/socket"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory and no settings. The environment is put back: files of settings write to it."""
    monkeypatch.chdir(tmp_path)
    environment = dict(os.environ)
    os.environ.clear()
    yield tmp_path
    os.environ.clear()
    os.environ.update(environment)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "postgres://db", "must start with one of sqlite://, mongodb://, mongodb+srv://"),
        ("REDIS_URL", "http://redis", "must start with one of redis://, rediss://, unix://"),
        ("REDIS_URL", "redis:localhost", "must start with one of redis://, rediss://, unix://"),
        ("REDIS_URL", "redis://redis", ONLY_MONGO),
        ("REDIS_URL", "redis+sentinel://s1:26379/mymaster", ONE_SERVER),
        ("REDIS_URL", "rediss+cluster://c1", ONE_SERVER),
        ("REDIS_URL", "redis://:a,b@c1:6379,c2:6379", ONE_SERVER),
        ("REDIS_URL", "redis://", NO_REDIS_URL),
        ("REDIS_URL", "redis://:geheim@host:port", NO_REDIS_URL),
        ("REDIS_URL", "redis://:ge[heim@host", NO_REDIS_URL),
        ("REDIS_URL", "unix://geheim@", NO_REDIS_URL),
        (
            "REDIS_URL",
            "redis://host/0#geheim",
            "has a # in it: percent-encode the special characters of the password",
        ),
        (
            "REDIS_URL",
            "redis://host?socket_timeout=geheim",
            NO_REDIS_URL,
        ),
        (
            "REDIS_URL",
            "redis://host?retry_on_timeout=1",
            "takes no option but db, password, ssl_ca_certs, ssl_cert_reqs, ssl_certfile, ssl_check_hostname, "
            "ssl_keyfile, username",
        ),
        ("ALGORITHM", "none", "must be one of HS256, HS384, HS512"),
        ("LOG_FORMAT", "xml", "must be one of console, json"),
        ("LOG_LEVEL", "loud", "must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("REGISTRATION", "maybe", "must be one of open, invite, closed"),
        ("SEED_DEMO", "perhaps", "must be on or off"),
        ("RATE_LIMITS", "2", "must be on or off"),
        (
            "CORS_ORIGINS",
            "chat.example.org",
            "'chat.example.org' is not an origin such as https://chat.example.org",
        ),
        (
            "CORS_ORIGINS",
            "https://a.example/x",
            "'https://a.example/x' is not an origin such as https://chat.example.org",
        ),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy", "'proxy' is no address or network"),
        ("PORT", "http", "Not a valid integer."),
        ("PORT", "70000", "Must be greater than or equal to 0 and less than or equal to 65535."),
        ("TYPING_PER_S", "often", "Not a valid number."),
        (
            "MAX_FRAME_BYTES",
            "1023",
            "Must be greater than or equal to 1024 and less than or equal to 1000000000.",
        ),
    ],
)
def test_a_wrong_value_gets_one_line_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    for key, text in {**SECRET, name: value}.items():
        monkeypatch.setenv(key, text)
    with pytest.raises(ConfigError) as raised:
        load_config()
    assert str(raised.value) == f"{name}: {says}"


@pytest.mark.parametrize(
    ("text", "switched"), [("on", True), (" Yes ", True), ("0", False), ("OFF", False), ("", False)]
)
def test_a_switch_is_said_in_several_words(
    monkeypatch: pytest.MonkeyPatch, text: str, switched: bool
) -> None:
    monkeypatch.setenv("SEED_DEMO", text)
    assert load_config().seed_demo is switched


def test_origins_and_networks_are_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", " https://Chat.example.org/ ,, http://localhost:3000")
    monkeypatch.setenv("TRUSTED_PROXIES", "10.1.2.3/8, ::1,")
    config = load_config()
    assert config.cors_origins == ("https://chat.example.org", "http://localhost:3000")
    assert config.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))


def test_a_star_among_origins_admits_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://chat.example.org, *")
    assert load_config().cors_origins == ()


def test_without_rate_limits_nothing_is_limited_but_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMITS", "off")
    monkeypatch.setenv("MESSAGES_PER_S", "7")
    policy = load_config().policy
    assert policy.messages_per_s == policy.frames_per_s == policy.max_connections_per_user == 0
    assert policy.max_content_chars == 10_000


def test_a_key_is_made_once_for_its_owner_only(folder: Path) -> None:
    made = load_config().secret_key
    file = folder / "data" / "secret_key"
    assert load_config().secret_key == made == file.read_text()
    assert len(made) >= 64
    assert [path.name for path in file.parent.iterdir()] == ["secret_key"]


def test_an_empty_key_file_is_no_key(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "secret_key").write_text("\n")
    with pytest.raises(ConfigError, match=r"^SECRET_KEY: data/secret_key is empty; delete it"):
        load_config()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_a_key_that_root_makes_is_of_whose_the_folder_is(folder: Path) -> None:
    (folder / "data").mkdir()
    os.chown(folder / "data", 1000, 1000)
    load_config()
    key = (folder / "data" / "secret_key").stat()
    assert (key.st_uid, key.st_gid, key.st_mode & 0o777) == (1000, 1000, 0o600)


def test_a_kept_key_that_cannot_be_read_stops_the_start(folder: Path) -> None:
    (folder / "data" / "secret_key").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"^SECRET_KEY: data/secret_key cannot be read: Is a directory$"):
        load_config()


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis",
        "redis://user:p%23ss@host:6380/3",
        "redis://:a,b@host",
        "rediss://host:6379?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=required",
        "unix:///run/redis.sock?db=2&password=x",
        "redis://[::1]:6379",
    ],
)
def test_the_url_of_one_redis_beside_mongodb(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name, text in {**SECRET, "REDIS_URL": url, "DATABASE_URL": "mongodb://db"}.items():
        monkeypatch.setenv(name, text)
    config = load_config()
    assert config.redis_url == url
    assert url not in repr(config)


def test_several_nodes_would_need_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://redis")
    with pytest.raises(
        ConfigError, match=r"^SECRET_KEY: must be set, the same on every node, when REDIS_URL is$"
    ):
        load_config()


@pytest.mark.parametrize("secret", [{}, SECRET], ids=["generated key", "given key"])
def test_a_data_folder_that_cannot_be_made_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, secret: dict[str, str]
) -> None:
    (folder / "file").touch()
    monkeypatch.setenv("DATA_DIR", "file/data")
    for key, text in secret.items():
        monkeypatch.setenv(key, text)
    with pytest.raises(ConfigError, match=r"^DATA_DIR: cannot [a-z ]+ file/data: Not a directory$"):
        load_config()


def test_settings_come_from_a_file_and_the_environment_wins(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("PORT=8001\nLOG_LEVEL=debug\n")
    monkeypatch.setenv("PORT", "8002")
    config = load_config()
    assert (config.port, config.log_level) == (8002, "DEBUG")


def test_a_file_of_settings_that_is_no_text_is_named(folder: Path) -> None:
    (folder / ".env").write_bytes(b"PORT=\xff\n")
    with pytest.raises(ConfigError, match=r"^\.env: is not UTF-8 text$"):
        load_config()


def test_the_store_is_a_file_in_the_data_folder_or_where_the_url_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_config().store_url() == f"sqlite:///{folder / 'data' / 'vestnik.db'}"
    monkeypatch.setenv("DATABASE_URL", "mongodb://db/chat")
    assert load_config().store_url() == "mongodb://db/chat"
