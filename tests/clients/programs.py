"""Programs that tests need and that may be missing."""

import os
import shutil
import sysconfig

import pytest


def need(*names: str) -> str:
    """Where the first of the programs is that there is; without any the test is skipped, and under CI=true it fails."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"], "/usr/sbin"])
    found = next(filter(None, (shutil.which(name, path=path) for name in names)), None)
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{names[0]} is missing")
    return found
