"""One attack on the real program, and its figures."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from aiohttp import ClientSession

from tests.clients.program import ROOT, Program

HISTORY = 60
"""Large messages in each attacker's chat, so that a page of history is a large answer."""

CONNECTIONS_PER_ACCOUNT = 100


@dataclass(frozen=True)
class Outcome:
    """Latencies are of the bystander, in ms; `cpu` is the part of a core that the server took meanwhile; memory is the
    server's resident set, in MiB."""

    kind: str
    socket: dict[str, float]
    rest: dict[str, float]
    swarm: dict[str, Any]
    cpu: float
    rss_before_mib: float
    rss_peak_mib: float
    rss_after_mib: float
    stop_s: float


class Arena:
    """A running server, a bystander and the attackers' accounts."""

    def __init__(self, program: Program, orders: dict[str, Any], accounts: list[dict[str, Any]]) -> None:
        self.program = program
        self._bystander = orders
        self._accounts = accounts
        self._peak_kib = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, place: Path, connections: int, **settings: str) -> AsyncIterator["Arena"]:
        async with ClientSession() as http:
            # Accounts are created faster than the limit per network allows.
            program = Program(place, http, **{"AUTH_CALLS_PER_MIN": "0", **settings})
            await program.start()
            _pin(program.pid, 0)
            _prefer(program.pid)
            try:
                bystander = await program.person("bystander")
                chat_id = await bystander.chat(name="Quiet")
                accounts = [
                    await _account(program, n) for n in range(-(-connections // CONNECTIONS_PER_ACCOUNT))
                ]
                orders = {"port": program.port, "token": bystander.token, "chat_id": chat_id}
                yield cls(program, orders, accounts)
            finally:
                await program.close()

    async def attack(self, kind: str, connections: int, seconds: float, *, rest_s: float = 0) -> Outcome:
        """Runs one attack, measures the memory `rest_s` later, and stops the server."""
        before = self._rss_kib()
        watch = asyncio.create_task(self._watch())
        orders = {
            "kind": kind,
            "port": self.program.port,
            "seconds": seconds + 2,
            "connections": connections,
            "accounts": self._accounts,
        }
        swarm = asyncio.create_task(_run("swarm", orders, nice=19))
        await asyncio.sleep(1)  # the swarm starts
        cpu_s, began = self._cpu_s(), perf_counter()
        seen = await _run("bystander", {**self._bystander, "seconds": seconds})
        cpu = (self._cpu_s() - cpu_s) / (perf_counter() - began)
        received = await swarm
        watch.cancel()
        await asyncio.sleep(rest_s)
        after = self._rss_kib()
        stop_s = await self._stop()
        return Outcome(
            kind,
            seen["socket"],
            seen["rest"],
            received,
            cpu,
            before / 1024,
            self._peak_kib / 1024,
            after / 1024,
            stop_s,
        )

    async def _stop(self) -> float:
        began = perf_counter()
        self.program.send_signal(signal.SIGTERM)
        await self.program.ended(60)
        return perf_counter() - began

    async def _watch(self) -> None:
        while True:
            self._peak_kib = max(self._peak_kib, self._rss_kib())
            await asyncio.sleep(0.1)

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self.program.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _rss_kib(self) -> int:
        status = Path(f"/proc/{self.program.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])


async def _account(program: Program, n: int) -> dict[str, Any]:
    person = await program.person(f"attacker{n}")
    chat_id = await person.chat(name="Loud")
    for _ in range(HISTORY):
        await person.say(chat_id, "\x01" * 9_999 + ".")
    return {"token": person.token, "chat_id": chat_id}


async def _run(module: str, orders: dict[str, Any], nice: int = 0) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.attacks.{module}"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=lambda: os.nice(nice),
    )
    _pin(process.pid, 1)
    if not nice:
        _prefer(process.pid)
    received, _ = await process.communicate(json.dumps(orders).encode() + b"\n")
    assert process.returncode == 0, module
    return dict(json.loads(received))


def _prefer(pid: int) -> None:
    """Raises the priority, so that other work of the machine is not measured; does nothing without the right to do
    so."""
    with contextlib.suppress(PermissionError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.setpriority(os.PRIO_PROCESS, int(thread.name), -15)


def _pin(pid: int, core: int) -> None:
    """Pins a process to a core; does nothing on a machine with one core."""
    cores = sorted(os.sched_getaffinity(0))
    if core < len(cores):
        os.sched_setaffinity(pid, {cores[core]})
