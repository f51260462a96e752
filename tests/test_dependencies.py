"""setup.cfg admits no version with a known hole and none that nobody has tried; constraints.txt stays within it."""

import re
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
SETUP = ROOT / "setup.cfg"
CONSTRAINTS = ROOT / "constraints.txt"

LOOKED_ON = "2026-11-29"
"""When the advisories were last looked up. `make audit` asks the database anew, where it can be reached."""

FIXED = {
    "aiohttp": ("3.14.4", "PYSEC-2026-4369: an absolute request target decides on the scheme"),
    "apispec": (None, ""),
    "bcrypt": (None, ""),
    "environs": (None, ""),
    "marshmallow": ("4.1.2", "CVE-2025-68480: quadratic work for many errors"),
    "motor": (None, ""),
    "prometheus-client": (None, ""),
    "puremagic": (None, ""),
    "orjson": ("3.11.6", "CVE-2025-67221: recursion without a limit"),
    "pillow": ("12.3.0", "PYSEC-2026-3453 and those before it: faults of decoders"),
    "pyjwt": ("2.15.0", "CVE-2026-102275 and those before it, CVE-2026-102268 among them"),
    "pymongo": ("4.18.1", "CVE-2026-88029"),
    "python-dotenv": ("1.2.2", "CVE-2026-28684: follows links when it writes"),
    "python-engineio": ("4.13.2", "CVE-2026-48802, CVE-2026-48809: work without a limit"),
    "python-socketio": ("5.16.2", "CVE-2026-48804: attachments without a limit"),
    "redis": ("4.5.4", "CVE-2023-28859, CVE-2023-28858: answers of one command given to another"),
    "structlog": (None, ""),
    "uvloop": ("0.20.0", "CVE-2024-24806, in its libuv"),
}
"""The version in which the last known hole was closed; None where none is known."""

UNSTABLE = ("aiohttp", "python-engineio", "python-socketio")
"""The server uses parts of these that only a minor version keeps; see test_internals.py."""


def requirements(section: str, option: str) -> list[Requirement]:
    config = ConfigParser()
    config.read(SETUP)
    return [Requirement(line) for line in config[section][option].strip().splitlines()]


def locked() -> dict[str, Requirement]:
    """The lines of constraints.txt that are no comments."""
    lines = (line.strip() for line in CONSTRAINTS.read_text("utf8").splitlines())
    return {
        one.name: one for one in (Requirement(line) for line in lines if line and not line.startswith("#"))
    }


RUN = {one.name: one for one in requirements("options", "install_requires")}
TEST = {one.name: one for one in requirements("options.extras_require", "test")}
DEV = {one.name: one for one in requirements("options.extras_require", "dev")}
LOCKED = locked()


def bound(requirement: Requirement, sign: str) -> Version | None:
    found = [Version(one.version) for one in requirement.specifier if one.operator == sign]
    return found[0] if found else None


def test_every_dependency_was_looked_up() -> None:
    assert FIXED.keys() == RUN.keys()


@pytest.mark.parametrize("name", FIXED)
def test_no_version_with_a_known_hole_is_admitted_or_installed(name: str) -> None:
    fixed, _ = FIXED[name]
    least = bound(RUN[name], ">=")
    assert least is not None
    if fixed is not None:
        assert least >= Version(fixed)
    marker = RUN[name].marker
    if marker is None or marker.evaluate():
        assert Version(version(name)) in RUN[name].specifier


@pytest.mark.parametrize("name", [*RUN, *TEST, *DEV])
def test_no_version_is_admitted_that_nobody_has_tried(name: str) -> None:
    """A new release is not to change what runs, or to make CI red, before somebody has looked at it."""
    requirement = {**RUN, **TEST, **DEV}[name]
    assert bound(requirement, "<") is not None or bound(requirement, "==") is not None


@pytest.mark.parametrize("name", UNSTABLE)
def test_what_is_used_of_the_insides_of_a_library_keeps_it_within_a_minor_version(name: str) -> None:
    least, below = bound(RUN[name], ">="), bound(RUN[name], "<")
    assert least is not None
    assert below == Version(f"{least.major}.{least.minor + 1}")


@pytest.mark.parametrize("name", [*RUN, *TEST, *DEV])
def test_the_locked_version_is_one_that_setup_cfg_admits(name: str) -> None:
    requirement = {**RUN, **TEST, **DEV}[name]
    (pin,) = LOCKED[name].specifier
    assert pin.operator == "=="
    assert Version(pin.version) in requirement.specifier


def test_everything_locked_has_one_exact_version_and_comes_from_the_default_index() -> None:
    assert [
        str(one) for one in LOCKED.values() if one.url or not re.fullmatch(r"==[\w.]+", str(one.specifier))
    ] == []
    text = CONSTRAINTS.read_text("utf8")
    assert re.search(r"https?:|file:|^\s*-", text, re.MULTILINE) is None


@pytest.mark.parametrize("name", sorted(LOCKED))
def test_what_is_installed_is_what_is_locked(name: str) -> None:
    """`make setup` installs so. Packages for another system or for contributors may be missing."""
    marker = LOCKED[name].marker
    if marker is not None and not marker.evaluate():
        pytest.skip("for another system")
    try:
        installed = version(name)
    except PackageNotFoundError:
        pytest.skip("not installed")
    assert Version(installed) in LOCKED[name].specifier


def test_the_declared_versions_of_python_are_those_that_ci_tests() -> None:
    config = ConfigParser()
    config.read(SETUP)
    prefix = "Programming Language :: Python :: 3."
    lines = config["metadata"]["classifiers"].splitlines()
    declared = [line.removeprefix(prefix) for line in lines if line.startswith(prefix)]
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf8"))
    assert workflow["jobs"]["test-fast"]["strategy"]["matrix"]["python"] == [
        f"3.{minor}" for minor in declared
    ]
    assert config["options"]["python_requires"] == f">=3.{declared[0]}"
    assert config["mypy"]["python_version"] == f"3.{declared[0]}"
    assert f'target-version = "py3{declared[0]}"' in (ROOT / "ruff.toml").read_text("utf8")
