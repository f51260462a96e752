"""The settings of the login of the users' own backend: what goes together, and the one line where it does not."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.config import Config, ConfigError, load_config
from tests.issuer.provider import pem, private_key

URL = "https://login.example.org/jwks.json"
GOOD = {"JWKS_URL": URL, "JWT_ISSUER": "https://login.example.org/", "JWT_AUDIENCE": "chat"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory, a public key in it, and no settings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "public.pem").write_bytes(pem(private_key("ES256")))
    (tmp_path / "text.pem").write_text("no key")
    environment = dict(os.environ)
    os.environ.clear()
    os.environ["SECRET_KEY"] = "a secret"
    yield tmp_path
    os.environ.clear()
    os.environ.update(environment)


def loaded(**settings: str) -> Config:
    os.environ.update(settings)
    return load_config()


def test_a_backend_is_named_by_three_settings() -> None:
    config = loaded(**GOOD, JWT_CREATE_USERS="on")
    assert (config.jwks_url, config.jwt_issuer, config.jwt_audience) == tuple(GOOD.values())
    assert config.policy.jwt_create_users
    del os.environ["JWKS_URL"], os.environ["JWT_CREATE_USERS"]
    config = loaded(JWT_PUBLIC_KEY_FILE="public.pem")
    assert (config.jwt_public_key_file, config.jwks_url) == (Path("public.pem"), "")
    assert not config.policy.jwt_create_users


KEYS = "needs JWKS_URL or JWT_PUBLIC_KEY_FILE beside it"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({**GOOD, "JWT_ISSUER": ""}, "JWT_ISSUER: must be set, because JWKS_URL is"),
        ({**GOOD, "JWT_AUDIENCE": " "}, "JWT_AUDIENCE: must be set, because JWKS_URL is"),
        (
            {**GOOD, "JWKS_URL": "", "JWT_PUBLIC_KEY_FILE": "public.pem", "JWT_ISSUER": ""},
            "JWT_ISSUER: must be set, because JWT_PUBLIC_KEY_FILE is",
        ),
        ({"JWKS_URL": URL}, "JWT_ISSUER: must be set, because JWKS_URL is"),
        ({"JWT_ISSUER": "x"}, f"JWT_ISSUER: {KEYS}"),
        ({"JWT_AUDIENCE": "x"}, f"JWT_AUDIENCE: {KEYS}"),
        ({"JWT_CREATE_USERS": "on"}, f"JWT_CREATE_USERS: {KEYS}"),
        ({"JWT_CREATE_USERS": "perhaps"}, "JWT_CREATE_USERS: must be on or off"),
        (
            {**GOOD, "JWT_PUBLIC_KEY_FILE": "public.pem"},
            "JWT_PUBLIC_KEY_FILE: must not be set beside JWKS_URL; the keys come from one of them",
        ),
        ({"JWKS_URL": "login.example.org"}, f"JWKS_URL: must be a URL such as {URL}"),
        ({"JWKS_URL": "file:///etc/passwd"}, f"JWKS_URL: must be a URL such as {URL}"),
        ({"JWKS_URL": "https://"}, f"JWKS_URL: must be a URL such as {URL}"),
        ({"JWKS_URL": "https://a b/"}, f"JWKS_URL: must be a URL such as {URL}"),
        (
            {"JWKS_URL": "https://name:word@host/"},
            f"JWKS_URL: must have neither a name before the host nor a part after #, such as {URL}",
        ),
        (
            {"JWT_PUBLIC_KEY_FILE": "nowhere.pem"},
            "JWT_PUBLIC_KEY_FILE: cannot read nowhere.pem: No such file or directory",
        ),
        ({"JWT_PUBLIC_KEY_FILE": "."}, "JWT_PUBLIC_KEY_FILE: cannot read .: Is a directory"),
        (
            {"JWT_PUBLIC_KEY_FILE": "text.pem"},
            "JWT_PUBLIC_KEY_FILE: text.pem: it is no public key in PEM",
        ),
    ],
)
def test_what_does_not_go_together_stops_the_start_with_one_line(settings: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(**settings)
    assert str(raised.value) == says
