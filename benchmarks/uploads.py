"""Measures the memory that uploads take: `python -m benchmarks.uploads [FILES]`, on Linux.

The server of this checkout, on SQLite, with its files in a folder of the temporary directory, gets many files of 25 MiB
at once, from ten users; then the largest pictures that it decodes, eight of each kind at once. Shown is how far the RSS
of the server rises above that of a server that has taken one small file and one small picture.
"""

import asyncio
import io
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout, FormData, TCPConnector
from PIL import Image

from benchmarks.vestnik import serving

MIB = 1024 * 1024
FILE_BYTES = 25 * MIB
USERS = 10
PICTURES = 8
SIDE_PX = 8000
PASSWORD = "correct horse battery"  # noqa: S105 -- of users who are gone at the end


def show(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Process:
    """The memory of a process, by what the system says of it."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        self.before_mib = 0.0

    def begin(self) -> None:
        """Forgets the highest RSS so far; what comes is compared with the present one."""
        (self._folder / "clear_refs").write_text("5")
        self.before_mib = self._field("VmRSS")

    def rise_mib(self) -> float:
        return self._field("VmHWM") - self.before_mib

    def _field(self, name: str) -> float:
        lines = (self._folder / "status").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith(f"{name}:"))
        return int(line.split()[1]) / 1024


class Sender:
    """A user who sends files."""

    def __init__(self, http: ClientSession, url: str, token: str) -> None:
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def send(self, body: Any) -> None:
        """Raises: `RuntimeError` for a file that is not taken."""
        form = FormData()
        form.add_field("file", body, filename="file")
        async with self._http.post(f"{self._url}/api/uploads", data=form, headers=self._headers) as answer:
            if answer.status != 201:
                raise RuntimeError(f"{answer.status}: {await answer.text()}")


async def senders(http: ClientSession, url: str) -> Sequence[Sender]:
    found = []
    for number in range(USERS):
        account = {"username": f"user{number}", "password": PASSWORD}
        await http.post(f"{url}/api/auth/register", json=account)
        async with http.post(f"{url}/api/auth/login", json=account) as answer:
            found.append(Sender(http, url, (await answer.json())["access_token"]))
    return found


async def large_file() -> AsyncIterator[bytes]:
    piece = bytes(range(256)) * 256
    for _ in range(FILE_BYTES // len(piece)):
        yield piece


def pictures() -> dict[str, bytes]:
    """The largest ones that are allowed, by kind."""
    noise = Image.effect_noise((1000, 1000), 20).resize((SIDE_PX, SIDE_PX))
    kinds: dict[str, tuple[Image.Image, str, dict[str, Any]]] = {
        "PNG with alpha": (
            Image.new("RGBA", (SIDE_PX, SIDE_PX), (9, 9, 9, 99)),
            "PNG",
            {"compress_level": 1},
        ),
        "JPEG": (noise.convert("RGB"), "JPEG", {"quality": 40}),
        "progressive JPEG, 4:2:0": (noise.convert("RGB"), "JPEG", {"quality": 40, "progressive": True}),
        "GIF": (Image.new("P", (SIDE_PX, SIDE_PX)), "GIF", {}),
        "WebP of 16 million pixels": (
            noise.resize((4000, 4000)).convert("RGB"),
            "WEBP",
            {"method": 0, "quality": 60},
        ),
    }
    made = {}
    for name, (image, file_format, options) in kinds.items():
        file = io.BytesIO()
        image.save(file, file_format, **options)
        made[name] = file.getvalue()
    return made


async def measure(url: str, process: Process, files: int) -> None:
    timeout = ClientTimeout(total=None)
    async with ClientSession(connector=TCPConnector(limit=0), timeout=timeout) as http:
        users = await senders(http, url)
        small = io.BytesIO()
        Image.new("RGB", (64, 64)).save(small, "PNG")
        await users[0].send(b"x" * 1000)
        await users[0].send(small.getvalue())
        await measured(
            process,
            f"{files} files of {FILE_BYTES // MIB} MiB",
            *(users[number % USERS].send(large_file()) for number in range(files)),
        )
        for name, content in pictures().items():
            title = f"{PICTURES} pictures, {name} ({len(content) / MIB:.1f} MiB)"
            sends = (users[number % USERS].send(io.BytesIO(content)) for number in range(PICTURES))
            await measured(process, title, *sends)


async def measured(process: Process, title: str, *sends: Any) -> None:
    process.begin()
    began_s = time.perf_counter()
    await asyncio.gather(*sends)
    took_s = time.perf_counter() - began_s
    show(f"{title}, at once: {process.rise_mib():+.0f} MiB above {process.before_mib:.0f}, {took_s:.1f} s")


def main(files: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), UPLOAD_QUOTA_BYTES="0") as (port, pid),
    ):
        asyncio.run(measure(f"http://127.0.0.1:{port}", Process(pid), files))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
