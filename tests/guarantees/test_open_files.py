"""Open files run out: one log line names the limit, nothing spins, and existing connections go on."""

import asyncio
import os
import re
import resource
import socket
import sys
from pathlib import Path

import pytest

from tests.clients.program import ROOT, Program
from tests.guarantees.conftest import Start
from tests.patience import within

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="has no prlimit")

SPARE = 12
STRANGERS = 150


def cpu_s(program: Program) -> float:
    fields = Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_open_files_run_out(start: Start, tmp_path: Path, loop: str) -> None:
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    if loop == "asyncio":
        (shadow / "uvloop.py").write_text("raise ImportError")
    program = await start(PYTHONPATH=f"{shadow}:{ROOT}")
    anna = await program.person("anna")
    chat_id = await anna.chat()
    client = await anna.joined(chat_id)
    await asyncio.gather(*(anna.get("/chats") for _ in range(8)))  # the readers need their files
    files = len(os.listdir(f"/proc/{program.pid}/fd"))
    _, hard = resource.prlimit(program.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (files + SPARE, hard))
    strangers = [socket.create_connection(("127.0.0.1", program.port), 5) for _ in range(STRANGERS)]
    try:
        async with within(20):
            while "open files are exhausted" not in program.log:
                await asyncio.sleep(0.05)
        began_s = cpu_s(program)
        await client.done("send_message", chat_id=chat_id, content="hi")
        await asyncio.sleep(3)  # a spinning server would write thousands of lines
        assert cpu_s(program) - began_s < 1
        await client.done("send_message", chat_id=chat_id, content="still here")
    finally:
        for stranger in strangers:
            stranger.close()
    async with asyncio.timeout(30):
        while "files can be opened again" not in program.log:
            await asyncio.sleep(0.05)
    await anna.say(chat_id, "by a new connection")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", program.log).splitlines()
    (line,) = [line for line in lines if "open files" in line]
    assert f"limit={files + SPARE}" in line
    assert "RLIMIT_NOFILE" in line
    assert "Traceback" not in program.log
    assert len(lines) < 20
