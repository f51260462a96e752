"""The environment, read once into one frozen `Config`; a setting that is wrong is named in one line."""

import os
import secrets
from dataclasses import field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from environs import Env, EnvError
from marshmallow import ValidationError, validate

from domain.frozen import frozen
from handlers.policy import Policy

SECRET_BYTES_MIN = 32
"""HMAC-SHA-256 keys below this are weaker than the hash (RFC 7518, 3.2)."""


SHUTDOWN_LEAST_S = 4
"""Two for the close handshakes, and as much for the open requests and the store."""

WEB_CLIENT_DIR = Path(__file__).parent.parent / "frontend" / "dist"
"""Where a checkout has its web client, once that is built."""

DEFAULT_HOST = "0.0.0.0"  # noqa: S104 -- a server is there to be reached


class ConfigError(Exception):
    """A setting that is wrong, said in one line that names it."""


@frozen
class Config:
    """Everything that can be set. Units are in the names; .env.example says what each means."""

    secret_key: str = field(repr=False)
    data_dir: Path = Path("data")
    web_client_dir: Path = WEB_CLIENT_DIR
    database_url: str = field(default="", repr=False)
    algorithm: Literal["HS256", "HS384", "HS512"] = "HS256"
    database_connect_timeout_s: float = 30
    host: str = DEFAULT_HOST
    port: int = 8000
    redis_url: str = field(default="", repr=False)
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    log_level: str = "INFO"
    log_format: Literal["console", "json"] = "console"
    seed_demo: bool = False
    bcrypt_cost: int = 12
    shutdown_timeout_s: float = 10
    ping_interval_s: int = 25
    ping_timeout_s: int = 20
    buffer_limit_bytes: int = 1024 * 1024
    unsent_answers_limit_bytes: int = 32 * 1024 * 1024
    policy: Policy = field(default_factory=Policy)

    def store_url(self) -> str:
        """Where the store is: `DATABASE_URL`, else a SQLite file in `DATA_DIR`."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'vestnik.db'}"


def load_config(*, env_file: Path | None = None) -> Config:
    """Reads the environment, after `.env` in the working directory or `env_file` if there is one.

    Raises: `ConfigError`.
    """
    env = Env(eager=True)
    path = env_file or Path(".env")
    if path.is_file():
        try:
            env.read_env(str(path), recurse=False)
        except UnicodeDecodeError:
            raise ConfigError(f"{path}: is not UTF-8 text") from None
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        return _read(env)
    except EnvError as error:
        raise ConfigError(_one_line(error)) from None


def _read(env: Env) -> Config:
    data_dir = Path(env.str("DATA_DIR", "") or "data")
    redis_url = _url(env, "REDIS_URL", ("redis", "rediss", "unix"))
    secret_key = _secret_key(env, data_dir, redis_url)
    database_url = _url(env, "DATABASE_URL", ("sqlite", "mongodb", "mongodb+srv"))
    if not database_url:
        _make(data_dir)
    if redis_url:
        raise ConfigError("REDIS_URL: more than one node is not supported by this version; leave it empty")
    return Config(
        secret_key=secret_key,
        data_dir=data_dir,
        web_client_dir=_web_client_dir(env),
        database_url=database_url,
        algorithm=_choice(env, "ALGORITHM", "HS256", ("HS256", "HS384", "HS512")),
        database_connect_timeout_s=_number(env, "DATABASE_CONNECT_TIMEOUT_S", 30, least=0),
        host=env.str("HOST", "") or DEFAULT_HOST,
        port=_integer(env, "PORT", 8000, least=0, most=65535),
        redis_url=redis_url,
        cors_origins=_origins(env),
        trusted_proxies=_networks(env),
        log_level=_choice(
            env, "LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), fold=str.upper
        ),
        log_format=_choice(env, "LOG_FORMAT", "console", ("console", "json"), fold=str.lower),
        seed_demo=_switch(env, "SEED_DEMO", False),
        bcrypt_cost=_integer(env, "BCRYPT_COST", 12, least=4, most=31),
        shutdown_timeout_s=_number(env, "SHUTDOWN_TIMEOUT_S", 10, least=SHUTDOWN_LEAST_S),
        ping_interval_s=_integer(env, "PING_INTERVAL_S", 25, least=1),
        ping_timeout_s=_integer(env, "PING_TIMEOUT_S", 20, least=1),
        buffer_limit_bytes=_integer(env, "BUFFER_LIMIT_BYTES", 1024 * 1024, least=1024),
        unsent_answers_limit_bytes=_integer(
            env, "UNSENT_ANSWERS_LIMIT_BYTES", 32 * 1024 * 1024, least=1024 * 1024
        ),
        policy=_policy(env),
    )


def _web_client_dir(env: Env) -> Path:
    given = env.str("WEB_CLIENT_DIR", "").strip()
    if given and not (Path(given) / "index.html").is_file():
        raise ConfigError(f"WEB_CLIENT_DIR: there is no index.html in {given}: it is no built web client")
    return Path(given) if given else WEB_CLIENT_DIR


def _policy(env: Env) -> Policy:
    default = Policy()
    least = {
        "max_frame_bytes": 1024,
        "max_content_chars": 1,
        "max_name_chars": 1,
        "min_password_chars": 1,
        "access_token_ttl_s": 1,
        "refresh_token_ttl_s": 1,
        "messages_burst": 1,
        "joins_burst": 1,
        "changes_burst": 1,
        "marks_burst": 1,
        "queries_burst": 1,
        "volatile_limit_bytes": 1024,
    }
    values: dict[str, Any] = {}
    for entry in fields(Policy):
        preset = getattr(default, entry.name)
        if entry.type is int:
            values[entry.name] = _integer(env, entry.name.upper(), preset, least=least.get(entry.name, 0))
        elif entry.type is float:
            values[entry.name] = _number(env, entry.name.upper(), preset, least=least.get(entry.name, 0))
    values["registration_open"] = (
        _choice(env, "REGISTRATION", "open", ("open", "closed"), fold=str.lower) == "open"
    )
    policy = Policy(**values)
    return policy if _switch(env, "RATE_LIMITS", True) else policy.unlimited()


def _secret_key(env: Env, data_dir: Path, redis_url: str) -> str:
    """The key of all tokens: set, or generated once and kept in `DATA_DIR` with mode 0600."""
    given = env.str("SECRET_KEY", "")
    if given:
        if not _is_unicode(given):
            raise ConfigError("SECRET_KEY: is not UTF-8 text")
        return given
    if redis_url:
        raise ConfigError("SECRET_KEY: must be set, the same on every node, when REDIS_URL is")
    path = secret_key_file(data_dir)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(48))
        key = path.read_text("utf-8").strip()
    except UnicodeDecodeError:
        raise ConfigError(
            f"SECRET_KEY: {path} is not UTF-8 text; put the right file back, or delete it to have a new key made, with"
            " which everybody has to log in again"
        ) from None
    except OSError as error:
        raise ConfigError(f"DATA_DIR: cannot keep a secret key in {data_dir}: {error.strerror}") from None
    if not key:
        raise ConfigError(f"SECRET_KEY: {path} is empty; delete it to have a new key made")
    return key


def secret_key_file(data_dir: Path) -> Path:
    """Where a key is kept that was generated."""
    return data_dir / "secret_key"


def _is_unicode(text: str) -> bool:
    """False for bytes of the environment that are no UTF-8: Python makes lone surrogates of them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _make(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"DATA_DIR: cannot make {data_dir}: {error.strerror}") from None


