"""An installed wheel serves everything that a checkout serves, from an empty folder and without Node."""

import asyncio
import re
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.clients.programs import need
from tests.deploy.installing import ROOT, build_wheel, lend_libraries, need_client, own_environment, pip

PACKAGES = ("server", "handlers", "storage", "domain", "client_compat")


@asynccontextmanager
async def installed_server(program: Path, place: Path) -> AsyncIterator[tuple[str, ClientSession]]:
    """Runs an installed `vestnik` in a folder in which nothing else is, with a PATH on which nothing is; its URL."""
    process = await asyncio.create_subprocess_exec(
        program,
        cwd=place,
        env={"PATH": "", "HOST": "127.0.0.1", "PORT": "0", "SEED_DEMO": "on", "BCRYPT_COST": "4"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60), ClientSession() as http:
            async for line in process.stdout:
                if found := re.search(rb"serving.*(http://127\.0\.0\.1:\d+)", line):
                    yield found[1].decode(), http
                    break
    finally:
        process.terminate()
        await process.communicate()


async def check_pages(url: str, http: ClientSession) -> None:
    """Asks for everything that is read from files, or made of what is installed."""
    async with http.get(f"{url}/") as answer:
        page = await answer.text()
    assets = re.findall(r'(?:src|href)="(/[^"]+)"', page)
    assert any(asset.startswith("/assets/") for asset in assets)
    pages = ("/chats/1", "/docs", "/docs/protocol", "/docs/deploy", "/socket.io/socket.io.esm.min.js")
    for path in (*assets, *pages, "/api/openapi.json", "/api/asyncapi.json"):
        async with http.get(url + path) as answer:
            assert (answer.status, len(await answer.read()) > 100) == (200, True), path


def test_the_packages_have_no_files_but_python() -> None:
    """Others would be missing in the wheel, unless setup.py says otherwise."""
    others = [
        path
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    assert others == []


async def test_a_wheel_without_its_dependencies(tmp_path: Path) -> None:
    """They are lent, which saves their installation."""
    wheel = build_wheel(tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    dist = ROOT / "frontend" / "dist"
    client = {path.relative_to(dist).as_posix() for path in dist.rglob("*") if path.is_file()}
    assert {name.removeprefix("server/web_client/") for name in names if "/web_client/" in name} == client
    modules = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    venv, empty = tmp_path / "venv", tmp_path / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    pip(venv / "bin/python", "install", "--no-deps", str(wheel))
    lend_libraries(venv)
    empty.mkdir()
    async with installed_server(venv / "bin/vestnik", empty) as (url, http):
        await check_pages(url, http)
    assert [path.name for path in empty.iterdir()] == ["data"]


@pytest.mark.long
async def test_what_make_wheel_builds_is_installed_with_all_it_needs(tmp_path: Path) -> None:
    """Both files, in a copy of the checkout, as `make wheel` leaves them in dist/."""
    need_client()
    copied = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, copied], check=True)
    subprocess.run(["cp", "-r", ROOT / "frontend/dist", copied / "frontend/dist"], check=True)
    there = ["-o", ".venv/run", "-o", "frontend/dist/index.html"]
    subprocess.run([sys.executable, "-m", "venv", copied / ".venv"], check=True)
    subprocess.run([need("make"), *there, "wheel"], cwd=copied, check=True, env=own_environment())
    packages = sorted((copied / "dist").glob("vestnik-*"))
    assert [path.suffix for path in packages] == [".whl", ".gz"]
    for number, package in enumerate(packages):
        venv, empty = tmp_path / f"venv{number}", tmp_path / f"empty{number}"
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip(venv / "bin/python", "install", str(package))
        empty.mkdir()
        async with installed_server(venv / "bin/vestnik", empty) as (url, http):
            await check_pages(url, http)
