"""Whether another file could be opened: one line when not, one when again."""

import errno
import os
import time

import pytest
from structlog.testing import capture_logs

from server.open_files import LINE_EVERY_S, OpenFilesWatch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="has no such limits")


class Files:
    """What `os.open` does and what time it is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fault = 0
        self.now_s = 1000.0
        opened = os.open
        monkeypatch.setattr(time, "monotonic", lambda: self.now_s)
        monkeypatch.setattr(os, "open", lambda *given: self._fail() if self.fault else opened(*given))

    def _fail(self) -> int:
        raise OSError(self.fault, "no more files")


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    return Files(monkeypatch)


def lines(watch: OpenFilesWatch) -> list[str]:
    with capture_logs() as logged:
        watch.check()
    return [entry.get("setting", entry["event"]) for entry in logged]


@pytest.mark.parametrize(
    ("fault", "setting"),
    [
        (errno.EMFILE, "RLIMIT_NOFILE (ulimit -n, LimitNOFILE)"),
        (errno.ENFILE, "fs.file-max, of the system"),
    ],
)
def test_a_line_names_the_limit_and_another_says_when_it_is_over(
    files: Files, fault: int, setting: str
) -> None:
    watch = OpenFilesWatch()
    assert lines(watch) == []
    files.fault = fault
    assert lines(watch) == [setting]
    files.fault = 0
    assert lines(watch) == ["files can be opened again"]
    assert lines(watch) == []


def test_there_is_one_line_a_minute(files: Files) -> None:
    watch = OpenFilesWatch()
    files.fault = errno.EMFILE
    assert len(lines(watch)) == 1
    files.now_s += LINE_EVERY_S - 0.1
    assert lines(watch) == []
    files.now_s += 0.1
    assert len(lines(watch)) == 1


def test_another_fault_is_not_about_open_files(files: Files) -> None:
    files.fault = errno.EACCES
    assert lines(OpenFilesWatch()) == []
