"""A second server on the same file is refused, by whatever name it calls the file."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from storage.sqlite import SqliteStore
from tests.storage.world import World

OPEN = (
    "import asyncio, sys; from storage.open import open_store\n"
    "async def main():\n"
    "    store = await open_store(sys.argv[1]); await store.close(); print('opened')\n"
    "asyncio.run(main())"
)


def other_server(name: str, folder: Path) -> str:
    """The last line of another process that opens the database."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", OPEN, f"sqlite:///{name}"],
        capture_output=True, text=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(root)}, check=False,
    )  # fmt: skip
    return (done.stdout + done.stderr).splitlines()[-1]


def by_link(path: Path) -> str:
    link = path.parent / "link.db"
    link.symlink_to(path)
    return str(link)


def by_relative_link(path: Path) -> str:
    (path.parent / "relative.db").symlink_to(path.name)
    return "relative.db"


def by_link_to_link(path: Path) -> str:
    (path.parent / "second.db").symlink_to(by_link(path))
    return str(path.parent / "second.db")


def by_linked_folder(path: Path) -> str:
    folder = path.parent.with_name("folder link")
    folder.symlink_to(path.parent, target_is_directory=True)
    return str(folder / path.name)


def by_hard_link(path: Path) -> str:
    link = path.parent / "hard.db"
    os.link(path, link)
    return str(link)


def by_hard_link_elsewhere(path: Path) -> str:
    folder = path.parent.with_name("other folder")
    folder.mkdir()
    os.link(path, folder / path.name)
    return str(folder / path.name)


def without_lock_file(path: Path) -> str:
    path.with_name(f"{path.name}.lock").unlink()
    return str(path)


def by_detour(path: Path) -> str:
    return f"{path.parent}/.//../{path.parent.name}/{path.name}"


def by_relative_name(path: Path) -> str:
    return path.name


@pytest.mark.parametrize(
    "name",
    [
        by_link,
        by_relative_link,
        by_link_to_link,
        by_linked_folder,
        pytest.param(by_hard_link, marks=pytest.mark.skipif(sys.platform != "linux", reason="no such locks")),
        pytest.param(
            by_hard_link_elsewhere, marks=pytest.mark.skipif(sys.platform != "linux", reason="no such locks")
        ),
        pytest.param(
            without_lock_file, marks=pytest.mark.skipif(sys.platform != "linux", reason="no such locks")
        ),
        by_detour,
        by_relative_name,
    ],
)
async def test_by_any_name(path: Path, name: Callable[[Path], str]) -> None:
    store = await SqliteStore.open(path)
    given = name(path)
    assert "another server has it open" in other_server(given, path.parent)
    await World(store).user()  # and the first goes on
    await store.close()
    assert other_server(given, path.parent) == "opened"


async def test_the_first_may_have_come_by_a_link(path: Path) -> None:
    await (await SqliteStore.open(path)).close()
    store = await SqliteStore.open(Path(by_link(path)))
    assert "another server has it open" in other_server(str(path), path.parent)
    await store.close()
    assert not path.with_name("link.db.lock").exists()


async def test_the_lock_goes_with_the_process(path: Path) -> None:
    hold = OPEN.replace("await store.close(); print('opened')", "import os; os._exit(9)")
    done = subprocess.run(
        [sys.executable, "-c", hold, f"sqlite:///{path}"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}, check=False,
    )  # fmt: skip
    assert done.returncode == 9
    await (await SqliteStore.open(path)).close()


@pytest.mark.skipif(os.name != "posix", reason="has no such modes")
@pytest.mark.parametrize(
    ("mode", "warned"), [(0o600, False), (0o400, False), (0o644, True), (0o640, True), (0o602, True)]
)
async def test_a_database_that_others_may_read_is_warned_of(path: Path, mode: int, warned: bool) -> None:
    await (await SqliteStore.open(path)).close()
    path.chmod(mode)
    if mode == 0o400 and os.geteuid():
        return  # only root opens that
    with capture_logs() as lines:
        await (await SqliteStore.open(path)).close()
    warnings = [line for line in lines if line["log_level"] == "warning"]
    assert len(warnings) == warned
    assert all(line["modes"][str(path)] == f"{mode:04o}" for line in warnings)
    assert stat.S_IMODE(path.stat().st_mode) == mode
