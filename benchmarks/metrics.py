"""Measures what counting costs: `python -m benchmarks.metrics`.

Each module that counts is loaded twice: as it is, and with the counting taken out of its source. The two run in turns,
in one process. The figures are the lowest of all turns, in nanoseconds of processor time: on a machine that others use,
a turn may take longer, but never shorter.
"""

import ast
import asyncio
import importlib
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from types import ModuleType, SimpleNamespace
from typing import Any

from domain.frozen import frozen
from domain.models import Appended, Message
from handlers.context import Caller
from handlers.live.counts import Counts
from handlers.live.freshness import AlwaysFresh, Freshness
from handlers.registry import Later
from storage.health import COMMIT_S
from storage.histogram import Histogram
from storage.promise import Promise

TURNS = 41
COMMANDS_A_TURN = 20_000
OBSERVATIONS_A_TURN = 100_000
MEMBERS = 200
DELIVERIES_A_TURN = 200

COUNTERS = ("counts.", ".delivered", ".due", ".events[")
"""What stands in the statements that count."""

Run = Callable[[], float]
"""Does something many times; returns the seconds that it took once."""


class _WithoutCounting(ast.NodeTransformer):
    """Takes statements that count out of a module, but not what they call on the way."""

    def __init__(self) -> None:
        self.removed = 0

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        return self._rest(node, node.target, node.value)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        return self._rest(node, node.targets[0], node.value)

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        is_empty = all(isinstance(part, ast.Pass) for part in (*node.body, *node.orelse))
        return ast.Pass() if is_empty else node

    def _rest(self, node: ast.AST, target: ast.expr, value: ast.expr) -> ast.AST:
        if not any(word in ast.unparse(target) for word in COUNTERS):
            return node
        self.removed += 1
        calls = [part for part in ast.walk(value) if isinstance(part, ast.Call)]
        kept = [call for call in calls if ast.unparse(call.func) != "len"]
        return ast.Expr(kept[0]) if kept else ast.Pass()


def loaded(module: ModuleType, *, counting: bool) -> ModuleType:
    """The module once more, from its source, with the statements that count or without them."""
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text("utf8"))
    if not counting:
        strip = _WithoutCounting()
        tree = strip.visit(tree)
        assert strip.removed, f"{module.__name__} does not count"
    made = ModuleType(module.__name__)
    made.__package__ = module.__package__
    code = compile(ast.fix_missing_locations(tree), module.__file__, "exec")
    exec(code, made.__dict__)  # noqa: S102 -- our own source
    return made


def in_turns(*runs: Run) -> list[list[float]]:
    """What each run took, in nanoseconds, turn by turn."""
    taken: list[list[float]] = [[] for _ in runs]
    for turn in range(TURNS):
        order = range(len(runs)) if turn % 2 else reversed(range(len(runs)))
        for index in order:
            taken[index].append(runs[index]() * 1e9)
    return taken


@frozen
class _Context:
    """The part of a `Context` that the command needs."""

    counts: Counts
    freshness: Freshness


def commands(dispatch: ModuleType) -> Run:
    """A new message, from `start` to its reply, with a handler and a store that do nothing."""
    write: Promise[Appended] = Promise()
    message = Message(
        id=1, chat_id=1, seq=1, changed_seq=1, content="x", sender_id=1, created_at=datetime.now(UTC)
    )
    write.settle(Appended(message, False))

    async def handler(*_args: object) -> Later[Appended]:
        return Later(write, lambda _appended: {})

    command = SimpleNamespace(socket=True, limit=None, params=None, schema=None, handler=handler)
    dispatch.__dict__.update(COMMANDS={"send_message": command}, read=lambda *_args: None)
    context: Any = _Context(Counts(("send_message",)), AlwaysFresh())
    caller = Caller(1, "address")

    def reply(_outcome: object) -> None: ...

    def run() -> float:
        began_s = process_time()
        for _ in range(COMMANDS_A_TURN):
            try:
                dispatch.start(context, caller, "send_message", {}).send(None)
            except StopIteration as done:
                dispatch.then(context, "send_message", done.value, reply)
        return (process_time() - began_s) / COMMANDS_A_TURN

    return run


class _Wire:
    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, _blob: bytes) -> None: ...


def deliveries(module: ModuleType) -> Run:
    """An event to the members of a room, whose sockets do nothing."""
    links = [SimpleNamespace(sid=str(number), wire=_Wire()) for number in range(MEMBERS)]
    event: Any = SimpleNamespace(skip=(), volatile=False, encoded=lambda _dialect: b"")
    queue = module.Deliveries(
        buffer_limit_bytes=1, volatile_limit_bytes=1, members_per_turn=MEMBERS, logger=None
    )

    def run() -> float:
        began_s = process_time()
        for _ in range(DELIVERIES_A_TURN):
            queue.add(None, [(None, links)], [event], ())
            queue.to_all()
        return (process_time() - began_s) / (DELIVERIES_A_TURN * MEMBERS)

    return run


def events(module: ModuleType) -> Run:
    """An event that the hub posts, with a fan-out that does nothing."""
    sio: Any = SimpleNamespace(
        fan_out=SimpleNamespace(post=lambda *_args, **_options: None), eio=SimpleNamespace(dialect=None)
    )
    hub = module.EngineHub(sio)

    def run() -> float:
        began_s = process_time()
        for _ in range(COMMANDS_A_TURN):
            hub.emit("new_message", {}, room="1")
        return (process_time() - began_s) / COMMANDS_A_TURN

    return run


def observations() -> Run:
    histogram = Histogram(COMMIT_S)

    def run() -> float:
        began_s = process_time()
        for number in range(OBSERVATIONS_A_TURN):
            histogram.observe(number * 1e-6)
        return (process_time() - began_s) / OBSERVATIONS_A_TURN

    return run


def report(name: str, before: Sequence[float], after: Sequence[float]) -> str:
    least, most = min(before), min(after)
    return f"{name}: {least:.1f} ns without counting, {most:.1f} ns with it: {most - least:+.1f} ns\n"


async def main() -> None:
    for name, run, path in (
        ("a command", commands, "handlers.dispatch"),
        ("an event", events, "server.engine_hub"),
        ("a delivery", deliveries, "server.engine.deliveries"),
    ):
        module = importlib.import_module(path)
        before, after = in_turns(run(loaded(module, counting=False)), run(loaded(module, counting=True)))
        sys.stdout.write(report(name, before, after))
    (observed,) = in_turns(observations())
    sys.stdout.write(f"a value in a histogram: {min(observed):.1f} ns\n")


if __name__ == "__main__":
    asyncio.run(main())
