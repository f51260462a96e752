"""Which handlers a message gets, and what happens when one fails."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from vestnik_bot.errors import Ended
from vestnik_bot.messages import Message

Handler = Callable[[Message], Coroutine[Any, Any, None]]

LOG = logging.getLogger("vestnik_bot")
LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class Entry:
    handler: Handler
    command: str | None
    """In lower case, with its slash; None: every message that is no known command."""
    from_bots: bool


class Handlers:
    """A message that begins with a known command goes to the handlers of that command, any other to the rest. A handler
    that fails is logged, and the message counts as handled."""

    def __init__(self, timeout_s: float | None, is_connected: Callable[[], bool]) -> None:
        self._timeout_s = timeout_s
        self._is_connected = is_connected
        self._entries: list[Entry] = []

    def add(self, handler: Handler, command: str | None, *, from_bots: bool) -> Handler:
        if not inspect.iscoroutinefunction(handler):
            raise TypeError(f"{handler!r} has to be an async function")
        self._entries.append(Entry(handler, command, from_bots))
        return handler

    async def run(self, message: Message) -> None:
        """Runs the handlers of a message, one after the other."""
        word, *rest = message.content.split(maxsplit=1) or [""]
        command = self._command(word, message)
        if command is not None:
            message.arguments = "".join(rest).rstrip()
        for entry in self._entries:
            if entry.command == command and (entry.from_bots or not message.sender.is_bot):
                await self._run_one(entry.handler, message)

    def _command(self, word: str, message: Message) -> str | None:
        """The command that the word is, alone or with `@` and the username of the bot."""
        name, _, addressee = word.casefold().partition("@")
        if addressee not in ("", message.bot_username.casefold()):
            return None
        return name if any(entry.command == name for entry in self._entries) else None

    async def _run_one(self, handler: Handler, message: Message) -> None:
        task = asyncio.ensure_future(handler(message))
        try:
            await self._wait(task)
            task.result()
        except Ended:
            raise
        except Exception:
            LOG.exception("the handler of message %d in chat %d failed", message.id, message.chat_id)
        except asyncio.CancelledError:
            if task.done() and task.cancelled() and not _is_cancelling():
                LOG.error("the handler of message %d in chat %d was cancelled", message.id, message.chat_id)
                return
            raise
        finally:
            task.cancel()

    async def _wait(self, task: "asyncio.Future[None]") -> None:
        """Waits for the handler. Only the time in which the bot is connected counts for the timeout."""
        left_s = self._timeout_s
        while not task.done():
            await asyncio.wait({task}, timeout=None if left_s is None else min(left_s, LOOK_EVERY_S))
            if left_s is not None and self._is_connected():
                left_s -= LOOK_EVERY_S
                if left_s <= 0 and not task.done():
                    task.cancel()
                    raise TimeoutError(f"no end after {self._timeout_s:g} s")


def _is_cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
