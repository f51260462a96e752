"""The files that tools outside this repository read: hooks, workflow, forms, dependency updates."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients.programs import need

ROOT = Path(__file__).parent.parent
GITHUB = ROOT / ".github"
MAKEFILE = (ROOT / "Makefile").read_text("utf8")
TARGETS = set(re.findall(r"^([a-z-]+):(?!=)", MAKEFILE, re.MULTILINE))
PHONY = set(re.findall(r"[a-z-]+", MAKEFILE.split(".PHONY:")[1].split("\n\n")[0].replace("\\\n", " ")))


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf8"))


def test_every_target_is_phony() -> None:
    assert TARGETS == PHONY


def test_every_target_that_make_check_runs_is_a_hook() -> None:
    (line,) = re.findall(r"^check: (.*?) ##", MAKEFILE, re.MULTILINE)
    hooks = read(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks] == [f"make --silent {target}" for target in line.split()]


def test_what_the_workflow_runs_is_there() -> None:
    jobs = read(GITHUB / "workflows/ci.yml")["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert commands == [".ci/run ${{ matrix.what }}", "make test-fast"]
    assert (ROOT / ".ci/run").is_file()
    assert "test-fast" in TARGETS


@pytest.mark.parametrize(
    ("ecosystem", "manifest"),
    [("npm", "package.json"), ("gomod", "go.mod"), ("docker", "Dockerfile"), ("pip", "constraints.txt")],
)
def test_updates_are_asked_for_every_folder_that_has_dependencies(ecosystem: str, manifest: str) -> None:
    (entry,) = (
        one for one in read(GITHUB / "dependabot.yml")["updates"] if one["package-ecosystem"] == ecosystem
    )
    named = {folder.strip("/") for folder in entry.get("directories", [entry.get("directory")])}
    folders = {path.parent.relative_to(ROOT) for path in ROOT.rglob(manifest)}
    ours = {
        folder.as_posix().removeprefix(".")
        for folder in folders
        # benchmarks/peers has the versions that were measured, build/ copies of them.
        if not {"node_modules", "peers", "build"}.intersection(folder.parts)
        and not str(folder).startswith(".venv")
    }
    assert named == ours


@pytest.mark.parametrize(
    "form", sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda form: form.stem
)
def test_an_issue_form_is_well_formed(form: Path) -> None:
    """As GitHub checks it when it shows the form: these keys, kinds that it knows, ids and labels once each."""
    content = read(form)
    assert content.keys() <= {"name", "description", "title", "labels", "body"}
    fields = [field for field in content["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in fields} <= {"input", "textarea", "dropdown", "checkboxes"}
    for key in ([field["id"] for field in fields], [field["attributes"]["label"] for field in fields]):
        assert len(set(key)) == len(key)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_the_files_that_contributors_read_of_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf8")
    named = re.findall(r"`([\w./-]+/(?:[\w-]+\.\w+)?)`", text) + re.findall(r"\]\(([\w./-]+)\)", text)
    assert len(named) > 30
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_targets_that_contributors_read_of_are_there() -> None:
    text = "".join((ROOT / page).read_text("utf8") for page in ("CONTRIBUTING.md", "README.md"))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)\b", text, re.MULTILINE)) <= TARGETS


def test_what_the_fast_tests_leave_out_is_there() -> None:
    command = [need("make"), "--dry-run", "test-fast"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    left_out = re.findall(r"--ignore=(\S+)", printed)
    assert "tests/browser" in left_out
    assert [path for path in left_out if not (ROOT / path).exists()] == []
