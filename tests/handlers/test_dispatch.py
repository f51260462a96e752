"""Dispatch: the order of checks, what a command costs, and what becomes of its outcome."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from domain.frozen import frozen
from handlers import dispatch
from handlers.commands import COMMANDS
from handlers.context import Caller, Context
from handlers.live.connections import Connection, Connections
from handlers.live.counts import Counts
from handlers.live.freshness import AlwaysFresh
from handlers.live.limits import Limiter
from handlers.live.token_expiry import TokenExpiry
from handlers.policy import Policy
from handlers.registry import Later, Result, command
from handlers.wire.answers import Nothing
from handlers.wire.endings import Ending, Refused
from handlers.wire.errors import ChatError
from handlers.wire.exceptions import _AS_CHAT_ERROR, as_chat_error
from handlers.wire.schemas import Id
from storage.errors import Unavailable
from storage.promise import Promise
from tests.clients.clock import ManualClock
from tests.clients.hub import MemoryHub

POLICY = Policy(changes_per_s=1, changes_burst=2, queries_per_s=1, queries_burst=2, auth_calls_per_min=2)


@frozen
class Params:
    number: Id


class Scene:
    """Commands of a test, and Ann's connection."""

    def __init__(self) -> None:
        self.clock, self.hub, self.connections = ManualClock(), MemoryHub("ann"), Connections()
        self.ran: list[int] = []
        self.write: Promise[int] = Promise()
        self.context: Any = SimpleNamespace(
            limiter=Limiter(POLICY, self.clock),
            connections=self.connections,
            token_expiry=TokenExpiry(self.hub, self.clock, self.connections),
            counts=Counts(("echo", "rest_only", "free", "sign_up", "later", "failing")),
            freshness=AlwaysFresh(),
        )
        self.hub.on_end(lambda _id, _ending: self.connections.remove(self.ann))
        self.ann = Connection("ann", 1, None, self.clock.unix_s() + 3600)
        self.connections.add(self.ann)
        self.on_socket = Caller(1, "10.0.0.1", None, self.ann)
        self.on_rest = Caller(1, "10.0.0.1")

    async def echo(self, _context: Context, _caller: Caller, params: Params) -> Result:
        self.ran.append(params.number)
        return {"number": params.number}

    async def later(self, _context: Context, _caller: Caller, _params: Params) -> Later[int]:
        return Later(self.write, lambda number: {"number": number})

    async def failing(self, _context: Context, _caller: Caller, _params: Params) -> Result:
        raise Unavailable("the path of a file", "full")

    async def start(self, caller: Caller, name: str, **payload: Any) -> Any:
        return await dispatch.start(self.context, caller, name, payload)

    async def then(self, reply: Callable[[Any], None]) -> None:
        """Starts the command `later` on the socket, and replies when its write is done."""
        later = await self.start(self.on_socket, "later", number=1)
        dispatch.then(self.context, "later", later, reply)

    async def refused(self, caller: Caller, name: str, **payload: Any) -> ChatError:
        with pytest.raises(ChatError) as refused:
            await self.start(caller, name, **payload)
        return refused.value


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    scene = Scene()
    for name, handler, options in (
        ("echo", scene.echo, {"socket": True, "limit": "changes"}),
        ("rest_only", scene.echo, {"limit": "changes"}),
        ("free", scene.echo, {"socket": True, "unlimited": "it is here for the test"}),
        ("sign_up", scene.echo, {"limit": "auth_calls"}),
        ("later", scene.later, {"socket": True, "limit": "changes"}),
        ("failing", scene.failing, {"socket": True, "limit": "changes"}),
    ):
        made = command(name, Params, Nothing, **options)(handler)  # type: ignore[arg-type]
        monkeypatch.setitem(COMMANDS, name, made)  # type: ignore[arg-type]  # a dict
    return scene


async def test_a_command_runs_with_its_parameters(scene: Scene) -> None:
    for caller in (scene.on_socket, scene.on_rest):
        assert await scene.start(caller, "echo", number=7, colour="red") == {"number": 7}
    assert scene.ran == [7, 7]


async def test_what_is_malformed_costs_nothing(scene: Scene) -> None:
    for _ in range(5):
        error = await scene.refused(scene.on_socket, "echo", number="7")
        assert (error.code, error.fields) == (
            "invalid",
            {"number": "must be an integer from 1 to 9007199254740991"},
        )
    for number in (1, 2):
        await scene.start(scene.on_socket, "echo", number=number)
    assert (await scene.refused(scene.on_socket, "echo", number=3)).code == "rate_limited"
    assert scene.ran == [1, 2]


async def test_a_command_that_fails_has_cost_its_token(scene: Scene) -> None:
    for _ in range(2):
        error = await scene.refused(scene.on_socket, "failing", number=1)
        assert (error.code, error.message) == ("unavailable", "the store is full; nothing was changed")
    assert (await scene.refused(scene.on_socket, "failing", number=1)).code == "rate_limited"


async def test_limits_are_the_user_s_over_all_gates(scene: Scene) -> None:
    await scene.start(scene.on_socket, "echo", number=1)
    await scene.start(scene.on_rest, "rest_only", number=1)
    assert (await scene.refused(scene.on_socket, "echo", number=1)).code == "rate_limited"
    assert await scene.start(Caller(2, "10.0.0.1"), "echo", number=1)
    for _ in range(10):
        await scene.start(scene.on_socket, "free", number=1)


