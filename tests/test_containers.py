"""The container files, as far as they can be checked without a container engine."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from server.config import PLAIN, SETTINGS, Config
from tests.clients.programs import need

ROOT = Path(__file__).parent.parent
COMPOSE = ROOT / "tests" / "compose"


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that loads a compose file as docker compose does; building it may need downloads."""
    program = tmp_path_factory.mktemp("compose") / "load"
    subprocess.run([need("go"), "build", "-o", program, "."], cwd=COMPOSE, check=True)
    return program


def _load(loader: Path, *files: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"} | variables
    return subprocess.run([loader, *files], env=environment, capture_output=True, text=True, check=False)


def _stages() -> list[str]:
    """The stages of the Dockerfile, with the lines that go on joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
    return re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]


def _steps(name: str) -> tuple[list[list[str]], list[str]]:
    """What the stage of that name copies, and what it runs."""
    (stage,) = (stage for stage in _stages() if stage.splitlines()[0].endswith(f" AS {name}"))
    copies = [line.split()[1:] for line in stage.splitlines() if line.startswith("COPY ")]
    runs = [line.removeprefix("RUN ") for line in stage.splitlines() if line.startswith("RUN ")]
    return copies, runs


@pytest.mark.long
def test_the_install_steps_of_the_image_make_a_server_that_starts(tmp_path: Path) -> None:
    if os.environ.get("CI") != "true":
        pytest.skip("installs everything from the network; runs with CI=true")
    copies, runs = _steps("build")
    source = tmp_path / "src"
    source.mkdir()
    for *names, target in copies:
        for name in names:
            place = source / target / ("" if (ROOT / name).is_dir() else name)
            subprocess.run(["cp", "-r", ROOT / name, place], check=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "VENV": str(tmp_path / "venv")}
    environment |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    environment["PIP_COMPILE"] = "false"  # compiled files start a server sooner: it is started once
    for run in runs:
        subprocess.run(["sh", "-ec", run], cwd=source, env=environment, check=True)
    received = subprocess.run(
        [tmp_path / "venv/bin/vestnik"],
        cwd=tmp_path,
        env=environment | {"PORT": "no port"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert received.stderr == "vestnik: PORT: Not a valid integer.\n"


def test_the_web_client_is_built_of_what_there_is() -> None:
    copies, runs = _steps("client")
    assert [(ROOT / name).exists() for *names, _ in copies for name in names] == [True] * 3
    scripts = json.loads((ROOT / "frontend/package.json").read_text())["scripts"]
    assert [run.split()[:2] for run in runs] == [["npm", "ci"], ["npm", "run"]]
    assert runs[1].split()[2] in scripts
    built = [line for stage in _stages() for line in stage.splitlines() if "--from=client" in line]
    assert [line.split()[2] for line in built] == ["/src/dist"] * 2
    assert f"WEB_CLIENT_DIR={built[1].split()[3]} " in _stages()[-1]


def test_the_image_runs_as_nobody_special_and_knows_its_health() -> None:
    stage = _stages()[-1]
    assert re.search(r"^USER (?!root|0\b)", stage, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*CMD \[", stage, re.MULTILINE)
    assert re.search(r"^CMD \[", stage, re.MULTILINE)
    assert "pip" not in stage


def test_the_services_of_the_composition() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert services["backend"]["container_name"] == "chat_backend"
    assert services["backend"]["ports"] == ["${BACKEND_ADDRESS:-127.0.0.1}:8000:8000"]
    assert services["backend"]["environment"]["DATABASE_URL"].startswith("mongodb://mongo:")
    assert services["frontend"]["container_name"] == "chat_frontend"
    assert services["frontend"]["ports"] == ["3000:3000"]
    assert services["frontend"]["build"]["args"] == {"VITE_WS_URL": ""}
    address = services["frontend"]["networks"]["default"]["ipv4_address"]
    assert services["backend"]["environment"]["TRUSTED_PROXIES"] == f"${{TRUSTED_PROXIES:-{address}}}"
    for service in services.values():
        assert service.get("depends_on", {}).keys() <= services.keys()


def test_nothing_but_the_proxy_is_published_and_every_service_has_a_bound_on_memory_and_logs() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    loopback = re.compile(r"(127\.0\.0\.1|\$\{\w+:-127\.0\.0\.1\}):")
    outside = {name for name, ports in published.items() if not all(map(loopback.match, ports))}
    assert outside == {"frontend"}
    for name, service in services.items():
        assert re.fullmatch(r"(\$\{\w+:-)?\d+[mg]\}?", service["mem_limit"]), name
        assert service["logging"]["driver"] == "local", name


def test_the_composition_keeps_to_the_schema(loader: Path, tmp_path: Path) -> None:
    loaded = _load(loader, ROOT / "docker-compose.yml", SECRET_KEY="x" * 32)
    assert (loaded.returncode, loaded.stderr) == (0, "")
    misspelt = tmp_path / "docker-compose.yml"
    text = (ROOT / "docker-compose.yml").read_text()
    misspelt.write_text(text.replace("depends_on:", "depend_on:", 1))
    assert "services.backend.depend_on" in _load(loader, misspelt, SECRET_KEY="x" * 32).stderr


def test_the_composition_of_several_servers(loader: Path) -> None:
    files = [ROOT / name for name in ("docker-compose.yml", "docker-compose.scale.yml")]
    loaded = _load(loader, *files, SECRET_KEY="x" * 32)
    assert (loaded.returncode, loaded.stderr) == (0, "")
    services = json.loads(loaded.stdout)["services"]
    backend, frontend, redis = services["backend"], services["frontend"], services["redis"]
    # What two containers cannot share: a name, a port of the machine, a folder.
    assert [backend.get(name) for name in ("container_name", "ports", "volumes")] == [None] * 3
    settings = {name for name in backend["environment"] if name.isupper()}
    assert settings <= {*SETTINGS, *PLAIN, "SECRET_KEY"}
    assert backend["environment"]["REDIS_URL"] == f"redis://{redis.get('container_name', 'redis')}:6379"
    assert backend["environment"]["DATABASE_URL"].endswith("?replicaSet=rs0")
    grace_s = duration_s(backend["stop_grace_period"])
    assert grace_s >= float(backend["environment"]["SHUTDOWN_TIMEOUT_S"]) + 5
    assert frontend["depends_on"]["backend"].get("restart", False) is False
    assert "profiles" not in redis
    assert [port["published"] for port in frontend["ports"]] == ["3000"]


def duration_s(text: str) -> float:
    """Go writes 65s as 1m5s."""
    found = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", text)
    assert found
    return 60 * float(found[1] or 0) + float(found[2] or 0)


def test_the_stop_of_a_container_takes_longer_than_that_of_the_server(loader: Path) -> None:
    loaded = _load(loader, ROOT / "docker-compose.yml", SECRET_KEY="x" * 32)
    backend = json.loads(loaded.stdout)["services"]["backend"]
    assert duration_s(backend["stop_grace_period"]) >= Config("a secret").shutdown_timeout_s + 5


def test_the_composition_does_not_start_without_a_secret(loader: Path) -> None:
    loaded = _load(loader, ROOT / "docker-compose.yml")
    assert loaded.returncode != 0
    assert "SECRET_KEY is missing a value" in loaded.stderr


def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    linted = subprocess.run(
        [need("hadolint"), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_composition_with_https(loader: Path) -> None:
    files = [ROOT / name for name in ("docker-compose.yml", "docker-compose.tls.yml")]
    loaded = _load(loader, *files, SECRET_KEY="x" * 32, DOMAIN="chat.example.org")
    assert (loaded.returncode, loaded.stderr) == (0, "")
    services = json.loads(loaded.stdout)["services"]
    backend, frontend, caddy = services["backend"], services["frontend"], services["caddy"]
    assert frontend.get("ports") is None, "nobody comes in past Caddy"
    assert {port["published"] for port in caddy["ports"]} == {"80", "443"}
    addresses = [one["networks"]["default"]["ipv4_address"] for one in (frontend, caddy)]
    assert backend["environment"]["TRUSTED_PROXIES"] == ",".join(addresses)
    assert backend["environment"]["PUBLIC_URL"] == "https://chat.example.org"
    assert caddy["environment"] == {"DOMAIN": "chat.example.org", "BACKEND": "frontend:3000"}
    (kept,) = (volume for volume in caddy["volumes"] if volume["type"] == "bind")
    assert Path(kept["source"]) == ROOT / "deploy/caddy/Caddyfile"
    assert re.fullmatch(r"\d+", str(caddy["mem_limit"]))
    refused = _load(loader, *files, SECRET_KEY="x" * 32)
    assert "DOMAIN is missing a value" in refused.stderr
