"""The defaults of the contract, in a server without settings."""

from pathlib import Path
from typing import Any

import pytest

from server.config import ConfigError, load_config

DEFAULTS = {
    "max_content_chars": 10_000,
    "max_name_chars": 100,
    "max_frame_bytes": 128 * 1024,
    "messages_per_s": 50,
    "messages_burst": 500,
    "joins_per_s": 50,
    "joins_burst": 2000,
    "typing_per_s": 10,
    "status_per_s": 10,
    "login_failures_per_min": 10,
    "auth_calls_per_min": 300,
    "max_connections_per_user": 100,
    "min_password_chars": 8,
    "volatile_limit_bytes": 256 * 1024,
    "access_token_ttl_s": 24 * 3600,
    "refresh_token_ttl_s": 30 * 24 * 3600,
    "refresh_reuse_grace_s": 30,
    "presence_grace_s": 2,
    "registration": "open",
    "invites_register": "admins",
    "public_url": "",
    "buffer_limit_bytes": 1024 * 1024,
    "ping_interval_s": 25,
    "ping_timeout_s": 20,
    "algorithm": "HS256",
    "bcrypt_cost": 12,
    "port": 8000,
    "database_connect_timeout_s": 30,
    "shutdown_timeout_s": 10,
    "cors_origins": (),
    "trusted_proxies": (),
    "seed_demo": False,
    "log_format": "console",
}


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_a_default_is_the_documented_one(
    name: str, value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("PORT", "HOST", "DATA_DIR", "SECRET_KEY", "CI", name.upper()):
        monkeypatch.delenv(variable, raising=False)
    config = load_config()
    assert getattr(config if hasattr(config, name) else config.policy, name) == value


@pytest.mark.parametrize("value", ["0", "3.9", "-1", "nan", "inf", "soon"])
def test_a_stop_has_4_seconds_or_more(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHUTDOWN_TIMEOUT_S", value)
    with pytest.raises(ConfigError, match=r"^SHUTDOWN_TIMEOUT_S: [^\n]+$"):
        load_config()
    monkeypatch.setenv("SHUTDOWN_TIMEOUT_S", "4")
    assert load_config().shutdown_timeout_s == 4
