"""The package as somebody installs it: a wheel of this checkout, in a virtual environment of its own."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.clients.programs import need

ROOT = Path(__file__).parents[2]
BUILT_FROM = (
    *(
        "setup.cfg",
        "setup.py",
        "pyproject.toml",
        "MANIFEST.in",
        "README.md",
        "LICENSE",
        "docs",
        "frontend/dist",
    ),
    *("domain", "storage", "handlers", "client_compat", "server"),
)


def need_client() -> None:
    """Skips the test if the web client is not built; fails under CI=true."""
    if not (ROOT / "frontend/dist/index.html").is_file():
        need("the built web client")


def build_wheel(place: Path) -> Path:
    """A wheel of what is in this checkout now, built in a copy: nothing of an older build gets into it."""
    need_client()
    source = place / "source"
    for name in BUILT_FROM:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", str(place), str(source))
    (wheel,) = place.glob("vestnik-*.whl")
    return wheel


def pip(python: str | Path, *words: str) -> None:
    """Runs our own pip for that interpreter, which needs none."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=own_environment())
    assert done.returncode == 0, done.stdout + done.stderr


def own_environment() -> dict[str, str]:
    """What reaches the network and the user's caches, and nothing of this checkout."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or name.startswith(("PIP_", "SSL_", "UV_"))
    }


def lend_libraries(venv: Path) -> None:
    """Lets an environment import the libraries of ours, but not this checkout: editable installations are found by
    `.pth` files, which are not read there."""
    (folder,) = venv.glob("lib/python*/site-packages")
    (folder / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
