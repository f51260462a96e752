"""The settings: each has one line in a table here, and its default in `Config` or in `Policy`.

`.env.example` says what each one means; `tests/server/test_settings.py` compares it with the tables.
"""

from collections.abc import Mapping
from dataclasses import field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal

from environs import Env

from domain.frozen import frozen
from handlers.live.passwords import password_fault
from handlers.policy import Policy
from handlers.wire.json import is_unicode
from server.issuer_settings import issuer_fault
from server.places import place_of
from server.redis_url import redis_url
from server.secret_key import given_key, kept_key
from server.setting_readers import (
    Read,
    base_url,
    bearer_token,
    built_web_client,
    certificates,
    chat_name,
    choice,
    integer,
    networks,
    number,
    origins,
    page_url,
    public_key,
    switch,
    url,
    username,
    words,
)

SHUTDOWN_LEAST_S = 4
"""Two for the close handshakes, and as much for the open requests and the store."""

WEB_CLIENT_DIR = place_of("web_client", "frontend/dist")
"""Where an installation has its web client, or a checkout, once that is built."""

DEFAULT_HOST = "0.0.0.0"  # noqa: S104 -- a server is there to be reached


class ConfigError(Exception):
    """A setting that is wrong, said in one line that names it."""


@frozen
class Config:
    """Everything that can be set, with its default. Units are in the names."""

    secret_key: str = field(repr=False)
    data_dir: Path = Path("data")
    web_client_dir: Path = WEB_CLIENT_DIR
    database_url: str = field(default="", repr=False)
    algorithm: Literal["HS256", "HS384", "HS512"] = "HS256"
    database_connect_timeout_s: float = 30
    host: str = DEFAULT_HOST
    port: int = 8000
    redis_url: str = field(default="", repr=False)
    node_url: str = ""
    node_lease_s: float = 60
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    log_level: str = "INFO"
    log_format: Literal["console", "json"] = "console"
    seed_demo: bool = False
    admin_username: str = ""
    admin_password: str = field(default="", repr=False)
    bcrypt_cost: int = 12
    shutdown_timeout_s: float = 10
    drain_s: float | None = None
    ping_interval_s: int = 25
    ping_timeout_s: int = 20
    buffer_limit_bytes: int = 1024 * 1024
    unsent_answers_limit_bytes: int = 32 * 1024 * 1024
    metrics_token: str = field(default="", repr=False)
    metrics_port: int = 0
    ssl_cert_file: Path | None = None
    jwks_url: str = ""
    jwt_public_key_file: Path | None = None
    jwt_issuer: str = ""
    jwt_audience: str = ""
    policy: Policy = field(default_factory=Policy)

    @property
    def has_metrics(self) -> bool:
        """Whether anybody can read the metrics."""
        return bool(self.metrics_token or self.metrics_port)

    @property
    def uploads_dir(self) -> Path:
        """Where the bytes of files are, beside SQLite."""
        return self.data_dir / "uploads"

    @property
    def spool_dir(self) -> Path:
        """Where pictures are while they are being received, in files without names."""
        return self.data_dir / "tmp"

    def store_url(self) -> str:
        """Where the store is: `DATABASE_URL`, else a SQLite file in `DATA_DIR`."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'vestnik.db'}"


SETTINGS: Mapping[str, Read] = {
    "REDIS_URL": redis_url,
    "DATABASE_URL": url("sqlite", "mongodb", "mongodb+srv"),
    "NODE_URL": base_url("http://10.0.0.5:8000"),
    "NODE_LEASE_S": number(1),
    "WEB_CLIENT_DIR": built_web_client,
    "ALGORITHM": choice("HS256", "HS384", "HS512"),
    "DATABASE_CONNECT_TIMEOUT_S": number(0),
    "PORT": integer(0, 65535),
    "CORS_ORIGINS": origins,
    "TRUSTED_PROXIES": networks,
    "LOG_LEVEL": choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", fold=str.upper),
    "LOG_FORMAT": choice("console", "json", fold=str.lower),
    "SEED_DEMO": switch,
    "ADMIN_USERNAME": username,
    "BCRYPT_COST": integer(4, 31),
    "SHUTDOWN_TIMEOUT_S": number(SHUTDOWN_LEAST_S),
    "DRAIN_S": number(0),
    "PING_INTERVAL_S": integer(1),
    "PING_TIMEOUT_S": integer(1),
    "BUFFER_LIMIT_BYTES": integer(1024),
    "UNSENT_ANSWERS_LIMIT_BYTES": integer(1024 * 1024),
    "METRICS_TOKEN": bearer_token,
    "METRICS_PORT": integer(0, 65535),
    "SSL_CERT_FILE": certificates,
    "JWKS_URL": page_url("https://login.example.org/jwks.json"),
    "JWT_PUBLIC_KEY_FILE": public_key,
    "JWT_ISSUER": words,
    "JWT_AUDIENCE": words,
}
"""Those of `Config`, under their names in lower case. `PLAIN` ones and SECRET_KEY come on top."""

PLAIN = ("DATA_DIR", "HOST", "ADMIN_PASSWORD")
"""Settings that are any text, blanks around it included."""

POLICY_SETTINGS: Mapping[str, Read] = {
    "REGISTRATION": choice("open", "invite", "closed", fold=str.lower),
    "JWT_CREATE_USERS": switch,
    "INVITES_REGISTER": choice("admins", "chats", fold=str.lower),
    "PUBLIC_URL": base_url("https://chat.example.org"),
    "DEFAULT_CHAT": chat_name,
    "MAX_CONTENT_CHARS": integer(1),
    "MAX_NAME_CHARS": integer(1),
    "MAX_FRAME_BYTES": integer(1024),
    "MAX_CONNECTIONS_PER_USER": integer(0),
    "MAX_REQUESTS_PER_USER": integer(0),
    "MAX_REQUESTS_PER_ADDRESS": integer(0),
    "MIN_PASSWORD_CHARS": integer(1),
    "MESSAGES_PER_S": number(0),
    "MESSAGES_BURST": integer(1),
    "JOINS_PER_S": number(0),
    "JOINS_BURST": number(1),
    "TYPING_PER_S": number(0),
    "STREAMS_PER_S": number(0),
    "STATUS_PER_S": number(0),
    "CHANGES_PER_S": number(0),
    "CHANGES_BURST": number(1),
    "MARKS_PER_S": number(0),
    "MARKS_BURST": number(1),
    "QUERIES_PER_S": number(0),
    "QUERIES_BURST": number(1),
    "SEARCHES_PER_S": number(0),
    "SEARCHES_BURST": number(1),
    "UPLOADS_PER_MIN": number(0),
    "MAX_UPLOAD_BYTES": integer(1, 2**40),
    "UPLOAD_QUOTA_BYTES": integer(0, 2**50),
    "UPLOAD_TTL_S": number(1),
    "MAX_IMAGE_PIXELS": integer(1),
    "NAME_CHANGES_PER_H": number(0),
    "LOGIN_FAILURES_PER_MIN": number(0),
    "AUTH_CALLS_PER_MIN": number(0),
    "HOOK_MESSAGES_PER_S": number(0),
    "HOOK_MESSAGES_BURST": integer(1),
    "HOOK_MISSES_PER_MIN": number(0),
    "FRAMES_PER_S": number(0),
    "BYTES_PER_S": number(0),
    "USER_FRAMES_PER_S": number(0),
    "USER_BYTES_PER_S": number(0),
    "STRANGER_FRAMES_PER_S": number(0),
    "ACCESS_TOKEN_TTL_S": integer(1),
    "REFRESH_TOKEN_TTL_S": integer(1),
    "REFRESH_REUSE_GRACE_S": number(0),
    "PRESENCE_GRACE_S": number(0),
    "VOLATILE_LIMIT_BYTES": integer(1024),
    "MAX_UNSENT_BYTES_PER_USER": integer(0),
    "HOOK_DELIVERIES_PER_S": number(0),
    "WEBHOOK_PRIVATE": switch,
}
"""Those of `Policy`, under their names in lower case."""


def load_config(*, env_file: Path | None = None) -> Config:
    """Reads the environment, after `.env` in the working directory or `env_file` if there is one.

    Raises: `ConfigError`.
    """
    env = Env()
    path = env_file or Path(".env")
    if path.is_file():
        try:
            env.read_env(str(path), recurse=False)
        except UnicodeDecodeError:
            raise ConfigError(f"{path}: is not UTF-8 text") from None
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    return _read(env)


def _read(env: Env) -> Config:
    values: dict[str, Any] = {name.lower(): text for name in PLAIN if (text := env.str(name, ""))}
    data_dir = values["data_dir"] = Path(values.get("data_dir", "data"))
    values |= _values(env, {"REDIS_URL": SETTINGS["REDIS_URL"]})
    secret_key = _secret_key(env, data_dir, "redis_url" in values)
    values |= _values(env, {"DATABASE_URL": SETTINGS["DATABASE_URL"]})
    if "database_url" not in values:
        _make(data_dir)
    if "redis_url" in values and not values.get("database_url", "").startswith("mongodb"):
        raise ConfigError(
            "REDIS_URL: is for servers that share a MongoDB database, and this one has SQLite; leave it empty"
        )
    config = Config(secret_key=secret_key, **values | _values(env, SETTINGS), policy=_policy(env))
    _check_admin(config)
    if (fault := issuer_fault(config, create_users=config.policy.jwt_create_users)) is not None:
        raise ConfigError(fault)
    drain_max_s = config.shutdown_timeout_s - SHUTDOWN_LEAST_S
    if config.drain_s is not None and config.drain_s > drain_max_s:
        raise ConfigError(
            f"DRAIN_S: must be at most {drain_max_s:g}, which is SHUTDOWN_TIMEOUT_S minus {SHUTDOWN_LEAST_S}"
        )
    return config


def _check_admin(config: Config) -> None:
    """Raises: `ConfigError` for one of ADMIN_USERNAME and ADMIN_PASSWORD without the other, and a bad password."""
    if bool(config.admin_username) != bool(config.admin_password):
        missing, there = ("ADMIN_PASSWORD", "ADMIN_USERNAME")
        if config.admin_password:
            missing, there = there, missing
        raise ConfigError(f"{missing}: must be set, because {there} is")
    if config.admin_password:
        if not is_unicode(config.admin_password):
            raise ConfigError("ADMIN_PASSWORD: is not UTF-8 text")
        fault = password_fault(config.admin_password, config.policy.min_password_chars)
        if fault is not None:
            raise ConfigError(f"ADMIN_PASSWORD: {fault}")


def _values(env: Env, settings: Mapping[str, Read]) -> dict[str, Any]:
    """What is set of these, by name in lower case."""
    return {
        name.lower(): _value(name, read, text)
        for name, read in settings.items()
        if (text := _text(env, name))
    }


def _text(env: Env, name: str) -> str:
    return env.str(name, "").strip()


def _value(name: str, read: Read, text: str) -> Any:
    try:
        return read(text)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from None


def _policy(env: Env) -> Policy:
    policy = Policy(**_values(env, POLICY_SETTINGS))
    return policy if _value("RATE_LIMITS", switch, _text(env, "RATE_LIMITS") or "on") else policy.unlimited()


def _secret_key(env: Env, data_dir: Path, has_redis: bool) -> str:
    given = env.str("SECRET_KEY", "")
    if has_redis and not given:
        raise ConfigError("SECRET_KEY: must be set, the same on every node, when REDIS_URL is")
    try:
        return given_key(given) if given else kept_key(data_dir)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _make(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"DATA_DIR: cannot make {data_dir}: {error.strerror}") from None
