"""Links to files: paths from the root, signed, the same for everybody for some hours."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping

UPLOADS = "/api/uploads/"
AVATARS = "/api/avatars/"

GOOD_S = 24 * 3600
"""How long a link is good at least."""

STEP_S = 12 * 3600
"""Links that are made in the same step end at the same time, so they are the same, and caches know them. A link is good
for up to this much longer than `GOOD_S`."""

EXPIRES = "expires"
SIGNATURE = "signature"
"""The names in the query of a link."""

_DIGITS_MAX = 12


class FileLinks:
    """Makes and checks links under a key that has no other purpose. All nodes of a store have the same key, and so make
    the same links. `unix_s` is the time of day."""

    def __init__(self, key: bytes, unix_s: Callable[[], float]) -> None:
        self._key = key
        self._unix_s = unix_s

    def upload(self, upload_id: str) -> str:
        """The link to an upload."""
        return self._link(UPLOADS + upload_id)

    def thumbnail(self, upload_id: str) -> str:
        """The link to the thumbnail of an upload."""
        return self._link(f"{UPLOADS}{upload_id}/thumbnail")

    def _link(self, path: str) -> str:
        expires = (int(self._unix_s()) // STEP_S + 1) * STEP_S + GOOD_S
        return f"{path}?{EXPIRES}={expires}&{SIGNATURE}={self._signature(path, str(expires))}"

    def is_signed(self, query: Mapping[str, str]) -> bool:
        """Whether a request comes by a link, good or not."""
        return SIGNATURE in query or EXPIRES in query

    def is_good(self, path: str, query: Mapping[str, str]) -> bool:
        """Whether this is a link that was made here, or at another node, and has not expired."""
        expires, signature = query.get(EXPIRES, ""), query.get(SIGNATURE, "")
        right = hmac.compare_digest(
            self._signature(path, expires).encode(), signature.encode(errors="replace")
        )
        return right and len(expires) <= _DIGITS_MAX and self._unix_s() < int(expires)

    def _signature(self, path: str, expires: str) -> str:
        text = f"{path}\0{expires}".encode(errors="replace")
        return urlsafe_b64encode(hmac.digest(self._key, text, "sha256")).rstrip(b"=").decode()


def avatar_url(avatar_id: str | None) -> str | None:
    """The path of an avatar, which needs no signature: its id cannot be guessed."""
    return None if avatar_id is None else AVATARS + avatar_id
