"""The signature of what is published together: who can publish on the Redis server, and does not have `SECRET_KEY`, can
put no message on anybody's screen."""

import hmac

from server.nodes.relay_keys import derived_key

MAC_BYTES = 16


class Unsealed(ValueError):
    """No node with this key, on this channel, has published it."""


class Seal:
    """Signs and checks bytes that are published on a channel. HMAC-SHA256 takes 2 µs for one event, and 0.6 µs an event
    for many of them."""

    def __init__(self, secret_key: str, channel: str) -> None:
        self._key = derived_key(secret_key, f"bus {channel}")

    def close(self, data: bytes) -> bytes:
        """The data behind its signature."""
        return self._mac(data) + data

    def open(self, sealed: bytes) -> bytes:
        """The data behind the signature. Raises: `Unsealed`."""
        data = sealed[MAC_BYTES:]
        if not hmac.compare_digest(sealed[:MAC_BYTES], self._mac(data)):
            raise Unsealed("the signature is not good")
        return data

    def _mac(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, "sha256")[:MAC_BYTES]
