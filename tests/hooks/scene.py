"""Hooks of a running server, made at its store, and receivers of what they tell."""

from collections.abc import Sequence
from typing import Any

from domain.hooks import Hook, HookEvent, HookState, HookUpdate
from storage.ports import Store
from tests.clients.people import Person
from tests.conftest import Server

SECRET = "a secret of a hook"


def store_of(server: Server) -> Store:
    return server.chat_app.context.store


async def outgoing(
    server: Server,
    maker: Person,
    chat_id: int,
    url: str,
    events: Sequence[HookEvent] = ("new_message",),
    *,
    include_bots: bool = False,
    name: str = "hook",
) -> Hook:
    """A new outgoing hook."""
    now = server.chat_app.context.clock.now()
    draft = Hook(
        0,
        chat_id,
        "outgoing",
        name,
        0,
        maker.id,
        now,
        target_url=url,
        events=events,
        include_bots=include_bots,
    )
    return await store_of(server).hooks.create(draft, secret=SECRET)


async def state_of(server: Server, hook: Hook) -> HookState:
    state = await store_of(server).hooks.get(hook.id)
    assert state is not None
    return state


async def update(server: Server, hook: Hook, by: Person, **changes: Any) -> HookState:
    now = server.chat_app.context.clock.now()
    return await store_of(server).hooks.change(hook.id, by.id, HookUpdate(**changes), now)
