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


def other_server(name: str, folder: Path, *before: str) -> str:
    """The last line of another process that opens the database, or of its errors if it prints none. `before`: what runs
    it, with its arguments."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [*before, sys.executable, "-c", OPEN, f"sqlite:///{name}"],
        capture_output=True, text=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(root)}, check=False,
    )  # fmt: skip
    return (done.stdout or done.stderr).splitlines()[-1]


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


def by_relative_name_from_elsewhere(path: Path) -> str:
    return f"../{path.parent.name}/{path.name}"


def by_working_directory(path: Path) -> str:
    """A name that leads through the root directory of the first server."""
    return f"/proc/{os.getpid()}/root{path}"


def after_a_move(path: Path) -> str:
    """The database lies elsewhere now, with the files beside it but without its lock file."""
    folder = path.parent.with_name(f"{path.parent.name} moved")
    folder.mkdir()
    for file in path.parent.glob("vestnik.db*"):
        if file.suffix != ".lock":
            file.rename(folder / file.name)
    return str(folder / path.name)


def after_a_replacement(path: Path) -> str:
    """Another database has the name now."""
    other = path.with_name("other.db")
    other.write_bytes(path.read_bytes())
    other.replace(path)
    return str(path)


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="no such locks, and no /proc")


@pytest.mark.parametrize(
    "name",
    [
        by_link,
        by_relative_link,
        by_link_to_link,
        by_linked_folder,
        by_detour,
        by_relative_name,
        by_relative_name_from_elsewhere,
        *(
            pytest.param(name, marks=linux_only)
            for name in (
                by_hard_link,
                by_hard_link_elsewhere,
                without_lock_file,
                by_working_directory,
            )
        ),
    ],
)
async def test_by_any_name(path: Path, name: Callable[[Path], str]) -> None:
    store = await SqliteStore.open(path)
    given = name(path)
    assert "another server has it open" in other_server(given, path.parent)
    await World(store).user()  # and the first goes on
    await store.close()
    assert other_server(given, path.parent) == "opened"


@linux_only
@pytest.mark.parametrize("change", [after_a_move, after_a_replacement])
async def test_a_file_that_was_moved_or_replaced_is_not_free_either(
    path: Path, change: Callable[[Path], str]
) -> None:
    """A server that runs on a file that has lost its name writes no more, and has to be stopped first."""
    store = await SqliteStore.open(path)
    await World(store).user()
    given = change(path)
    assert "another server has it open" in other_server(given, path.parent)
    await store.close()
    assert other_server(given, path.parent) == "opened"


@linux_only
async def test_by_the_number_of_an_open_file(path: Path) -> None:
    store = await SqliteStore.open(path)
    before = ("sh", "-c", 'exec 3<"$0"; exec "$@"', str(path))
    assert "another server has it open" in other_server("/proc/self/fd/3", path.parent, *before)
    await store.close()
    assert other_server("/proc/self/fd/3", path.parent, *before) == "opened"


@linux_only
@pytest.mark.parametrize("what", ["file", "folder"])
async def test_by_a_bind_mount(path: Path, what: str) -> None:
    place = path.parent.with_name(f"{path.parent.name} mounted")
    place.mkdir()
    (place / path.name).touch()
    mount = (
        f'mount --bind "{path}" "{place / path.name}"'
        if what == "file"
        else f'mount --bind "{path.parent}" "{place}"'
    )
    before = ("unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh")
    store = await SqliteStore.open(path)
    said = other_server(str(place / path.name), path.parent, *before)
    if "unshare" in said or "mount" in said.partition(":")[0]:
        await store.close()
        pytest.skip(said)
    assert "another server has it open" in said
    await store.close()
    assert other_server(str(place / path.name), path.parent, *before) == "opened"


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
