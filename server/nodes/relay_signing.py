"""Signatures of what nodes hand on to each other, and of the answers."""

import hmac
from hashlib import sha256

from domain.frozen import frozen
from server.nodes.relay_keys import derived_key, word

HEADER = "X-Vestnik-Relay"

FORM = "1"
"""The version of the header's form."""

MAC_BYTES = 32

NOBODY = "-"
"""Stands for the address of a client where there is none."""


class Forged(Exception):
    """No node with this key has signed it, or not for this."""


@frozen
class Claim:
    """What a node says about a request that it hands on: the incarnations of both nodes, a number that it gives to
    no other request, and the address of the client."""

    sender: str
    recipient: str
    number: int
    address: str

    @property
    def text(self) -> str:
        return f"{FORM} {self.sender} {self.recipient} {self.number} {self.address or NOBODY}"


class Signer:
    """Signs and checks headers with keys made of `SECRET_KEY`."""

    def __init__(self, secret_key: str) -> None:
        self._requests = derived_key(secret_key, "requests")
        self._bodies = derived_key(secret_key, "bodies")
        self._answers = derived_key(secret_key, "answers")

    def request(self, claim: Claim, method: str, target: str) -> str:
        """The header of a request with this method, path and query."""
        return f"{claim.text} {_sign(self._requests, claim.text, method, target)}"

    def read_request(self, header: str, method: str, target: str) -> Claim:
        """Raises: `Forged`."""
        text, _, signature = header.rpartition(" ")
        if not _is(signature, _sign(self._requests, text, method, target)):
            raise Forged
        form, sender, recipient, number, address = text.split(" ", 4)  # an IPv6 zone may be any text
        if form != FORM:
            raise Forged
        return Claim(sender, recipient, int(number), "" if address == NOBODY else address)

    def body(self, claim: Claim) -> hmac.HMAC:
        """What the body of the request is to be fed to; its digest follows the body."""
        return hmac.new(self._bodies, claim.text.encode(), sha256)

    def answer(self, claim: Claim, status: int, *, known: bool) -> str:
        """The header of the answer to a request; `known`: its session has been recognized."""
        text = f"{FORM} {int(known)}"
        return f"{text} {_sign(self._answers, text, claim.text, str(status))}"

    def read_answer(self, header: str, claim: Claim, status: int) -> bool:
        """Whether the session has been recognized. Raises: `Forged` for an answer to another request, or of somebody
        else."""
        text, _, signature = header.rpartition(" ")
        if not _is(signature, _sign(self._answers, text, claim.text, str(status))):
            raise Forged
        return text == f"{FORM} 1"


def _sign(key: bytes, *parts: str) -> str:
    """None of the parts has a line break: they come from lines of HTTP."""
    return word(hmac.digest(key, "\n".join(parts).encode("utf-8", "surrogateescape"), "sha256"))


def _is(signature: str, expected: str) -> bool:
    return hmac.compare_digest(signature.encode("utf-8", "surrogateescape"), expected.encode())
