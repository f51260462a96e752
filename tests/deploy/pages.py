"""Pages of documentation, and their shell commands as a reader runs them: from top to bottom, in one shell."""

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN_S = 240
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, kind: str = "sh") -> Sequence[str]:
    """The blocks of that kind in a page of the repository, without their indentation."""
    found = _BLOCK.findall((ROOT / page).read_text("utf8"))
    return [
        re.sub(f"^{indent}", "", text, flags=re.MULTILINE) for indent, name, text in found if name == kind
    ]


class Shell:
    """A reader's shell: variables that one block sets are there in the next.

    Paths and ports of the page become others (`changed`); `stubs` are programs that stand in for those that need root
    or another machine.
    """

    def __init__(
        self, folder: Path, here: Path, changed: Mapping[str, str], stubs: Mapping[str, str]
    ) -> None:
        self.folder, self.here, self.changed = folder, here, dict(changed)
        self._programs = folder / "programs"
        self._programs.mkdir(parents=True)
        self._state = folder / "state"
        self._state.touch()
        for name, script in stubs.items():
            stub = self._programs / name
            stub.write_text(f"#!/bin/sh\n{script}\n")
            stub.chmod(0o755)

    @property
    def path(self) -> str:
        """The PATH of the shell: the stubs come first."""
        return f"{self._programs}:{os.environ['PATH']}"

    async def run(self, block: str, **more: str) -> str:
        """Runs a block, with more variables, and returns what it printed. Fails with the block if a command does."""
        for ours, theirs in self.changed.items():
            block = block.replace(ours, theirs)
        script = f'set -ea; . "{self._state}"\n{block}\nexport -p >"{self._state}"\n'
        kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "UV_"))}
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", script),
            cwd=self.here,
            env={
                **kept,
                "PATH": self.path,
                "HOME": os.environ["HOME"],
                "LANG": "C.UTF-8",
                **more,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, errors = await asyncio.wait_for(process.communicate(), RUN_S)
        assert process.returncode == 0, f"{block}\n{printed.decode()}\n{errors.decode()}"
        return printed.decode()
