"""The list of commands: each has a limit and declares its answer."""

from typing import Any

import pytest

from handlers.commands import COMMANDS
from handlers.commands.connection import Ping
from handlers.context import Caller, Context
from handlers.registry import Result, by_name, command
from handlers.wire.answers import Nothing

UNLIMITED = {"ping", "leave_chat", "typing", "stream_message"}


def test_every_command_has_a_limit_or_says_why_not() -> None:
    assert {name for name, entry in COMMANDS.items() if entry.limit is None} == UNLIMITED
    assert all(len(COMMANDS[name].unlimited.split()) > 5 for name in UNLIMITED)
    assert all(not entry.unlimited for name, entry in COMMANDS.items() if name not in UNLIMITED)


async def _handler(_context: Context, _caller: Caller, _params: Ping) -> Result:
    return {}


def test_a_command_with_neither_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="new_one needs a limit"):
        command("new_one", Ping, Nothing)(_handler)
    with pytest.raises(ValueError, match="new_one needs a limit"):
        command("new_one", Ping, Nothing, limit="changes", unlimited="both")(_handler)


@pytest.mark.parametrize("answer", [dict, None, Ping])
def test_a_command_that_does_not_declare_its_answer_cannot_be_made(answer: Any) -> None:
    with pytest.raises(ValueError, match="new_one has to declare its answer"):
        command("new_one", Ping, answer, limit="changes")


def test_two_commands_of_one_name_cannot_be_listed() -> None:
    twice = [command("new_one", Ping, Nothing, limit="changes")(_handler) for _ in range(2)]
    with pytest.raises(ValueError, match="two commands are named new_one"):
        by_name(twice)


def test_calls_of_strangers_count_by_address_and_only_over_rest() -> None:
    by_address = {name for name, entry in COMMANDS.items() if entry.limit == "auth_calls"}
    assert by_address == {"register", "login", "refresh", "logout", "get_invite"}
    assert not any(COMMANDS[name].socket for name in by_address)
