"""Programs that tests need and that may be missing."""

import os
import shutil
import sysconfig

import pytest


def need(*names: str) -> str:
    """The path of the first of these programs that is installed. Without any the test is skipped; under CI=true it
    fails."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"], "/usr/sbin"])
    found = next(filter(None, (shutil.which(name, path=path) for name in names)), None)
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{names[0]} is missing")
    return found
