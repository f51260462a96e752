"""The pass over all sessions: step by step, again an hour later, and with every answer of the store."""

import asyncio
from collections.abc import MutableMapping
from datetime import datetime
from typing import Any, cast

from structlog.testing import capture_logs

from handlers.live.session_sweep import AGAIN_AFTER_S, FIRST_AFTER_S, PAUSE_S, STEP_SESSIONS, SessionSweep
from storage.errors import Unavailable
from storage.ports import Sessions
from tests.clients.clock import ManualClock


class Steps:
    """A store's sessions: each step answers with the next of `answers`, which it raises if that is an exception."""

    def __init__(self, *answers: str | Exception | None) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    async def sweep(self, *, after: str, limit: int, now: datetime, keep_s: float) -> str | None:
        assert (limit, keep_s) == (STEP_SESSIONS, 60)
        self.asked.append(after)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def sweeping(steps: Steps, *waits_s: float) -> tuple[list[list[str]], list[MutableMapping[str, Any]]]:
    """What the sweep had asked of the store at the end of each wait, and what it logged."""
    clock, seen = ManualClock(), []
    sweep = SessionSweep(cast(Sessions, steps), clock, keep_s=60)
    with capture_logs() as logged:
        sweep.start()
        for wait_s in waits_s:
            clock.advance(wait_s)
            for _ in range(3):  # a task starts, and asks
                await asyncio.sleep(0)
            seen.append(list(steps.asked))
        await sweep.stop()
        clock.advance(2 * AGAIN_AFTER_S)
        await asyncio.sleep(0)
    assert steps.asked == seen[-1], "nothing is asked after the end"
    return seen, logged


async def test_a_pass_goes_on_where_the_last_step_ended_and_begins_anew_an_hour_later() -> None:
    steps = Steps("b", "d", None, "b")
    seen, _ = await sweeping(steps, FIRST_AFTER_S - 1, 1, PAUSE_S, PAUSE_S, AGAIN_AFTER_S - 1, 1)
    assert seen == [[], [""], ["", "b"], ["", "b", "d"], ["", "b", "d"], ["", "b", "d", ""]]


async def test_a_store_that_is_unavailable_is_asked_an_hour_later_without_a_word() -> None:
    steps = Steps("b", Unavailable("locked", "locked"), None)
    seen, logged = await sweeping(steps, FIRST_AFTER_S, PAUSE_S, PAUSE_S, AGAIN_AFTER_S)
    assert seen == [[""], ["", "b"], ["", "b"], ["", "b", ""]]
    assert logged == []


async def test_a_bug_is_logged_and_does_not_end_the_sweep() -> None:
    seen, logged = await sweeping(Steps(KeyError("x"), None), FIRST_AFTER_S, AGAIN_AFTER_S)
    assert seen == [[""], ["", ""]]
    assert [entry["event"] for entry in logged] == ["removing old sessions failed"]


async def test_a_sweep_can_be_stopped_before_it_began() -> None:
    steps = Steps()
    sweep = SessionSweep(cast(Sessions, steps), ManualClock(), keep_s=60)
    await sweep.stop()
    assert steps.asked == []
