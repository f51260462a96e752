"""What an error of a MongoDB server means, and whose files are open to others: no server is needed to know."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from storage.file_modes import warn_of_modes
from storage.mongo.faults import trouble_of


@pytest.mark.parametrize(
    ("code", "reason", "trouble"),
    [
        (14031, "", "full"),
        (13, "not authorized on vestnik", "read_only"),
        (24, "", "locked"),
        (64, "waiting for replication timed out", "unconfirmed"),
        (100, "", "unconfirmed"),
        (1, "database or disk is FULL", "full"),
        (None, "attempt to write a readonly database", "read_only"),
        (8, "database is locked (5) (SQLITE_BUSY)", "locked"),
        (None, "database disk image is malformed", "broken"),
        (None, "something else", "failing"),
        (11600, "interrupted at shutdown", "failing"),
    ],
)
def test_the_code_says_what_is_wrong_or_else_the_text(code: int | None, reason: str, trouble: str) -> None:
    assert trouble_of(code, reason) == trouble


@pytest.mark.skipif(os.name != "posix", reason="has no such modes")
def test_one_line_names_the_files_that_others_may_read(tmp_path: Path) -> None:
    for name, mode in (("private", 0o600), ("shared", 0o640), ("public", 0o604)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    with capture_logs() as logged:
        warn_of_modes((tmp_path / name for name in ("private", "shared", "public", "missing")), "a secret")
        warn_of_modes([tmp_path / "private"], "a secret")
    (line,) = logged
    assert line["event"] == "others on this machine may read or write what holds a secret; chmod 600 it"
    assert line["modes"] == {str(tmp_path / "shared"): "0640", str(tmp_path / "public"): "0604"}
