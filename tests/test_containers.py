"""The container files: what can be known of them without a container engine."""

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
COMPOSE = ROOT / "tests" / "compose"


def _tool(name: str) -> str:
    """Where the program is; without it the test is skipped, and under CI=true it fails."""
    found = shutil.which(name, path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]))
    if found is None:
        assert os.environ.get("CI") != "true", f"{name} is missing"
        pytest.skip(f"{name} is missing")
    return found


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that loads a compose file the way docker compose does; building it may download, and say so."""
    program = tmp_path_factory.mktemp("compose") / "load"
    subprocess.run([_tool("go"), "build", "-o", program, "."], cwd=COMPOSE, check=True)
    return program


def _load(loader: Path, file: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"} | variables
    return subprocess.run([loader, file], env=environment, capture_output=True, text=True, check=False)


def _stages() -> list[str]:
    """The stages of the Dockerfile, with the lines that go on joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
    return re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]


def _build_steps() -> tuple[list[list[str]], list[str]]:
    """What the first stage copies, and what it runs."""
    stage = _stages()[0]
    copies = [line.split()[1:] for line in stage.splitlines() if line.startswith("COPY ")]
    runs = [line.removeprefix("RUN ") for line in stage.splitlines() if line.startswith("RUN ")]
    return copies, runs


def test_the_install_steps_of_the_image_make_a_server_that_starts(tmp_path: Path) -> None:
    if os.environ.get("CI") != "true":
        pytest.skip("installs everything from the network; runs with CI=true")
    copies, runs = _build_steps()
    source = tmp_path / "src"
    source.mkdir()
    for *names, target in copies:
        for name in names:
            place = source / target / ("" if (ROOT / name).is_dir() else name)
            subprocess.run(["cp", "-r", ROOT / name, place], check=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "VENV": str(tmp_path / "venv")}
    environment |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    for run in runs:
        subprocess.run(["sh", "-ec", run], cwd=source, env=environment, check=True)
    told = subprocess.run(
        [tmp_path / "venv/bin/vestnik"],
        cwd=tmp_path,
        env=environment | {"PORT": "no port"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stderr == "vestnik: PORT: Not a valid integer.\n"


def test_the_image_runs_as_nobody_special_and_knows_its_health() -> None:
    stage = _stages()[-1]
    assert re.search(r"^USER (?!root|0\b)", stage, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*CMD \[", stage, re.MULTILINE)
    assert re.search(r"^CMD \[", stage, re.MULTILINE)
    assert "pip" not in stage


def test_the_services_of_the_composition() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert services["backend"]["container_name"] == "chat_backend"
    assert services["backend"]["ports"] == ["8000:8000"]
    assert services["backend"]["environment"]["DATABASE_URL"].startswith("mongodb://mongo:")
    assert services["backend"]["depends_on"].keys() <= services.keys()


def test_the_composition_keeps_to_the_schema(loader: Path, tmp_path: Path) -> None:
    loaded = _load(loader, ROOT / "docker-compose.yml", SECRET_KEY="x" * 32)
    assert (loaded.returncode, loaded.stderr) == (0, "")
    misspelt = tmp_path / "docker-compose.yml"
    text = (ROOT / "docker-compose.yml").read_text()
    misspelt.write_text(text.replace("depends_on:", "depend_on:"))
    assert "services.backend.depend_on" in _load(loader, misspelt, SECRET_KEY="x" * 32).stderr


def test_the_composition_does_not_start_without_a_secret(loader: Path) -> None:
    loaded = _load(loader, ROOT / "docker-compose.yml")
    assert loaded.returncode != 0
    assert "SECRET_KEY is missing a value" in loaded.stderr


def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    linted = subprocess.run(
        [_tool("hadolint"), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout) == (0, "")
