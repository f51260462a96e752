"""The packages of this checkout, and the server that somebody gets who installs them."""

import re
import shutil
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

from aiohttp import ClientSession

from tests.clients.programs import need

ROOT = Path(__file__).parents[2]
PACKAGES = ("server", "handlers", "storage", "domain", "client_compat")
BUILT_FROM = (
    *(
        "Makefile",
        "constraints.txt",
        "setup.cfg",
        "setup.py",
        "pyproject.toml",
        "MANIFEST.in",
        ".env.example",
    ),
    *("README.md", "LICENSE", "docs", "deploy", "frontend/dist", *PACKAGES),
)


def copy_checkout(place: Path) -> None:
    """Copies what the packages are built from, with the environment of this checkout beside it. Without a built client
    the test is skipped; under CI=true it fails."""
    if not (ROOT / "frontend/dist/index.html").is_file():
        need("the built web client")
    for name in BUILT_FROM:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "images"))
        else:
            shutil.copy(ROOT / name, place / name)
    (place / ".venv").symlink_to(sys.prefix)


def check_packages(folder: Path) -> None:
    """Both packages have all modules, the client and the pages; the archive what runs a server, too."""
    (wheel,), (archive,) = folder.glob("vestnik-*.whl"), folder.glob("vestnik-*.tar.gz")
    dist = ROOT / "frontend/dist"
    client = {path.relative_to(dist).as_posix() for path in dist.rglob("*") if path.is_file()}
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    modules = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
    assert names == (
        modules | {f"server/web_client/{name}" for name in client} | {f"server/docs/{name}" for name in pages}
    )
    with tarfile.open(archive) as unpacked:
        files = {name.partition("/")[2] for name in unpacked.getnames()}
    assert modules | {f"frontend/dist/{name}" for name in client} | {".env.example"} <= files
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "deploy").rglob("*") if path.is_file()} <= files
    assert not any(name.startswith("tests") for name in files)


def lend_libraries(venv: Path) -> None:
    """Lets an environment import the libraries of ours, but not this checkout: editable installations are found by
    `.pth` files, which are not read there."""
    (folder,) = venv.glob("lib/python*/site-packages")
    (folder / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")


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
