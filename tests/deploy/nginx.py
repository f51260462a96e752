"""A real nginx with the site of deploy/nginx."""

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from grp import getgrgid
from pathlib import Path
from pwd import getpwuid

from tests.clients.ports import HeldPort
from tests.clients.programs import need
from tests.patience import within

TEMPLATE = Path(__file__).parents[2] / "deploy" / "nginx" / "vestnik.conf.template"
MAIN = """
user {user}; daemon off; pid {folder}/pid; error_log {folder}/error;
events {{}}
http {{
    include /etc/nginx/mime.types; access_log {folder}/default;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {site}
}}
"""
PLACES = ("listen 3000", "/usr/share/nginx/html", "/dev/stdout", "/dev/stderr")
"""What lies elsewhere in a test."""

SERVER_LINE = re.compile(r"( *server )\$\{BACKEND\}(.*;)")
"""The line of the template that names the server; there is one for each of several."""


class Nginx:
    """nginx with the site of the template, over a folder with a client in it, before servers at these addresses."""

    def __init__(self, folder: Path, *backends: str) -> None:
        self.folder = folder
        self._held_port = HeldPort()
        self.port = self._held_port.number
        assets = folder / "client" / "assets"
        assets.mkdir(parents=True)
        (folder / "client" / "index.html").write_text("<!doctype html>the page")
        (assets / "app-1a2b.js").write_text("// a script\n" * 200)
        (folder / "client" / "manifest.webmanifest").write_text("{}")
        site = SERVER_LINE.sub(
            lambda line: "\n".join(f"{line[1]}{each}{line[2]}" for each in backends), TEMPLATE.read_text()
        )
        there = (f"listen 127.0.0.1:{self.port}", f"{folder}/client", f"{folder}/paths", f"{folder}/errors")
        for ours, theirs in zip(PLACES, there, strict=True):
            assert ours in site
            site = site.replace(ours, theirs)
        user = (
            f"{getpwuid(os.getuid()).pw_name} {getgrgid(os.getgid()).gr_name}"  # who may look into the folder
        )
        (folder / "nginx.conf").write_text(MAIN.format(user=user, folder=folder, site=site))
        self.command = [need("nginx"), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error")]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(*self.command)
        async with within(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    return

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    def logged(self) -> str:
        names = ("paths", "errors", "default", "error")
        return "".join((self.folder / name).read_text() for name in names if (self.folder / name).exists())


@asynccontextmanager
async def nginx_before(folder: Path, *backends: str) -> AsyncIterator[Nginx]:
    """nginx before servers at these addresses, while the context lasts."""
    nginx = Nginx(folder, *backends)
    tested = subprocess.run([*nginx.command, "-t"], capture_output=True, text=True, check=False)
    assert "test is successful" in tested.stderr, tested.stderr
    await nginx.start()
    try:
        yield nginx
    finally:
        await nginx.stop()
