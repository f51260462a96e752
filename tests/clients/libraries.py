"""Client libraries of other versions and languages, installed once into a cache outside the tree."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vestnik"
_INSTALL_S = 900


def python_packages(*requirements: str) -> Path:
    """A folder for PYTHONPATH with these packages and what they need."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--target"]
    return _cached("python", requirements, lambda folder: _run([*command, str(folder), *requirements]))


def jars(pom: Path) -> Path:
    """A folder with the dependencies of a pom.xml."""
    goal = ["dependency:copy-dependencies", "-q", "-B", "-f", str(pom)]
    return _cached(
        "java", [pom.read_text()], lambda folder: _run(["mvn", *goal, f"-DoutputDirectory={folder}"])
    )


def _cached(kind: str, what: list[str] | tuple[str, ...], fill: Callable[[Path], None]) -> Path:
    version = hashlib.sha256("\0".join([sys.version, *what]).encode()).hexdigest()[:16]
    folder = _CACHE / f"{kind}-{version}"
    if not folder.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = folder.with_suffix(f".{os.getpid()}")
        try:
            fill(unfinished)
            unfinished.rename(folder)
        except OSError:
            if not folder.exists():  # else another process was faster
                raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _run(command: list[str]) -> None:
    """Runs a command. Where it fails, as without a network, the test is skipped; under CI=true the test fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_INSTALL_S)
    if done.returncode:
        received = f"{' '.join(command[:4])}: {(done.stderr or done.stdout)[-500:]}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(received)
