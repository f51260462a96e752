"""docs/deploy.md, walked through as a reader would: packages are built and installed, and the server that this makes is
used, restarted, backed up and restored."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from server import cli
from tests.clients.ports import HeldPort
from tests.clients.programs import need
from tests.clients.rest import RestClient
from tests.deploy.installing import (
    PACKAGES,
    ROOT,
    check_packages,
    check_pages,
    copy_checkout,
    lend_libraries,
)
from tests.deploy.pages import Shell, blocks
from tests.deploy.walks import AWAITED, NOT_RUN, STUBS, why_not

PAGE = "docs/deploy.md"


class Machine:
    """A folder that stands for the root of the file system of a server, and a checkout on another machine."""

    def __init__(self, place: Path) -> None:
        self.root, self.checkout, self.home = (place / name for name in ("root", "checkout", "home"))
        for folder in ("etc/systemd/system", "etc/caddy", "etc/cron.d", "var/lib", "var/backups", "opt"):
            (self.root / folder).mkdir(parents=True)
        self.home.mkdir()
        self._held = HeldPort()
        self.url = f"http://127.0.0.1:{self._held.number}"
        changed = {path: f"{self.root}{path}" for path in ("/opt/vestnik", "/etc/", "/var/", "/tmp/drill")}
        changed["127.0.0.1:8000"] = self.url.removeprefix("http://")
        self.shell = Shell(place / "shell", self.checkout, changed, STUBS)
        self.printed: dict[str, str] = {}

    async def walk(self, *, lent: bool) -> None:
        """Runs the page; `printed` has what each block printed, by its first line. `lent`: the server gets the
        libraries of this environment instead of installing its own."""
        copy_checkout(self.checkout)
        variables = {"R": str(self.root), **({"PIP_NO_DEPS": "1"} if lent else {})}
        for block in blocks(PAGE):
            if why_not(block) is not None:
                continue
            if block.startswith("cat >.env"):
                self.shell.here = self.checkout
            first = block.partition("\n")[0]
            self.printed[first] = await self.shell.run(block, **variables)
            if block.startswith("scp"):
                check_packages(self.checkout / "dist")
                for package in (self.checkout / "dist").glob("vestnik-*"):
                    shutil.copy(package, self.home)
                self.shell.here = self.home
            elif block.startswith("DOMAIN=") and lent:
                lend_libraries(self.root / "opt/vestnik")
            elif block.startswith("curl"):
                async with ClientSession() as http:
                    await check_pages(self.url, http)

    def close(self) -> None:
        stop = [str(self.shell.folder / "programs/systemctl"), "stop", "vestnik.service"]
        subprocess.run(stop, env={"R": str(self.root), "PATH": "/usr/bin:/bin"}, check=False)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    for program in ("bash", "make", "curl", "openssl"):
        need(program)
    machine = Machine(tmp_path)
    yield machine
    machine.close()


def test_every_block_is_run_or_has_a_reason() -> None:
    """And every reason has a block: a new block is run unless somebody says why not."""
    texts = [block for page in ("README.md", PAGE) for block in blocks(page)]
    assert len(texts) > 15
    for beginning in (*NOT_RUN, *AWAITED):
        assert any(text.startswith(beginning) for text in texts), beginning
    for name in re.findall(r"tests/\S+\.py", " ".join(NOT_RUN.values())):
        assert (ROOT / name).is_file(), name


def test_the_packages_have_no_files_but_python() -> None:
    """Others would be missing in the wheel, unless setup.py says otherwise."""
    files = [path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".py", ".pyc"}


@pytest.mark.parametrize(
    "lent", [True, pytest.param(False, marks=pytest.mark.long)], ids=["lent", "installed"]
)
async def test_a_reader_gets_a_server(machine: Machine, lent: bool) -> None:
    await machine.walk(lent=lent)
    printed = {first: text for first, text in machine.printed.items() if text}
    assert '"status": "ok"' in printed["curl -s http://127.0.0.1:8000/health/ready"]
    (setup,) = (text for first, text in printed.items() if first.startswith("journalctl"))
    assert re.fullmatch(r"  https://chat\.example\.org/setup\?code=\S+\n", setup)
    (created,) = (text for first, text in printed.items() if "user create vera" in first)
    async with ClientSession() as http:
        vera = RestClient(http, machine.url)
        answer = await vera.login("vera", created.split()[-1])
        assert answer["user"]["is_admin"]
        invite = await vera.post("/admin/invites", max_uses=1)
        assert invite["url"].startswith("https://chat.example.org/invite/")
        status, refused = await RestClient(http, machine.url).request(
            "POST", "/auth/register", json={"username": "tom", "password": "a long password"}
        )
        assert (status, list(refused["error"]["fields"])) == (422, ["invite"])
    assert (machine.root / "etc/caddy/Caddyfile").read_text() == (ROOT / "deploy/caddy/Caddyfile").read_text()
    if "backup" in cli._RUN:
        await the_backup_of_every_night(machine)
    settings = (machine.checkout / ".env").read_text()
    assert re.fullmatch(
        r"SECRET_KEY=[0-9a-f]{64}\nDOMAIN=chat\.example\.org\nREGISTRATION=invite\n"
        r"COMPOSE_FILE=docker-compose\.yml:docker-compose\.tls\.yml\n",
        settings,
    )
    assert (machine.checkout / ".env").stat().st_mode & 0o777 == 0o600


async def the_backup_of_every_night(machine: Machine) -> None:
    """Runs the line of cron, in which a percent sign has a backslash."""
    (line,) = (machine.root / "etc/cron.d/vestnik").read_text().splitlines()
    fields = line.split(maxsplit=6)
    assert fields[5] == "root"
    subprocess.run(["sh", "-c", fields[6].replace(r"\%", "%")], cwd=machine.home, check=True)
    made = sorted((machine.root / "var/backups/vestnik").iterdir())
    assert [bool(re.fullmatch(r"\d{4}-\d\d-\d\d|first", path.name)) for path in made] == [True, True]
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600}
