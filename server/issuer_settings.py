"""Which settings of the login of the users' own backend go together."""

from typing import Protocol


class IssuerSettings(Protocol):
    """What is set; empty: not."""

    @property
    def jwks_url(self) -> str: ...

    @property
    def jwt_public_key_file(self) -> object: ...

    @property
    def jwt_issuer(self) -> str: ...

    @property
    def jwt_audience(self) -> str: ...


_KEYS = ("JWKS_URL", "JWT_PUBLIC_KEY_FILE")

_CLAIMS = ("JWT_ISSUER", "JWT_AUDIENCE")


def issuer_fault(settings: IssuerSettings, *, create_users: bool) -> str | None:
    """What is wrong with the settings together, in one line that names one; None if nothing."""
    keys = [name for name in _KEYS if getattr(settings, name.lower())]
    claims = [name for name in _CLAIMS if getattr(settings, name.lower())]
    if len(keys) > 1:
        return "JWT_PUBLIC_KEY_FILE: must not be set beside JWKS_URL; the keys come from one of them"
    if keys:
        missing = [name for name in _CLAIMS if name not in claims]
        return f"{missing[0]}: must be set, because {keys[0]} is" if missing else None
    wanted = [*claims, *(["JWT_CREATE_USERS"] if create_users else [])]
    return f"{wanted[0]}: needs JWKS_URL or JWT_PUBLIC_KEY_FILE beside it" if wanted else None
