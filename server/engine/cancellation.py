"""Whose cancellation a `CancelledError` is."""

import asyncio


def is_ours() -> bool:
    """Whether the current task itself is being cancelled. If not, a `CancelledError` is an error like others: something
    that the task waited for was cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