def _write_once(path: Path, text: str) -> None:
    """Writes a file that only its owner reads and that is never there in part; who comes second changes nothing."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def _choice(env: Env, name: str, default: str, allowed: tuple[str, ...], fold: Any = str) -> Any:
    value = fold((env.str(name, "") or default).strip())
    if value not in allowed:
        raise ConfigError(f"{name}: must be one of {', '.join(allowed)}")
    return value


def _switch(env: Env, name: str, default: bool) -> bool:
    text = env.str(name, "").strip().lower()
    if not text:
        return default
    if text in ("on", "1", "true", "yes"):
        return True
    if text in ("off", "0", "false", "no"):
        return False
    raise ConfigError(f"{name}: must be on or off")


def _integer(env: Env, name: str, default: int, *, least: int, most: int = 10**9) -> int:
    if not env.str(name, "").strip():
        return default
    return env.int(name, validate=validate.Range(least, most))


def _number(env: Env, name: str, default: float, *, least: float) -> float:
    if not env.str(name, "").strip():
        return default
    return env.float(name, validate=validate.Range(least, 1e9))


def _url(env: Env, name: str, schemes: tuple[str, ...]) -> str:
    url = env.str(name, "").strip()
    if url and url.split("://")[0] not in schemes:
        raise ConfigError(f"{name}: must start with one of {', '.join(scheme + '://' for scheme in schemes)}")
    return url


def _origins(env: Env) -> tuple[str, ...]:
    origins = []
    for text in env.str("CORS_ORIGINS", "").split(","):
        origin = text.strip().rstrip("/")
        if origin == "*":
            return ()
        if not origin:
            continue
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
            raise ConfigError(f"CORS_ORIGINS: {origin!r} is not an origin such as https://chat.example.org")
        origins.append(origin.lower())
    return tuple(origins)


def _networks(env: Env) -> tuple[IPv4Network | IPv6Network, ...]:
    networks = []
    for text in env.str("TRUSTED_PROXIES", "").split(","):
        if text.strip():
            try:
                networks.append(ip_network(text.strip(), strict=False))
            except ValueError:
                raise ConfigError(f"TRUSTED_PROXIES: {text.strip()!r} is no address or network") from None
    return tuple(networks)


def _one_line(error: EnvError) -> str:
    """`PORT: must be an integer`, out of what environs says."""
    cause = error.__cause__
    name = str(error).split('"')[1] if '"' in str(error) else "settings"
    messages = cause.messages if isinstance(cause, ValidationError) else [str(error)]
    flat = messages if isinstance(messages, list) else [str(messages)]
    return f"{name}: {' '.join(str(message) for message in flat)}"
