"""A certificate for `localhost` that nobody trusts but those who are given its file."""

import ssl
import subprocess
from pathlib import Path

from tests.clients.programs import need


class Certificates:
    """`ca_file` is what a client has to trust."""

    def __init__(self, folder: Path) -> None:
        self.ca_file, self._key_file = folder / "certificate.pem", folder / "key.pem"
        words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=hooks"
        names = ["-addext", "subjectAltName=DNS:localhost"]
        files = ["-out", str(self.ca_file), "-keyout", str(self._key_file)]
        subprocess.run([need("openssl"), *words.split(), *names, *files], check=True, capture_output=True)

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, self._key_file)
        return context
