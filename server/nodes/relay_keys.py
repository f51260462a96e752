"""Keys that the nodes of a store share without telling each other: each purpose has one of its own."""

import base64
import hmac


def derived_key(secret_key: str, purpose: str) -> bytes:
    """The key of a purpose. It says nothing about `SECRET_KEY`, nor about the key of another purpose."""
    return hmac.digest(secret_key.encode(), f"vestnik relay: {purpose}".encode(), "sha256")


def word(data: bytes) -> str:
    """Bytes as text that can stand in a URL and in a header."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
