"""What the commands of the command line share: asking the server or its store, and printing."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any

from domain.refusals import Refusal
from handlers.live.clock import SystemClock
from handlers.live.passwords import Passwords
from handlers.live.setup import Setup
from handlers.operator import Operator
from handlers.wire.exceptions import as_chat_error
from handlers.wire.json import dumps, is_unicode
from server.config import Config
from server.control import ask_server
from server.start_error import StartError
from storage.backup_ports import Snapshot
from storage.errors import StorageError, Unavailable
from storage.open import open_snapshot, open_store

RETRY_S = 10.0
"""How long a server may take between locking its database and answering the command line, on a slow machine that has
just started, and the other way round."""

_PAUSE_S = 0.2

TEXT_CHARS_MAX = 1000
"""Longer than any name or address."""


def prepare_output(*, as_json: bool) -> None:
    """Makes names printable in the encoding of the terminal; JSON is UTF-8. Raises: `StartError`, before anything is
    done of which nobody would hear."""
    if not isinstance(sys.stdout, TextIOWrapper):
        raise StartError("standard output is closed")
    if as_json:
        sys.stdout.reconfigure(encoding="utf-8")
    else:
        sys.stdout.reconfigure(errors="replace")


async def act(config: Config, action: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What came of the action. A server that is starting or stopping has its database locked and does not answer yet,
    or not any more: then both ways are tried for a while. Raises: `ChatError`; `Refusal`; `StorageError`."""
    give_up_at = asyncio.get_running_loop().time() + RETRY_S
    while True:
        answer = await ask_server(config.data_dir, action, request)
        if answer is not None:
            return answer
        try:
            return await _act_on_store(config, action, request)
        except Unavailable as error:
            if error.trouble != "locked" or asyncio.get_running_loop().time() > give_up_at:
                raise
        await asyncio.sleep(_PAUSE_S)


async def _act_on_store(config: Config, action: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    store = await open_store(config.store_url(), connect_timeout_s=config.database_connect_timeout_s)
    passwords, clock = Passwords(config.bcrypt_cost), SystemClock()
    try:
        setup = Setup(store, clock, config.policy)
        return await Operator(store, passwords, config.policy, clock, setup).run(action, request)
    finally:
        passwords.close()
        await store.close()


def check_texts(texts: Iterable[str]) -> None:
    """Raises: `StartError` for a text that is no Unicode, or longer than any name or address."""
    for text in texts:
        if not is_unicode(text):  # bytes that are no text in the terminal's encoding
            raise StartError("the name is not valid text")
        if len(text) > TEXT_CHARS_MAX:
            raise StartError(f"no name and no address is longer than {TEXT_CHARS_MAX:,} characters")


async def listed(
    config: Config,
    action: str,
    key: str,
    *,
    as_json: bool,
    head: str,
    row: Callable[[Mapping[str, Any]], str],
) -> AsyncIterator[str]:
    """The pieces of a list that the action returns in pages, under `key`: a JSON array, or rows for people under their
    head. Raises: as `act`."""
    after: int | None = 0
    first = True
    while after is not None:
        page = await act(config, action, {"user": "", "after": after})
        for one in page[key]:
            if as_json:
                yield ("[\n" if first else ",\n") + dumps(one).decode()
            else:
                yield (head if first else "") + row(one)
            first = False
        after = page["next"]
    if as_json:
        yield "[]\n" if first else "\n]\n"


async def print_all(texts: AsyncIterator[str]) -> int:
    """Prints one text after the other. Returns the exit status. Raises: `StartError`."""
    try:
        async for text in texts:
            print_text(text)
    except BrokenPipeError:
        return 1  # the reader has seen enough
    except OSError as error:
        raise StartError(f"the output could not be written: {error.strerror}") from None
    return 0


def print_result(action: str, text: str, way_out: str | None) -> None:
    """Prints what came of an action that is done. `way_out`: what to do if what is shown only once gets lost. Raises:
    `StartError`."""
    try:
        print_text(text)
    except OSError as error:
        what = f"{action} is done, but the output could not be written: {error.strerror}"
        raise StartError(what if way_out is None else f"{what}; {way_out}") from None


def print_text(text: str) -> None:
    """Writes to standard output at once. Raises: `OSError`; then nothing more is written, not even by the end of the
    program."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        raise


async def snapshot_of(config: Config) -> Snapshot:
    """All that the store holds now. To be closed by the caller. Raises: `StorageError`."""
    return await open_snapshot(
        config.store_url(),
        connect_timeout_s=config.database_connect_timeout_s,
        files_folder=config.uploads_dir,
    )


@contextmanager
def failing_in_one_line(command: str, place: str) -> Iterator[None]:
    """Says what ends the block in a line of the command. `place`: the file or folder, printable, that a failure of the
    system is about. Raises: `StartError`."""
    try:
        yield
    except StorageError as error:
        raise StartError(f"{command}: {error_line(error)}") from None
    except OSError as error:
        raise StartError(f"{command}: {place}: {error.strerror or error}") from None


def error_line(raised: Exception) -> str:
    """An error in one line."""
    error = as_chat_error(raised) if isinstance(raised, Refusal) else raised
    fields = getattr(error, "fields", None)
    if fields and getattr(error, "code", "") != "conflict" and not str(error).startswith("this "):
        return printable("; ".join(f"{name} {fault}" for name, fault in fields.items()))
    if isinstance(raised, Unavailable):
        return str(raised)
    return printable(str(error))


def printable(text: str) -> str:
    """Text without what could move the cursor of a terminal or break a line."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
