"""Real proxies that end TLS for `chat.example.org`, with the files of deploy/ and certificates that tests make."""

import asyncio
import os
import re
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from grp import getgrgid
from pathlib import Path
from pwd import getpwuid

from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.clients.ports import HeldPort
from tests.clients.programs import need
from tests.deploy.nginx import MAIN

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = "chat.example.org"
START_S = 30


class HttpsProxy:
    """A proxy before a server on this machine. Its own files, with its logs, are in the folder."""

    certificate: str
    """Whom clients have to trust, below the folder."""

    def __init__(self, folder: Path, backend: str) -> None:
        self.folder, self.backend = folder, backend
        self._held = HeldPort(), HeldPort()
        self.http_port, self.https_port = (port.number for port in self._held)
        folder.mkdir()

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.https_port}"

    def command(self) -> list[str]:
        """Writes the configuration; how to run the proxy with it, in the foreground."""
        raise NotImplementedError

    async def start(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "DOMAIN": NAME,
            "BACKEND": self.backend,
        }
        with (self.folder / "output").open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self.command(), stdout=output, stderr=output, env=environment
            )
        async with asyncio.timeout(START_S):
            while not await self._answers():
                assert self._process.returncode is None, self.logged()
                await asyncio.sleep(0.02)

    async def _answers(self) -> bool:
        if not (self.folder / self.certificate).exists():
            return False
        try:
            async with self.session() as http, http.get(f"{self.url}/health/live"):
                return True
        except OSError:
            return False

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    def session(self) -> ClientSession:
        """A client that finds the name here, and trusts the certificate and no other."""
        context = ssl.create_default_context(cafile=str(self.folder / self.certificate))
        return ClientSession(
            connector=TCPConnector(limit=0, ssl=context, resolver=Here()), cookie_jar=DummyCookieJar()
        )

    def logged(self) -> str:
        """Everything that the proxy wrote but for what it was given."""
        files = [
            path for path in self.folder.rglob("*") if path.is_file() and path.suffix not in (".pem", ".conf")
        ]
        return "".join(path.read_text(errors="replace") for path in files)


class Here(AbstractResolver):
    """Finds every name on this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Nothing is open."""


class NginxTls(HttpsProxy):
    """nginx with deploy/nginx/vestnik-tls.conf and a certificate that signs itself."""

    certificate = "certificate.pem"

    def command(self) -> list[str]:
        site = (DEPLOY / "nginx/vestnik-tls.conf").read_text()
        for ours, theirs in (
            (r"listen 80;\n *listen \[::\]:80;", f"listen 127.0.0.1:{self.http_port};"),
            (
                r"listen 443 ssl http2;\n *listen \[::\]:443 ssl http2;",
                f"listen 127.0.0.1:{self.https_port} ssl http2;",
            ),
            (r"/etc/letsencrypt/live/[^;]*/fullchain.pem", f"{self.folder}/certificate.pem"),
            (r"/etc/letsencrypt/live/[^;]*/privkey.pem", f"{self.folder}/key.pem"),
            (r"/var/log/nginx", str(self.folder)),
            (r"/var/www/letsencrypt", f"{self.folder}/letsencrypt"),
            (r"127\.0\.0\.1:8000", self.backend),
        ):
            site, found = re.subn(ours, theirs, site)
            assert found, ours
        challenge = self.folder / "letsencrypt/.well-known/acme-challenge/proof"
        challenge.parent.mkdir(parents=True)
        challenge.write_text("the proof")
        subprocess.run(
            [
                *(
                    need("openssl"),
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:P-256",
                    "-nodes",
                ),
                *("-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"),
                *("-keyout", self.folder / "key.pem", "-out", self.folder / "certificate.pem"),
            ],
            check=True,
            capture_output=True,
        )
        user = f"{getpwuid(os.getuid()).pw_name} {getgrgid(os.getgid()).gr_name}"
        (self.folder / "nginx.conf").write_text(MAIN.format(user=user, folder=self.folder, site=site))
        return [need("nginx"), "-c", str(self.folder / "nginx.conf"), "-e", str(self.folder / "error")]


class Caddy(HttpsProxy):
    """Caddy with deploy/caddy/Caddyfile, which makes the certificate itself, as no certificate authority knows the
    name."""

    certificate = "storage/pki/authorities/local/root.crt"

    def command(self) -> list[str]:
        text = (DEPLOY / "caddy/Caddyfile").read_text()
        ours = (
            f"admin off\nlocal_certs\nskip_install_trust\nhttp_port {self.http_port}\nhttps_port {self.https_port}\n"
            f"default_bind 127.0.0.1\nstorage file_system {self.folder}/storage\n"
        )
        (self.folder / "Caddyfile.conf").write_text(text.replace("\n{\n", "\n{\n" + ours, 1))
        return [
            *(
                need("caddy"),
                "run",
                "--adapter",
                "caddyfile",
                "--config",
                str(self.folder / "Caddyfile.conf"),
            ),
        ]


PROXIES = {"nginx": NginxTls, "caddy": Caddy}


@asynccontextmanager
async def proxy_before(kind: str, folder: Path, backend: str) -> AsyncIterator[HttpsProxy]:
    """The proxy before a server at this address, while the context lasts."""
    proxy = PROXIES[kind](folder, backend)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