@pytest.mark.parametrize("name", ["nonsense", "rest_only", "x" * 1000])
async def test_an_unknown_command_counts_as_a_query(scene: Scene, name: str) -> None:
    for _ in range(2):
        error = await scene.refused(scene.on_socket, name, number=1)
        assert error.code == "unknown_event"
        assert len(error.message) < 100
    assert (await scene.refused(scene.on_socket, name, number=1)).code == "rate_limited"
    assert scene.ran == []


async def test_calls_of_strangers_count_by_network_before_their_body_is_read(scene: Scene) -> None:
    def admit(address: str) -> None:
        dispatch.admit(scene.context, Caller(0, address), "sign_up")

    admit("2001:db8::1")
    admit("2001:db8::2")
    with pytest.raises(ChatError, match="too many"):
        admit("2001:db8::3")
    admit("2001:db8:0:1::1")
    await scene.start(Caller(0, "2001:db8::3"), "sign_up", number=1)
    assert scene.ran == [1], "it is not counted twice"


async def test_a_call_of_a_user_is_looked_at_before_its_body_is_read(scene: Scene) -> None:
    for _ in range(5):
        dispatch.admit(scene.context, scene.on_rest, "rest_only")
    for number in (1, 2):
        await scene.start(scene.on_rest, "rest_only", number=number)
    with pytest.raises(ChatError, match="too many"):
        dispatch.admit(scene.context, scene.on_rest, "rest_only")
    dispatch.admit(scene.context, scene.on_rest, "free")


async def test_a_connection_that_has_ended_runs_nothing(scene: Scene) -> None:
    scene.connections.remove(scene.ann)
    error = await scene.refused(scene.on_socket, "echo", number=1)
    assert isinstance(error, Refused)
    assert (error.ending, scene.ran) == (Ending.REVOKED, [])


async def test_a_connection_whose_token_has_expired_ends(scene: Scene) -> None:
    scene.context.token_expiry.watch(scene.ann)
    scene.clock.jump(3600)
    error = await scene.refused(scene.on_socket, "echo", number=1)
    assert (error.code, scene.hub.ended, scene.ran) == (
        "unauthenticated",
        {"ann": Ending.UNAUTHENTICATED},
        [],
    )


async def test_a_later_counts_as_unfinished_and_replies_with_its_outcome(scene: Scene) -> None:
    later = await scene.start(scene.on_socket, "later", number=1)
    outcomes: list[Any] = []
    dispatch.then(scene.context, "later", later, outcomes.append)
    assert (scene.ann.unfinished, outcomes) == (1, [])
    scene.write.settle(9)
    assert (scene.ann.unfinished, outcomes) == (0, [{"number": 9}])


@pytest.mark.parametrize("gate", ["socket", "rest"])
async def test_a_write_that_fails_becomes_an_error(scene: Scene, gate: str) -> None:
    outcomes: list[Any] = []
    if gate == "socket":
        await scene.then(outcomes.append)
    else:
        running = asyncio.ensure_future(dispatch.run(scene.context, scene.on_rest, "later", {"number": 1}))
        await asyncio.sleep(0)
    scene.write.settle(Unavailable("the host of a database", "unreachable"))
    if gate == "socket":
        (error,) = outcomes
    else:
        with pytest.raises(ChatError) as refused:
            await running
        error = refused.value
    assert (error.code, error.message) == ("unavailable", "the store cannot be reached; try again")


async def test_a_write_that_is_given_up_at_the_stop_is_unavailable(scene: Scene) -> None:
    outcomes: list[Any] = []
    await scene.then(outcomes.append)
    scene.write.cancel()
    assert [(error.code, error.message) for error in outcomes] == [
        ("unavailable", "the server is going away")
    ]


async def test_a_caller_who_gives_up_does_not_cancel_the_write(scene: Scene) -> None:
    running = asyncio.ensure_future(dispatch.run(scene.context, scene.on_rest, "later", {"number": 1}))
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait((running,))
    assert not scene.write.done()


CODES = {
    "Forbidden": "forbidden",
    "NotFound": "not_found",
    "Duplicate": "conflict",
    "ClientIdTaken": "conflict",
    "UnknownUsers": "invalid",
    "BadReference": "invalid",
    "LastOwner": "conflict",
}
ARGUMENTS = {"Duplicate": ("email",), "UnknownUsers": ([3, 1],), "BadReference": ("reply_to",)}
FIELDS = {
    "Duplicate": {"email": "is taken"},
    "ClientIdTaken": {"client_id": "was used in another chat"},
    "UnknownUsers": {"user_id": "no such user: 1, 3"},
    "BadReference": {"reply_to": "names nothing of this chat"},
}


@pytest.mark.parametrize("name", CODES)
def test_a_refusal_has_a_code_and_names_its_fields(name: str) -> None:
    kinds = {kind.__name__: kind for kind in _AS_CHAT_ERROR}
    kind = kinds[name]
    for made in (kind, type("Narrower", (kind,), {})):
        error = as_chat_error(made(*ARGUMENTS.get(name, ())))
        assert (error.code, error.fields) == (CODES[name], FIELDS.get(name))


def test_an_unforeseen_exception_is_logged_and_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    error = as_chat_error(KeyError("a secret"))
    assert (error.code, error.message) == ("unavailable", "something went wrong on the server")
    assert "command failed unforeseen" in capsys.readouterr().out
    chat_error = ChatError("conflict", "as it is")
    assert as_chat_error(chat_error) is chat_error
