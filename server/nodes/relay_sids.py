"""Ids of Engine.IO sessions that name the node whose session it is."""

import hmac
import secrets

from server.nodes.relay_keys import derived_key, word

RANDOM_BYTES = 16
MAC_BYTES = 16


class SignedSids:
    """A sid is the incarnation of its node, a random word, and a signature of both, joined with dots. So a node
    sees without asking anybody that a sid is real, and whom to ask for its session."""

    def __init__(self, secret_key: str, incarnation: str) -> None:
        self._key = derived_key(secret_key, "sids")
        self._incarnation = incarnation

    def new(self) -> str:
        """A sid of this node."""
        text = f"{self._incarnation}.{word(secrets.token_bytes(RANDOM_BYTES))}"
        return f"{text}.{self._signature(text)}"

    def incarnation_of(self, sid: str) -> str | None:
        """Whose session it is; None if no node with this key has made the sid."""
        text, _, signature = sid.rpartition(".")
        if not sid.isascii() or not hmac.compare_digest(signature, self._signature(text)):
            return None
        return text.rpartition(".")[0]

    def _signature(self, text: str) -> str:
        return word(hmac.digest(self._key, text.encode(), "sha256")[:MAC_BYTES])
