"""The Go programs of the tests. Each is built when it is first needed, into a cache outside of the tree."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest


class Missing(Exception):
    """A program cannot be had; the text says what is missing."""


def build(folder: Path) -> Path:
    """The program whose sources are in `folder`, built unless the cache has it for these sources. A first build may
    download modules, and takes up to two minutes.

    Raises: `Missing`.
    """
    sources = sorted(path for path in folder.iterdir() if path.suffix in (".go", ".mod", ".sum"))
    version = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vestnik"
    program = cache / f"{folder.name}-{version}"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        raise Missing(f"no go to build {folder.name} with")
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = program.with_suffix(f".{os.getpid()}")
    done = subprocess.run(
        [go, "build", "-o", unfinished, "."], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Missing(f"{folder.name} cannot be built: {done.stderr}")
    unfinished.rename(program)
    return program


def need_built(folder: Path) -> Path:
    """As `build`; a program that cannot be had skips the test, and fails it under CI=true."""
    try:
        return build(folder)
    except Missing as missing:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(missing))
