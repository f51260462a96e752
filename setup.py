"""Adds what is no Python to an installation: the built web client, and the pages of docs/. The rest is in setup.cfg."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
CLIENT = ROOT / "frontend" / "dist"


class BuildWithClient(build_py):
    """Copies the client, if it is built, and the pages into the package `server`, where `server.places` finds them."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return  # a checkout has both in their places
        package = Path(self.build_lib) / "server"
        for name in ("web_client", "docs"):
            shutil.rmtree(package / name, ignore_errors=True)  # of an earlier build in this folder
        if (CLIENT / "index.html").is_file():
            shutil.copytree(CLIENT, package / "web_client")
        (package / "docs").mkdir()
        for page in sorted((ROOT / "docs").glob("*.md")):
            shutil.copy(page, package / "docs")


setup(cmdclass={"build_py": BuildWithClient})
