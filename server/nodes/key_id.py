"""The fingerprint of the key that all servers of a store share."""

import hashlib
import hmac


def key_id_of(secret_key: str, store_id: str) -> str:
    """A word that differs between keys, and from which nobody finds the key without trying keys."""
    return hmac.new(secret_key.encode(), b"vestnik key of " + store_id.encode(), hashlib.sha256).hexdigest()[
        :32
    ]
